"""Applications: types, folders and files, as ../shared/SEMANTICS.md states Argo CD's rules."""

from __future__ import annotations

import pytest
from argo import CHART, HERE, KUSTOMIZATION, MAP, Remotes, application, expand, only_part, problems

from review_bot.core.argocd.application import where
from review_bot.core.model import Remote, RemoteKind, RendererName, Severity

PLAIN = {"apps/web/map.yaml": MAP}
BUILT = {"apps/web/kustomization.yaml": KUSTOMIZATION, "apps/web/map.yaml": MAP}
CHARTED = {"apps/web/Chart.yaml": CHART, "apps/web/templates/map.yaml": MAP}


@pytest.mark.parametrize(
    ("files", "renderer"),
    [
        (PLAIN, RendererName.PLAIN),
        (BUILT, RendererName.KUSTOMIZE),
        (CHARTED, RendererName.HELM),
        (BUILT | CHARTED, RendererName.KUSTOMIZE),
    ],
)
def test_the_type_is_what_lies_in_the_folder_and_kustomize_wins_over_a_chart(
    files: dict[str, str], renderer: RendererName
) -> None:
    assert only_part(files, application("path: apps/web"))[1].renderer is renderer


@pytest.mark.parametrize(
    ("block", "renderer"),
    [("helm: {}", RendererName.HELM), ("kustomize: {}", RendererName.KUSTOMIZE), ("directory: {}", RendererName.PLAIN)],
)
def test_an_explicit_block_decides_the_type(block: str, renderer: RendererName) -> None:
    assert only_part(BUILT | CHARTED, application(f"path: apps/web, {block}"))[1].renderer is renderer


def test_two_explicit_blocks_are_an_error() -> None:
    _, found = expand(BUILT, application("path: apps/web, helm: {}, kustomize: {}"))
    assert [(f.severity, f.rule, f.line, f.target) for f in found.findings] == [
        (Severity.ERROR, "several-types", 5, "argocd:web")
    ]
    assert [(t.id, t.parts) for t in found.targets] == [("argocd:web", ())]


def test_a_directory_block_in_which_nothing_is_set_does_not_decide() -> None:
    left_over = "directory: {recurse: false, jsonnet: {extVars: []}}"
    assert only_part(BUILT, application(f"path: apps/web, {left_over}"))[1].renderer is RendererName.KUSTOMIZE
    both = application(f"path: apps/web, {left_over}, helm: {{releaseName: a}}")
    assert only_part(CHARTED, both)[1].renderer is RendererName.HELM


@pytest.mark.parametrize(
    "source",
    ["targetRevision: main", "ref: values", "chart: web", "chart: web, targetRevision: ''"],
)
def test_a_source_says_what_it_takes_and_a_chart_in_which_version(source: str) -> None:
    assert problems(PLAIN, application(source)) == [("error", "no-source")]


def test_a_plugin_is_not_seen() -> None:
    assert problems(PLAIN, application("path: apps/web, plugin: {name: nix}")) == [("warning", "not-seen")]


def test_files_of_the_folder_patch_the_source_before_the_type_is_known_the_applications_own_last() -> None:
    overrides = {
        "apps/web/.argocd-source.yaml": "helm: {releaseName: first, skipCrds: true, values: 'a: 1'}",
        "apps/web/.argocd-source-web.yaml": "helm: {releaseName: second, values: null}",
        "apps/web/.argocd-source-other.yaml": "kustomize: {}",
    }
    _, part = only_part(BUILT | CHARTED | overrides, application("path: apps/web"))
    assert part.helm is not None
    assert (part.helm.release, part.helm.crds, part.helm.values) == ("second", False, ())


def test_a_broken_override_names_its_own_line() -> None:
    _, found = expand(PLAIN | {"apps/web/.argocd-source.yaml": "a: [\n"}, application("path: apps/web"))
    assert [(f.path, f.severity) for f in found.findings] == [("apps/web/.argocd-source.yaml", Severity.ERROR)]


def test_an_override_can_not_move_the_source() -> None:
    override = {"apps/web/.argocd-source.yaml": "path: other\nrepoURL: https://evil.example.com/x\n"}
    assert only_part(PLAIN | override, application("path: apps/web"))[1].path == "apps/web"


def test_a_target_says_who_deploys_it_and_where_it_goes() -> None:
    spec = "  project: default\n  syncPolicy: {automated: {prune: true}}\n"
    _, found = expand(PLAIN, application("path: apps/web", spec=spec))
    target = found.targets[0]
    delivery = target.delivery
    assert delivery is not None
    assert (target.id, target.path, target.entry, target.namespace) == ("argocd:web", "apps/web", "top/app.yaml", "web")
    assert target.reads is not None and "apps/web/map.yaml" in target.reads
    assert (delivery.tool, delivery.parent, delivery.destination) == ("argocd", "plain:top", "in-cluster/web")
    assert (delivery.prune, delivery.suspended) == (True, False)
    assert where({"name": "prod", "namespace": "a"}) == "prod/a"


