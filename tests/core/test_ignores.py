"""What a delivery tool is told not to look at is no difference; what can't be understood is shown."""

from __future__ import annotations

from typing import Any

import pytest

from review_bot.core.ignores import IgnoreRule, applied, as_ignored, rules_of, sources_of
from review_bot.core.model import ResourceId

WEB = ResourceId("apps/v1", "Deployment", "shop", "web")


def deployment(replicas: int, image: str, sidecar: str = "s:1") -> dict[str, Any]:
    containers = [{"name": "web", "image": image}, {"name": "proxy", "image": sidecar}]
    return {"spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}}}


def rules(**row: Any) -> tuple[IgnoreRule, ...]:
    return rules_of({"spec": {"ignoreDifferences": [{"group": "apps", "kind": "Deployment", **row}]}})


@pytest.mark.parametrize(
    ("row", "left"),
    [
        ({"jsonPointers": ["/spec/replicas"]}, deployment(5, "w:2", "s:2")),
        ({"jqPathExpressions": [".spec.replicas"]}, deployment(5, "w:2", "s:2")),
        ({"jsonPointers": ["/spec/template/spec/containers/0/image"]}, deployment(2, "w:1", "s:2")),
        ({"jqPathExpressions": [".spec.template.spec.containers[].image"]}, deployment(2, "w:1", "s:1")),
        (
            {"jqPathExpressions": ['.spec.template.spec.containers[] | select(.name == "proxy").image']},
            deployment(2, "w:2", "s:1"),
        ),
        ({"jqPathExpressions": [".spec | to_entries[]"]}, deployment(2, "w:2", "s:2")),
        ({"jsonPointers": ["/spec/replicas"], "name": "other"}, deployment(2, "w:2", "s:2")),
        ({"jsonPointers": ["/spec/replicas"], "kind": "StatefulSet"}, deployment(2, "w:2", "s:2")),
        (
            {"jsonPointers": ["/spec/replicas"], "group": "*", "kind": "*", "namespace": "shop"},
            deployment(5, "w:2", "s:2"),
        ),
    ],
)
def test_an_ignored_field_stays_as_it_is_live(row: dict[str, Any], left: dict[str, Any]) -> None:
    live, predicted = deployment(5, "w:1", "s:1"), deployment(2, "w:2", "s:2")
    assert as_ignored(predicted, live, WEB, rules(**row)) == left


def test_a_field_that_only_one_side_has_is_ignored_too() -> None:
    (rule,) = rules(jsonPointers=["/metadata/annotations/a~1b"])
    with_it, without = {"metadata": {"annotations": {"a/b": "1", "c": "2"}}}, {"metadata": {"annotations": {"c": "2"}}}
    assert as_ignored(with_it, without, WEB, [rule]) == without
    assert as_ignored(without, with_it, WEB, [rule]) == with_it


def test_fields_of_a_manager_are_ignored() -> None:
    live = deployment(5, "w:1")
    owned = {
        "manager": "scaler",
        "operation": "Update",
        "time": "2026-01-01T00:00:00Z",
        "fieldsV1": {"f:spec": {"f:replicas": {}}},
    }
    live["metadata"] = {"managedFields": [owned]}
    assert as_ignored(deployment(2, "w:2"), live, WEB, rules(managedFieldsManagers=["scaler"])) == deployment(5, "w:2")


def test_an_application_names_its_folders() -> None:
    assert sources_of({"spec": {"source": {"path": "./apps/web/"}}}) == {"apps/web"}
    several = {"spec": {"source": {"path": "old"}, "sources": [{"path": "a"}, {"chart": "redis"}]}}
    assert sources_of(several) == {"a"}


@pytest.mark.parametrize(
    ("word", "is_live", "expected"),
    [
        ("Ignore", True, False),
        ("Ignore", False, False),
        ("IfNotPresent", True, False),
        ("IfNotPresent", False, True),
        ("Merge", True, True),
    ],
)
def test_flux_s_annotation_decides_whether_an_object_is_applied(word: str, is_live: bool, expected: bool) -> None:
    manifest = {"metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/ssa": word}}}
    assert applied(manifest, {} if is_live else None) is expected
