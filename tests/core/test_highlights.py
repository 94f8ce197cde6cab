"""What an approver reads first."""

from __future__ import annotations

from typing import Any

import pytest

from review_bot.core.diff import compare
from review_bot.core.highlights import highlights
from review_bot.core.model import Conclusion, RendererName, Resource, ResourceId, Source, Target
from review_bot.core.outcome import TargetResult, Verdict
from review_bot.core.versions.moves import by_change, together


def deployment(image: str, replicas: int = 2) -> dict[str, Any]:
    pod = {"spec": {"containers": [{"name": "web", "image": image}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": replicas, "template": pod},
    }


def resource(manifest: dict[str, Any]) -> Resource:
    id = ResourceId(manifest["apiVersion"], manifest["kind"], None, manifest["metadata"]["name"])
    return Resource(id, manifest, Source("a.yaml"))


def said(before: list[dict[str, Any]], after: list[dict[str, Any]], *environments: str) -> list[str]:
    targets, changes = [], []
    for environment in environments or ("production",):
        target = Target(f"plain:{environment}", RendererName.PLAIN, environment, "a.yaml", environment=environment)
        targets.append(TargetResult(target, "changed", 0, 0, 0))
        changes += compare(target.id, [resource(m) for m in before], [resource(m) for m in after])
    versions = together(by_change(changes), changes, {t.target.id: t.target for t in targets})
    rest: Any = (Conclusion.SUCCESS, "sha256:x", 1, tuple(targets), tuple(changes), (), {})
    verdict = Verdict("b", "b", "h", *rest, versions=versions)
    return [f"{h.subject} {h.what} in {', '.join(h.where)}" for h in highlights(verdict)]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("r.example.com:5000/a/web:1.4.2", "r.example.com:5000/a/web:1.4.3", "web 1.4.2 → 1.4.3 (patch)"),
        ("web:v1.4.2", "web:v1.5.0", "web v1.4.2 → v1.5.0 (minor)"),
        ("web:1.4.2", "web:2.0.0", "web 1.4.2 → 2.0.0 (major)"),
        ("web:1.5.0", "web:1.4.9", "web 1.5.0 → 1.4.9 (downgrade)"),
        ("web:1.5.0", "web:latest", "web 1.5.0 → latest"),
        ("web", "web:1.0.0", "web (no tag) → 1.0.0"),
    ],
)
def test_a_moved_image_names_its_step(old: str, new: str, what: str) -> None:
    assert said([deployment(old)], [deployment(new)]) == [f"{what} in production"]


def test_the_same_move_in_two_environments_is_said_once() -> None:
    moves = said([deployment("web:1.0.0")], [deployment("web:1.0.1")], "staging", "production")
    assert moves == ["web 1.0.0 → 1.0.1 (patch) in staging, production"]


def test_replicas_and_new_rights_follow_versions() -> None:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "debug"},
    }
    moves = said([deployment("web:1.0.0", 4)], [deployment("web:1.0.1", 2), binding])
    assert moves == [
        "web 1.0.0 → 1.0.1 (patch) in production",
        "web replicas 4 → 2 in production",
        "debug new ClusterRoleBinding in production",
    ]
