"""Helm sources: values in their order, parameters, names, as ../shared/SEMANTICS.md states Argo CD's rules."""

from __future__ import annotations

import json

import pytest
from argo import CHART, HERE, Remotes, application, expand, only_part, problems

from review_bot.core.argocd.helm import escaped
from review_bot.core.argocd.values import expanded
from review_bot.core.model import HelmOptions, RemoteKind
from review_bot.core.version_ranges import chart

FILES = {"web/Chart.yaml": CHART, "web/values.yaml": "", "web/prod.yaml": "", "env/all.yaml": "", "env/eu.yaml": ""}


def options(helm: str) -> HelmOptions:
    _, part = only_part(FILES, application(f"path: web, helm: {{{helm}}}"))
    assert part.helm is not None
    return part.helm


def test_values_object_replaces_values_and_comes_after_value_files_and_before_parameters() -> None:
    helm = "valueFiles: [prod.yaml], values: 'a: 1', valuesObject: {b: 2}, parameters: [{name: c, value: '3'}]"
    side, part = only_part(FILES, application(f"path: web, helm: {{{helm}}}"))
    assert part.helm is not None
    first, second = part.helm.values
    assert first == "web/prod.yaml"
    assert json.loads(side.graft.read(second) or b"") == {"b": 2}
    assert part.helm.sets == ("--set", "c=3")
    assert side.graft.original(second).path == "top/app.yaml"


def test_values_stand_for_themselves_without_values_object() -> None:
    side, part = only_part(FILES, application("path: web, helm: {values: 'a: 1'}"))
    assert part.helm is not None
    assert side.graft.read(part.helm.values[0]) == b"a: 1"


def test_the_release_is_named_after_the_application_unless_it_says_otherwise() -> None:
    assert options("").release == "web"
    assert options("releaseName: other").release == "other"
    assert problems(FILES, application("path: web, helm: {releaseName: --post-renderer=x}")) == [
        ("error", "release-name")
    ]
    text = application("path: web", name="b" * 54)
    assert problems(FILES, text) == [("error", "release-name")]


def test_crds_are_rendered_unless_they_are_skipped() -> None:
    assert options("").crds
    assert not options("skipCrds: true").crds


def test_the_namespace_is_the_destinations_unless_the_chart_is_given_its_own() -> None:
    assert options("").namespace == "web"
    assert options("namespace: other").namespace == "other"


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("a,b", "a\\,b"),
        ("{a,b}", "{a,b}"),
        ("a\\,b", "a\\,b"),
        ("plain", "plain"),
        ("a,b,c", "a\\,b\\,c"),
        (",a,,", "\\,a\\,\\,"),
    ],
)
def test_commas_of_a_parameter_are_escaped_unless_it_is_a_list(value: str, result: str) -> None:
    assert escaped(value) == result


def test_parameters_can_be_texts_and_files() -> None:
    given = options(
        "parameters: [{name: a, value: '1', forceString: true}, {name: b, value: '2'}], "
        "fileParameters: [{name: c, path: ../env/all.yaml}]"
    )
    assert given.sets == ("--set", "b=2", "--set-string", "a=1", "--set-file", "c={repo}/env/all.yaml")


def test_the_applications_names_expand_in_parameters_and_paths_of_value_files() -> None:
    given = options(
        "valueFiles: ['../env/${ARGOCD_APP_NAMESPACE}/$ARGOCD_APP_NAME.yaml'], ignoreMissingValueFiles: true"
    )
    assert given.values == ()
    given = options("parameters: [{name: a, value: '$ARGOCD_APP_NAME/${ARGOCD_APP_SOURCE_PATH}/$NONE$$'}]")
    assert given.sets == ("--set", "a=web/web/$")
    assert expanded("a$ b${X}c", {"X": "1"}) == "a$ b1c"


def test_a_leading_slash_is_the_repositorys_root_and_globs_expand_sorted() -> None:
    assert options("valueFiles: [/env/all.yaml]").values == ("env/all.yaml",)
    assert options("valueFiles: ['../env/*.yaml', prod.yaml]").values == (
        "env/all.yaml",
        "env/eu.yaml",
        "web/prod.yaml",
    )
    assert problems(FILES, application("path: web, helm: {valueFiles: [../../x.yaml]}")) == [
        ("error", "outside-repository")
    ]


def test_a_missing_value_file_is_left_for_helm_to_miss_unless_it_is_ignored_and_may_come_later() -> None:
    assert options("valueFiles: [none.yaml]").values == ("web/none.yaml",)
    _, found = expand(FILES, application("path: web, helm: {valueFiles: [none.yaml], ignoreMissingValueFiles: true}"))
    target = found.targets[0]
    assert target.parts[0].helm is not None and target.parts[0].helm.values == ()
    assert target.reads is not None and "web/none.yaml" in target.reads


def test_a_ref_works_only_as_the_first_segment() -> None:
    helm = "path: web, helm: {valueFiles: [x/$values/prod.yaml]}"
    _, found = expand(FILES, application(helm))
    assert found.targets[0].parts[0].helm is not None
    assert found.targets[0].parts[0].helm.values == ("web/x/prod.yaml",)


def test_value_files_from_elsewhere_are_not_seen() -> None:
    assert problems(FILES, application("path: web, helm: {valueFiles: ['https://example.com/values.yaml']}")) == [
        ("warning", "not-seen")
    ]


def test_versions_that_templates_ask_for_are_passed_on() -> None:
    given = options("kubeVersion: '1.30', apiVersions: [monitoring.coreos.com/v1, v1/Pod]")
    assert given.sets == (
        *("--kube-version", "1.30", "--api-versions", "monitoring.coreos.com/v1"),
        *("--api-versions", "v1/Pod"),
    )


