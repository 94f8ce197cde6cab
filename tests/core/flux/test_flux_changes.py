"""What a change of Flux's objects means, as `review-bot check` says it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import repositories
from deployed import CHART, CONFIG_MAP, git_repository, kustomization, release

HERE = "clusters/here/apps.yaml"
TOP = {"clusters/here/source.yaml": git_repository()}
APP = {
    **TOP,
    HERE: kustomization("apps"),
    "apps/a.yaml": CONFIG_MAP,
    "apps/b.yaml": CONFIG_MAP.replace("settings", "b"),
}
RELEASE = {**TOP, **CHART, HERE: release()}


def verdict(root: Path, base: Mapping[str, str], head: Mapping[str, str | None]) -> dict[str, Any]:
    return repositories.check(repositories.make(root / "repository", base, head))[1]


def said(verdict: Mapping[str, Any]) -> dict[str, str]:
    return {f["rule"]: f["message"] for f in verdict["findings"]}


def counted(verdict: Mapping[str, Any]) -> dict[str, tuple[int, int, int]]:
    return {t["id"]: tuple(t["summary"][k] for k in ("create", "update", "delete")) for t in verdict["targets"]}


def test_nothing_rolls_out_of_what_is_suspended(tmp_path: Path) -> None:
    base = {**APP, HERE: kustomization("apps", "suspend: true")}
    found = verdict(tmp_path, base, {"apps/a.yaml": CONFIG_MAP.replace("value", "other")})
    assert counted(found) == {"flux:apps": (0, 1, 0)}
    assert "nothing of this rolls out" in said(found)["suspended"]


def test_without_prune_removed_objects_are_orphaned(tmp_path: Path) -> None:
    base = {**APP, HERE: kustomization("apps", "prune: false")}
    found = verdict(tmp_path, base, {"apps/b.yaml": None})
    assert said(found)["orphaned"].endswith("prune is off: ConfigMap b stay in the cluster")
    assert "orphaned" not in said(verdict(tmp_path / "pruned", APP, {"apps/b.yaml": None}))


def marked(key: str, value: str, place: str = "annotations") -> str:
    mark = f"{{name: settings, {place}: {{kustomize.toolkit.fluxcd.io/{key}: {value}}}}}"
    return CONFIG_MAP.replace("{name: settings}", mark)


@pytest.mark.parametrize("text", [marked("prune", "disabled"), marked("reconcile", "Disabled", "labels")])
def test_an_object_may_be_marked_to_stay(tmp_path: Path, text: str) -> None:
    found = verdict(tmp_path, {**APP, "apps/a.yaml": text}, {"apps/a.yaml": None})
    assert "ConfigMap settings stay in the cluster, since they are marked" in said(found)["orphaned"]


def test_an_object_of_a_chart_may_be_marked_to_stay(tmp_path: Path) -> None:
    kept = CONFIG_MAP.replace("{name: settings}", '{name: kept, annotations: {"helm.sh/resource-policy": keep}}')
    found = verdict(
        tmp_path,
        {**RELEASE, "charts/web/templates/kept.yaml": kept},
        {"charts/web/templates/kept.yaml": None, **VERSION},
    )
    assert "ConfigMap kept stay in the cluster" in said(found)["orphaned"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (marked("reconcile", "disabled"), True),
        (marked("ssa", "Ignore"), True),
        (marked("ssa", "IfNotPresent"), True),
        (marked("ssa", "Merge"), False),
    ],
)
def test_an_object_may_be_marked_not_to_be_applied(tmp_path: Path, text: str, told: bool) -> None:
    found = verdict(tmp_path, {**APP, "apps/a.yaml": text}, {"apps/a.yaml": text.replace("value", "other")})
    assert counted(found) == {"flux:apps": (0, 1, 0)}
    assert ("not-applied" in said(found)) is told


def test_what_is_applied_only_where_it_is_missing_is_applied_when_it_is_new(tmp_path: Path) -> None:
    found = verdict(tmp_path, APP, {"apps/c.yaml": marked("ssa", "IfNotPresent").replace("settings", "c")})
    assert "not-applied" not in said(found)


@pytest.mark.parametrize(
    ("spec", "orphaned"),
    [("prune: false", True), ("prune: true", False), ("prune: true\ndeletionPolicy: Orphan", True)],
)
def test_what_a_kustomization_that_goes_leaves_behind(tmp_path: Path, spec: str, orphaned: bool) -> None:
    base = {**APP, HERE: kustomization("apps", spec), "clusters/here/b.yaml": kustomization("apps", name="b")}
    assert ("orphaned" in said(verdict(tmp_path, base, {HERE: None}))) is orphaned


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("releaseName: other", "its release name (web → other) changed"),
        (
            "targetNamespace: there",
            "its release name (web → there-web) and its target namespace (apps → there) changed",
        ),
        ("storageNamespace: there", "its storage namespace (apps → there) changed"),
    ],
)
def test_another_name_or_namespace_is_another_release(tmp_path: Path, spec: str, words: str) -> None:
    found = verdict(tmp_path, RELEASE, {HERE: release(spec)})
    assert f"{words}: Helm uninstalls the release and installs it anew" in said(found)["reinstalled"]


NEW_NAME = CHART["charts/web/Chart.yaml"].replace("name: web", "name: other")


@pytest.mark.parametrize(("spec", "told"), [("", True), ("upgrade: {chartNameChangeStrategy: InPlaceUpdate}", False)])
def test_another_chart_is_another_release_unless_the_upgrade_says_so(tmp_path: Path, spec: str, told: bool) -> None:
    found = said(verdict(tmp_path, {**RELEASE, HERE: release(spec)}, {"charts/web/Chart.yaml": NEW_NAME}))
    assert ("the name of its chart (web → other) changed" in found.get("reinstalled", "")) is told


VALUES = {"charts/web/values.yaml": "replicas: 2\nimage: {name: web, tag: '1.0'}\n"}
VERSION = {"charts/web/Chart.yaml": CHART["charts/web/Chart.yaml"].replace("1.2.3", "1.2.4")}
REVISION = """\
chart:
  spec:
    chart: charts/web
    reconcileStrategy: %s
    sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}