@pytest.mark.parametrize(
    ("policy", "prunes"),
    [
        ("", False),
        ("  syncPolicy: {automated: {}}\n", False),
        ("  syncPolicy: {automated: {prune: true}}\n", True),
        ("  syncPolicy: {automated: {prune: true, enabled: false}}\n", False),
    ],
)
def test_argo_cd_deletes_by_itself_only_with_automated_prune(policy: str, prunes: bool) -> None:
    _, found = expand(PLAIN, application("path: apps/web", spec=policy))
    assert found.targets[0].delivery is not None
    assert found.targets[0].delivery.prune is prunes


def test_an_application_that_is_not_reconciled_is_suspended() -> None:
    paused = ", annotations: {argocd.argoproj.io/skip-reconcile: 'true'}"
    _, found = expand(PLAIN, application("path: apps/web", metadata=paused))
    assert found.targets[0].delivery is not None
    assert found.targets[0].delivery.suspended


def test_outside_of_argo_cds_namespace_the_id_names_the_namespace() -> None:
    text = application("path: apps/web").replace("namespace: argocd", "namespace: team-a")
    assert [t.id for t in expand(PLAIN, text)[1].targets] == ["argocd:team-a/web"]
    text = application("path: apps/web").replace(", namespace: argocd", "")
    assert [t.id for t in expand(PLAIN, text)[1].targets] == ["argocd:web"]


@pytest.mark.parametrize("destination", ["{namespace: web}", "{name: a, server: b}", "text"])
def test_a_destination_names_one_cluster(destination: str) -> None:
    text = application("path: apps/web").replace(
        "{server: https://kubernetes.default.svc, namespace: web}", destination
    )
    assert [severity for severity, _ in problems(PLAIN, text)] == ["error"]


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("path: apps/none", "no-such-folder"),
        ("path: apps/web/map.yaml", "no-such-folder"),
        ("path: ../other", "outside-repository"),
        ("path: /apps/web", "no-such-folder"),
        ("path: 3", "argocd"),
    ],
)
def test_a_path_that_is_no_folder_of_the_repository_is_an_error(source: str, rule: str) -> None:
    assert problems(PLAIN, application(source)) == [("error", rule)]


def test_directory_takes_manifests_of_the_folder_itself_unless_it_recurses() -> None:
    files = {f"apps/web/{name}": MAP for name in ("a.yaml", "b.yml", "c.json", "d.txt", "deep/e.yaml", "deep/f/g.yaml")}
    _, part = only_part(files, application("path: apps/web"))
    assert part.reads == {"apps/web/a.yaml", "apps/web/b.yml", "apps/web/c.json"}
    _, part = only_part(files, application("path: apps/web, directory: {recurse: true}"))
    assert part.reads == set(files) - {"apps/web/d.txt"}


def test_directory_looks_at_exclude_before_include_and_a_star_crosses_folders() -> None:
    files = {f"apps/web/{name}": MAP for name in ("a.yaml", "config.json", "deep/b.yaml", "deep/config.json")}
    options = "directory: {recurse: true, include: '{*.yaml,*config.json}', exclude: '*config*'}"
    _, part = only_part(files, application(f"path: apps/web, {options}"))
    assert part.reads == {"apps/web/a.yaml", "apps/web/deep/b.yaml"}
    _, part = only_part(files, application("path: apps/web, directory: {recurse: true, include: 'deep/*'}"))
    assert part.reads == {"apps/web/deep/b.yaml", "apps/web/deep/config.json"}


def test_directory_drops_files_that_say_so_and_still_looks_at_them() -> None:
    files = PLAIN | {"apps/web/values.yaml": "# +argocd:skip-file-rendering\n" + MAP}
    _, found = expand(files, application("path: apps/web"))
    assert found.targets[0].parts[0].reads == {"apps/web/map.yaml"}
    assert "apps/web/values.yaml" in (found.targets[0].reads or ())


def test_directory_takes_any_file_if_it_is_told_to() -> None:
    files = PLAIN | {"apps/web/map.manifest": MAP, "apps/web/notes.txt": "words"}
    options = "directory: {disableExtensionFilter: true, exclude: '*.txt'}"
    _, part = only_part(files, application(f"path: apps/web, {options}"))
    assert part.reads == {"apps/web/map.yaml", "apps/web/map.manifest"}


