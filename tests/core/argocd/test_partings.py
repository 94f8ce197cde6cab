"""What stays in the cluster when an Application goes or moves is said, since Argo CD does not say it."""

from __future__ import annotations

from argo import MAP, application, expand

from review_bot.core.argocd import partings
from review_bot.core.model import PlannedTarget, Severity, Target

KEPT = ", finalizers: [resources-finalizer.argocd.argoproj.io]"
FILES = {"apps/web/map.yaml": MAP}


def target(text: str) -> Target:
    return expand(FILES, text)[1].targets[0]


def rules(base: Target | None, head: Target | None) -> list[tuple[Severity, str]]:
    found = partings([PlannedTarget("argocd:web", "", base, head)])
    return [(f.severity, f.message) for f in found]


def test_an_application_without_a_finalizer_leaves_its_objects() -> None:
    (found,) = rules(target(application("path: apps/web")), None)
    assert found[0] is Severity.NOTICE
    assert found[1].startswith("Application web goes and its objects stay in in-cluster/web")
    assert rules(target(application("path: apps/web", metadata=KEPT)), None) == []


def test_an_application_that_moves_leaves_its_objects_in_the_cluster_that_it_leaves() -> None:
    here = application("path: apps/web", metadata=KEPT)
    there = here.replace("server: https://kubernetes.default.svc", "name: prod")
    (found,) = rules(target(here), target(there))
    assert found == (
        Severity.WARNING,
        "Application web moves from in-cluster/web to prod/web: what it deployed to in-cluster stays there",
    )
    assert rules(target(here), target(here.replace("namespace: web", "namespace: other"))) == []
    assert rules(None, target(here)) == []
