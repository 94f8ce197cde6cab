"""A Flux Kustomization deploys here what kustomize-controller would deploy of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from deployed import CONFIG_MAP, deployed, kustomization

from review_bot.core.model import Severity

HERE = "clusters/here/apps.yaml"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example.com/web:1.0}, {name: side, image: example.com/side:1.0}]}
"""


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a:1}]}\n"


def named(name: str) -> str:
    return CONFIG_MAP.replace("settings", name)


def test_a_folder_without_a_kustomization_gets_one(tmp_path: Path) -> None:
    """A subfolder that has one is taken and not descended into; of the rest every YAML file, and nothing else."""
    found = deployed(
        tmp_path,
        {
            HERE: kustomization("./apps"),
            "apps/a.yaml": named("a"),
            "apps/deep/er/b.yml": named("b"),
            "apps/whole/kustomization.yaml": "namePrefix: whole-\nresources: [c.yaml]\n",
            "apps/whole/c.yaml": named("c"),
            "apps/whole/not-listed.yaml": named("d"),
            "apps/whole/below/kustomization.yaml": "resources: [e.yaml]\n",
            "apps/whole/below/e.yaml": named("e"),
            "apps/json-is-not-looked-at.json": "{}",
            "apps/readme.md": "words",
            "apps/.github/workflow.yaml": "on: push\n",
        },
    )
    assert found.said() == []
    assert found.names("flux:apps") == ["ConfigMap -/a", "ConfigMap -/b", "ConfigMap -/whole-c"]
    assert found.targets["flux:apps"].path == "apps"
    assert {r.source.path for r in found.rendered["flux:apps"].resources} == {
        "apps/a.yaml",
        "apps/deep/er/b.yml",
        "apps/whole/c.yaml",
    }


def test_every_other_yaml_file_must_parse(tmp_path: Path) -> None:
    found = deployed(tmp_path, {HERE: kustomization("./apps"), "apps/a.yaml": named("a"), "apps/values.yaml": "a: 1\n"})
    assert [(f.rule, f.severity, f.target) for f in found.findings] == [("render-failed", Severity.ERROR, "flux:apps")]
    assert "~" not in found.findings[0].message


def test_namespace_prefix_and_suffix_replace_those_of_the_folder(tmp_path: Path) -> None:
    found = deployed(
        tmp_path,
        {
            HERE: kustomization("apps", "targetNamespace: team\nnamePrefix: new-\nnameSuffix: -new"),
            "apps/kustomization.yaml": "namespace: own\nnamePrefix: old-\nnameSuffix: -old\nresources: [a.yaml]\n",
            "apps/a.yaml": named("a"),
        },
    )
    assert found.names("flux:apps") == ["ConfigMap team/new-a-new"]
    assert "apps/kustomization.yaml" in (found.targets["flux:apps"].reads or ())


def test_patches_and_components_are_appended_and_images_merged_by_name(tmp_path: Path) -> None:
    spec = """\
patches:
  - patch: |
      - {op: replace, path: /spec/replicas, value: 5}
    target: {kind: Deployment}
components: [../component]
images:
  - {name: example.com/web, newTag: '2.0'}
"""
    found = deployed(
        tmp_path,
        {
            HERE: kustomization("apps/web", spec),
            "apps/web/kustomization.yaml": """\
resources: [deployment.yaml]
patches: [{patch: '[{"op": "add", "path": "/spec/replicas", "value": 3}]', target: {kind: Deployment}}]
images: [{name: example.com/web, newName: elsewhere, newTag: '1.5'}, {name: example.com/side, newTag: '1.5'}]
""",
            "apps/web/deployment.yaml": DEPLOYMENT,
            "apps/component/kustomization.yaml": (
                "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {by: component}\n"
            ),
        },
    )
    assert found.said() == []
    deployment = found.only("flux:apps", "Deployment")
    assert deployment["spec"]["replicas"] == 5
    assert deployment["metadata"]["annotations"] == {"by": "component"}
    images = [c["image"] for c in deployment["spec"]["template"]["spec"]["containers"]]
    # Field by field: the new name is that of the folder's kustomization.
    assert images == ["elsewhere:2.0", "example.com/side:1.5"]
    assert found.rendered["flux:apps"].resources[0].source.path == "apps/web/deployment.yaml"
    assert HERE in found.rendered["flux:apps"].resources[0].patched_by


def test_a_component_that_is_missing_may_be_ignored(tmp_path: Path) -> None:
    files = {
        HERE: kustomization("apps", "components: [../gone]\nignoreMissingComponents: true"),
        "apps/a.yaml": named("a"),
    }
    assert deployed(tmp_path / "one", files).names("flux:apps") == ["ConfigMap -/a"]
    files[HERE] = kustomization("apps", "components: [https://example.com/x]")
    assert "must be a relative path" in deployed(tmp_path / "two", files).said()[0]


def test_files_above_the_folder_may_be_read(tmp_path: Path) -> None:
    """LoadRestrictionsNone, unlike kustomize's own default."""
    files = {
        HERE: kustomization("apps/web"),
        "apps/web/kustomization.yaml": "resources: [../shared.yaml]\n",
        "apps/shared.yaml": named("shared"),
    }
    assert deployed(tmp_path, files).names("flux:apps") == ["ConfigMap -/shared"]


def test_plugins_are_off(tmp_path: Path) -> None:
    files = {HERE: kustomization("apps"), "apps/kustomization.yaml": "helmCharts: [{name: web, repo: https://a.b}]\n"}
    assert [f.rule for f in deployed(tmp_path, files).findings] == ["helm-in-kustomize"]