def test_directory_refuses_a_link_that_leaves_the_repository_though_it_is_excluded() -> None:
    files = PLAIN | {"apps/web/out.yaml": "link:../../../etc/passwd"}
    out = application("path: apps/web, directory: {exclude: out.yaml}")
    assert problems(files, out) == [("error", "link-leaves")]


def test_directory_refuses_a_link_that_leaves_the_repository() -> None:
    _, found = expand(PLAIN | {"apps/web/x.yaml": "link:../../../etc/x.yaml"}, application("path: apps/web"))
    assert [(f.rule, f.path) for f in found.findings] == [("link-leaves", "apps/web/x.yaml")]
    inside = PLAIN | {"apps/web/x.yaml": "link:../../base/x.yaml", "base/x.yaml": MAP}
    assert only_part(inside, application("path: apps/web"))[1].reads == {"apps/web/map.yaml", "base/x.yaml"}


SEVERAL = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: web, namespace: argocd}}
spec:
  source: {{repoURL: https://github.com/acme/gone, path: nowhere}}
  sources:
    - {{repoURL: {HERE}.git, targetRevision: HEAD, path: apps/web}}
    - {{repoURL: {HERE}, ref: values}}
    - repoURL: {HERE}
      path: chart
      helm: {{valueFiles: [$values/env/prod.yaml, /env/all.yaml, own.yaml]}}
  destination: {{name: prod, namespace: web}}
"""


def test_sources_hide_source_and_value_files_of_a_ref_are_read_from_its_root() -> None:
    files = PLAIN | {"chart/Chart.yaml": CHART, "chart/own.yaml": "", "env/prod.yaml": "", "env/all.yaml": ""}
    _, found = expand(files, SEVERAL)
    assert found.findings == ()
    first, second = found.targets[0].parts
    assert (first.path, second.path) == ("apps/web", "chart")
    assert second.helm is not None
    assert second.helm.values == ("env/prod.yaml", "env/all.yaml", "chart/own.yaml")
    assert found.targets[0].reads is not None and set(files) <= found.targets[0].reads


def test_another_repository_is_fetched_or_not_seen() -> None:
    text = application("path: apps, targetRevision: v1").replace(HERE, "https://github.com/acme/other")
    remotes = Remotes({"https://github.com/acme/other": {"apps/map.yaml": MAP}})
    _, part = only_part({}, text, remotes=remotes)
    assert part.path == ".~remote/other/apps"
    assert remotes.asked == [Remote(RemoteKind.GIT, "https://github.com/acme/other", "", "v1")]
    _, found = expand({}, text)
    assert [(f.severity, f.rule, f.help) for f in found.findings] == [
        (Severity.WARNING, "not-seen", "ask the operator")
    ]
    assert [(t.id, t.parts) for t in found.targets] == [("argocd:web", ())]


@pytest.mark.parametrize(
    ("source", "remote"),
    [
        (
            "{repoURL: https://charts.example.com/x, chart: web, targetRevision: 1.0.0}",
            Remote(RemoteKind.HELM, "https://charts.example.com/x", "web", "1.0.0"),
        ),
        (
            "{repoURL: ghcr.io/acme/x, chart: web, targetRevision: 1.0.0}",
            Remote(RemoteKind.OCI, "ghcr.io/acme/x", "web", "1.0.0"),
        ),
        (
            "{repoURL: oci://ghcr.io/acme/x, path: ., targetRevision: 1.0.0}",
            Remote(RemoteKind.OCI, "oci://ghcr.io/acme/x", "", "1.0.0"),
        ),
    ],
)
def test_charts_come_from_helm_repositories_and_registries(source: str, remote: Remote) -> None:
    text = application("path: x")
    text = text.replace(f"{{repoURL: {HERE}, path: x}}", source)
    remotes = Remotes({remote.url: {"Chart.yaml": CHART}})
    _, part = only_part({}, text, remotes=remotes)
    assert (part.renderer, part.path, remotes.asked) == (RendererName.HELM, ".~remote/x", [remote])


def test_equal_objects_give_equal_targets_and_what_is_told_twice_counts_once() -> None:
    text = application("path: apps/web")
    _, once = expand(PLAIN, text)
    _, twice = expand(PLAIN, f"{text}---\n{text}")
    assert once == twice


def test_what_a_hydrator_renders_is_reviewed_where_it_is_written() -> None:
    text = application("path: x").replace(
        f"source: {{repoURL: {HERE}, path: x}}",
        f"sourceHydrator: {{drySource: {{repoURL: {HERE}, path: apps/web, targetRevision: HEAD}}, "
        "syncSource: {targetBranch: rendered, path: web}}",
    )
    assert only_part(PLAIN, text)[1].path == "apps/web"