def test_generated_files_of_two_applications_never_meet() -> None:
    one = application("path: web, helm: {values: 'a: 1'}", name="a-b")
    other = application("path: web, helm: {values: 'a: 2'}", name="b").replace("namespace: argocd", "namespace: a")
    side, found = expand(FILES, f"{one}---\n{other}")
    paths = [t.parts[0].helm.values[0] for t in found.targets if t.parts[0].helm]
    assert [side.graft.read(p) for p in paths] == [b"a: 1", b"a: 2"]
    assert HERE in one


DEPENDENT = {
    "web/Chart.yaml": CHART
    + "dependencies: [{name: db, version: ^1.0.0, repository: https://charts.example.com/all}, "
    + "{name: own, version: 1.0.0, repository: https://charts.example.com/all}]\n",
    "web/charts/own-1.0.0.tgz": "",
}
LOCK = {"web/Chart.lock": "dependencies: [{name: db, version: 1.2.3, repository: https://charts.example.com/all}]\n"}


@pytest.mark.parametrize(("lock", "version", "folder"), [(LOCK, "1.2.3", "db-1.2.3"), ({}, "^1.0.0", "db-all")])
def test_a_dependency_that_is_not_vendored_is_fetched_in_the_version_of_the_lock(
    lock: dict[str, str], version: str, folder: str
) -> None:
    remotes = Remotes({"https://charts.example.com/all": {"Chart.yaml": "name: db\n", "templates/a.yaml": ""}})
    side, found = expand(DEPENDENT | lock, application("path: web"), remotes=remotes)
    (target,) = found.targets
    (part,) = target.parts
    assert remotes.asked == [chart(RemoteKind.HELM, "https://charts.example.com/all", "db", version)]
    assert (target.path, part.path) == ("web", "web~with-dependencies")
    assert part.reads is not None and f"{part.path}/charts/{folder}/templates/a.yaml" in part.reads
    assert target.reads is not None and "web/Chart.yaml" in target.reads
    assert side.graft.read(f"{part.path}/charts/{folder}/Chart.yaml") == b"name: db\n"


def test_a_dependency_that_can_not_be_fetched_is_not_seen_at_the_charts_own_file() -> None:
    _, found = expand(DEPENDENT, application("path: web"))
    assert [(f.rule, f.path) for f in found.findings] == [("not-seen", "web/Chart.yaml")]
    assert [t.parts for t in found.targets] == [()]


def test_two_applications_share_the_copy_of_a_chart() -> None:
    remotes = Remotes({"https://charts.example.com/all": {"Chart.yaml": "name: db\n"}})
    text = f"{application('path: web')}---\n{application('path: web', name='other')}"
    _, found = expand(DEPENDENT, text, remotes=remotes)
    assert {t.parts[0].path for t in found.targets} == {"web~with-dependencies"}


def test_what_is_generated_for_others_is_neither_found_nor_to_be_named() -> None:
    first = application("path: web, helm: {values: 'a: 1'}", name="first")
    second = application("path: web, helm: {valueFiles: ['/**/values.yaml']}")
    _, found = expand(FILES, f"{first}---\n{second}")
    assert found.targets[1].parts[0].helm is not None
    assert found.targets[1].parts[0].helm.values == ("web/values.yaml",)
    third = application("path: web, helm: {valueFiles: [/.~argocd-first/0/values.yaml]}", name="third")
    assert problems(FILES, f"{first}---\n{third}") == [("error", "outside-repository")]


def test_globs_find_value_files_of_another_repository_too() -> None:
    other = "https://github.com/acme/values"
    text = application("path: web").replace(
        f"source: {{repoURL: {HERE}, path: web}}",
        f"sources: [{{repoURL: {other}, ref: v, targetRevision: v1}}, "
        f"{{repoURL: {HERE}, path: web, helm: {{valueFiles: ['$v/env/*.yaml']}}}}]",
    )
    _, part = only_part(FILES, text, remotes=Remotes({other: {"env/b.yaml": "", "env/a.yaml": ""}}))
    assert part.helm is not None
    assert part.helm.values == (".~remote/values/env/a.yaml", ".~remote/values/env/b.yaml")


def test_a_value_file_that_is_named_by_itself_keeps_its_place_among_what_a_glob_finds() -> None:
    files = FILES | {f"web/env/{name}.yaml": "a: 1\n" for name in "abc"}
    _, part = only_part(files, application("path: web, helm: {valueFiles: ['env/*.yaml', env/a.yaml]}"))
    assert part.helm is not None and part.helm.values == ("web/env/b.yaml", "web/env/c.yaml", "web/env/a.yaml")
    only_named = application("path: web, helm: {valueFiles: ['env/a*.yaml', env/a.yaml]}")
    _, part = only_part(files, only_named)
    assert part.helm is not None and part.helm.values == ("web/env/a.yaml",)


def test_a_value_file_that_is_a_link_out_of_the_repository_is_an_error_though_missing_ones_are_ignored() -> None:
    files = FILES | {"web/out.yaml": "link:../../secret.yaml"}
    out = application("path: web, helm: {valueFiles: [out.yaml], ignoreMissingValueFiles: true}")
    assert problems(files, out) == [("error", "link-leaves")]


def test_file_parameters_may_come_from_a_ref() -> None:
    sources = (
        "  sources:\n"
        f"  - {{repoURL: {HERE}, path: web, helm: {{fileParameters: [{{name: a, path: $v/files/a.txt}}]}}}}\n"
        f"  - {{repoURL: {HERE}, ref: v}}\n"
    )
    _, part = only_part(FILES | {"files/a.txt": "a"}, application("path: web", spec=sources))
    assert part.helm is not None and part.helm.sets == ("--set-file", "a={repo}/files/a.txt")
    assert "files/a.txt" in (part.reads or ())
