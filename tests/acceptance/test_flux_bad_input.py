"""What is wrong with Flux's objects, told where it stands, and never shown as a deletion of what was there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import repositories
from deployed import CHART, CONFIG_MAP, git_repository, kustomization, release

AT = "clusters/here/apps.yaml"
BASE = {
    "clusters/here/source.yaml": git_repository(),
    AT: kustomization("apps"),
    "apps/a.yaml": CONFIG_MAP,
    "clusters/here/tenants.yaml": kustomization("tenants", name="tenants"),
    "tenants/child.yaml": kustomization("tenant", name="child"),
    "tenant/b.yaml": CONFIG_MAP.replace("settings", "b"),
    "clusters/here/web.yaml": release(),
    **CHART,
}
BY_HAND = (
    "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\n"
)
VALUES = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: v, namespace: apps}\ndata: {values.yaml: 'a: [', k: x}\n"


def from_map(row: str) -> dict[str, str]:
    return {"clusters/here/web.yaml": release(f"valuesFrom: [{row}]"), "clusters/here/v.yaml": VALUES}


@pytest.mark.parametrize(
    ("head", "place", "says"),
    [
        ({AT: kustomization("gone")}, f"{AT}:5", "the folder gone does not exist"),
        ({"apps/a.yaml": None}, f"{AT}:5", "the folder apps does not exist"),
        ({AT: BY_HAND + "spec: {path: apps}\n"}, f"{AT}:4", "it names no source that Flux knows"),
        ({AT: BY_HAND + "spec: words\n"}, f"{AT}:4", "it names no source that Flux knows"),
        ({AT: kustomization("apps", "dependsOn: [{name: apps}]")}, f"{AT}:7", "it waits for itself"),
        ({AT: kustomization("apps", "components: [../gone]")}, f"{AT}:7", "the component ../gone does not exist"),
        ({AT: kustomization("apps", "postBuild: {substitute: {size: 3}}")}, f"{AT}:7", "the variable size is no text"),
        ({"apps/values.yaml": "a: 1\n"}, "apps/values.yaml", "apps/values.yaml holds something that is no object"),
        ({"apps/b.yaml": CONFIG_MAP}, "apps/b.yaml", "and so does another file"),
        ({"apps/b.yaml": "a: [\n"}, "apps/b.yaml:1", "this is not YAML"),
        ({"tenants/bad.yaml": "a: 1\n"}, "tenants/bad.yaml", "holds something that is no object of Kubernetes"),
        ({"charts/web/Chart.yaml": None}, "clusters/here/web.yaml:5", "there is no chart in charts/web"),
        ({"clusters/here/web.yaml": release("values: words")}, "clusters/here/web.yaml:9", "its values are no mapping"),
        (from_map("{kind: ConfigMap, name: v}"), "clusters/here/web.yaml:9", "ConfigMap apps/v: this is not YAML"),
        (from_map("{kind: Thing, name: v}"), "clusters/here/web.yaml:9", "it takes values from the kind Thing"),
        (
            from_map("{kind: ConfigMap, name: v, valuesKey: k, targetPath: 'a[b]'}"),
            "clusters/here/web.yaml:9",
            "the targetPath a[b]: error parsing index",
        ),
    ],
)
def test_it_is_told_at_its_place_and_nothing_is_deleted(
    tmp_path: Path, head: Mapping[str, str | None], place: str, says: str
) -> None:
    status, verdict = repositories.check(repositories.make(tmp_path / "repository", BASE, head))
    assert (status, verdict["conclusion"]) == (1, "failure")
    errors = [f for f in verdict["findings"] if f["severity"] == "error" and says in f["message"]]
    assert [f"{f['path']}:{f['line']}".removesuffix(":None") for f in errors] == [place], verdict["findings"]
    assert errors[0]["help"] and "~" not in errors[0]["message"]
    assert [c for c in verdict["changes"] if c["action"] == "delete"] == []


def test_a_base_that_is_mended_is_shown_as_all_new(tmp_path: Path) -> None:
    broken = {**BASE, "tenants/bad.yaml": "a: 1\n"}
    _, verdict = repositories.check(repositories.make(tmp_path / "repository", broken, {"tenants/bad.yaml": None}))
    assert verdict["conclusion"] == "success"
    assert {(c["action"], c["kind"]) for c in verdict["changes"]} == {
        ("create", "Kustomization"),
        ("create", "ConfigMap"),
    }
    assert "base-not-rendered" in {f["rule"] for f in verdict["findings"]}