"""


@pytest.mark.parametrize(
    ("base", "head", "told"),
    [
        ("", VALUES, True),
        ("", {**VALUES, **VERSION}, False),
        (REVISION % "ChartVersion", VALUES, True),
        (REVISION % "Revision", VALUES, False),
        ("", {**VALUES, HERE: release(REVISION % "Revision")}, False),
        ("", {HERE: release("values: {replicas: 2}")}, False),
    ],
)
def test_a_chart_of_a_folder_rolls_out_with_another_version_only(
    tmp_path: Path, base: str, head: dict[str, str], told: bool
) -> None:
    found = verdict(tmp_path, {**RELEASE, HERE: release(base)}, head)
    assert counted(found)["helmrelease:apps/web"] == (0, 1, 0)
    assert ("same-chart-version" in said(found)) is told


CRD = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.example.com}\n"


CHANGED = {"charts/web/crds/a.yaml": CRD + "spec: {group: example.com}\n"}
ADDED = {"charts/web/crds/b.yaml": CRD.replace("a.example", "b.example")}
GONE: dict[str, str | None] = {"charts/web/crds/a.yaml": None}


@pytest.mark.parametrize(
    ("policy", "head", "rules"),
    [
        ("", CHANGED, {"crds-not-upgraded"}),
        ("", ADDED, {"crds-not-upgraded"}),
        ("Create", CHANGED, {"crds-not-upgraded"}),
        ("Create", ADDED, set()),
        ("CreateReplace", {**CHANGED, **ADDED}, set()),
        ("CreateReplace", GONE, {"orphaned"}),
    ],
)
def test_definitions_of_a_chart_roll_out_on_upgrade_only_as_its_policy_says(
    tmp_path: Path, policy: str, head: Mapping[str, str | None], rules: set[str]
) -> None:
    spec = f"upgrade: {{crds: {policy}}}" if policy else ""
    found = said(verdict(tmp_path, {**RELEASE, HERE: release(spec), "charts/web/crds/a.yaml": CRD}, head))
    assert found.keys() & {"crds-not-upgraded", "orphaned"} == rules


def test_a_change_of_values_is_one_of_the_objects_of_the_chart(tmp_path: Path) -> None:
    found = verdict(tmp_path, RELEASE, {HERE: release("values: {replicas: 3}")})
    assert counted(found)["helmrelease:apps/web"] == (0, 1, 0)
    assert said(found).keys() <= {"schema-unknown-kind"}


def test_a_release_that_is_not_seen_is_told_of_when_it_changes(tmp_path: Path) -> None:
    far = "chart: {spec: {chart: web, version: '1.x', sourceRef: {kind: HelmRepository, name: gone}}}\n"
    other = {"clusters/here/b.yaml": release(far, "b")}
    found = verdict(tmp_path, {**RELEASE, **other}, {"clusters/here/b.yaml": release(far + "values: {a: 1}", "b")})
    assert "helmrelease:apps/b" in counted(found)
    assert "its effect is not seen" in said(found)["not-seen"]


def test_a_new_file_in_a_folder_without_a_kustomization_is_seen(tmp_path: Path) -> None:
    found = verdict(tmp_path, APP, {"apps/deep/c.yaml": CONFIG_MAP.replace("settings", "c")})
    assert counted(found) == {"flux:apps": (1, 0, 0)}


def test_a_variable_is_seen_where_it_is_used(tmp_path: Path) -> None:
    variables = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars, namespace: flux-system}\ndata: {key: one}\n"
    base = {
        **APP,
        HERE: kustomization("apps", "postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}"),
        "clusters/here/vars.yaml": variables,
        "apps/a.yaml": CONFIG_MAP.replace("value", "'${key}'"),
    }
    found = verdict(tmp_path, base, {"clusters/here/vars.yaml": variables.replace("one", "two")})
    assert counted(found)["flux:apps"] == (0, 1, 0)