def test_common_metadata_wins_over_what_the_objects_say(tmp_path: Path) -> None:
    spec = "commonMetadata: {labels: {team: flux}, annotations: {note: flux}}"
    own = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {team: own, tier: own}}\n"
    metadata = deployed(tmp_path, {HERE: kustomization("apps", spec), "apps/a.yaml": own}).only("flux:apps")["metadata"]
    assert metadata["labels"] == {"team": "flux", "tier": "own"}
    assert metadata["annotations"] == {"note": "flux"}


def test_what_a_parent_patches_into_its_children_counts(tmp_path: Path) -> None:
    """Read from rendered objects and never from what is on disk."""
    parent = kustomization(
        "tenants",
        'patches: [{patch: "- {op: add, path: /spec/targetNamespace, value: patched}", target: {kind: Kustomization}}]',
        "tenants",
    )
    found = deployed(
        tmp_path,
        {HERE: parent, "tenants/child.yaml": kustomization("apps", name="child"), "apps/a.yaml": named("a")},
    )
    assert found.names("flux:child") == ["ConfigMap patched/a"]
    assert found.targets["flux:child"].delivery is not None
    assert found.targets["flux:child"].delivery.parent == "flux:tenants"


@pytest.mark.parametrize(
    ("own", "of_the_object", "becomes"),
    [
        ("newName: b, newTag: '2'", "newName: c", "c:2"),
        ("newName: b, newTag: '2'", "newTag: '3'", "b:3"),
        ("newName: b, newTag: '2'", "digest: 'sha256:aa'", "b@sha256:aa"),
        ("newName: b, digest: 'sha256:aa'", "newTag: '3'", "b:3"),
        ("newTag: '2'", "", "a:2"),
    ],
)
def test_images_merge_by_name_field_by_field_and_tag_and_digest_as_one(
    tmp_path: Path, own: str, of_the_object: str, becomes: str
) -> None:
    files = {
        HERE: kustomization("apps", f"images: [{{name: a, {of_the_object}}}]"),
        "apps/kustomization.yaml": f"resources: [pod.yaml]\nimages: [{{name: a, {own}}}]\n",
        "apps/pod.yaml": POD,
    }
    assert deployed(tmp_path, files).only("flux:apps", "Pod")["spec"]["containers"][0]["image"] == becomes


@pytest.mark.parametrize("content", [{"readme.md": "-"}, {"kustomization.yaml": "# nothing\n"}, {"a.yaml": "---\n"}])
def test_a_folder_without_objects_deploys_nothing(tmp_path: Path, content: dict[str, str]) -> None:
    files = {HERE: kustomization("apps"), **{f"apps/{name}": data for name, data in content.items()}}
    found = deployed(tmp_path, files)
    assert (found.said(), found.names("flux:apps")) == ([], [])


@pytest.mark.parametrize(
    ("path", "cause"), [("./gone", "the folder gone does not exist"), ("../up", "the folder up does not exist")]
)
def test_a_path_that_is_not_there_is_an_error_at_its_line(tmp_path: Path, path: str, cause: str) -> None:
    found = deployed(tmp_path, {HERE: kustomization(path)})
    finding = found.findings[0]
    assert (finding.severity, finding.path, finding.line, finding.target) == (Severity.ERROR, HERE, 5, "flux:apps")
    assert cause in finding.message


def test_dependencies_are_there_and_end(tmp_path: Path) -> None:
    found = deployed(
        tmp_path,
        {
            "clusters/here/a.yaml": kustomization("apps", "dependsOn: [{name: b}]", "a"),
            "clusters/here/b.yaml": kustomization(
                "apps", "dependsOn: [{name: c}, {name: gone, namespace: there}]", "b"
            ),
            "clusters/here/c.yaml": kustomization("apps", "dependsOn: [{name: a}]", "c"),
            "apps/a.yaml": named("a"),
        },
    )
    told = {(f.rule, f.severity, f.target): f.message for f in found.findings}
    assert told.keys() == {
        ("unknown-dependency", Severity.WARNING, "flux:b"),
        ("dependency-cycle", Severity.ERROR, "flux:a"),
    }
    assert "flux-system/a → flux-system/b → flux-system/c → flux-system/a" in " ".join(told.values())


def test_suspend_prune_and_another_cluster_are_told_of_the_target(tmp_path: Path) -> None:
    spec = "suspend: true\nprune: false\nkubeConfig: {secretRef: {name: remote}}"
    delivery = (
        deployed(tmp_path, {HERE: kustomization("apps", spec), "apps/a.yaml": named("a")}).targets["flux:apps"].delivery
    )
    assert delivery is not None
    assert (delivery.suspended, delivery.prune) == (True, False)
    assert delivery.destination == "the cluster of kubeConfig flux-system/remote"


def test_clusters_of_one_repository_have_objects_of_the_same_names(tmp_path: Path) -> None:
    files = {}
    for cluster in ("staging", "production"):
        files[f"clusters/{cluster}/apps.yaml"] = kustomization(f"apps/{cluster}")
        files[f"apps/{cluster}/a.yaml"] = named(cluster)
    found = deployed(tmp_path, files)
    assert found.names("flux:apps@clusters/staging") == ["ConfigMap -/staging"]
    assert found.names("flux:apps@clusters/production") == ["ConfigMap -/production"]


def test_the_whole_repository_may_be_patched(tmp_path: Path) -> None:
    found = deployed(tmp_path, {HERE: kustomization(".", "namePrefix: all-"), "clusters/here/a.yaml": named("a")})
    assert "ConfigMap -/all-a" in found.names("flux:apps")
