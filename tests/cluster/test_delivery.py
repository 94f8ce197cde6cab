"""How far Argo CD and Flux are with a commit, as a table of statuses."""

from __future__ import annotations

from typing import Any

import pytest

from review_bot.cluster import delivery
from review_bot.cluster.delivery import Phase, commit_of
from review_bot.cluster.matching import Match, Origin

OLD, NEW, LATER = "1" * 40, "2" * 40, "3" * 40
ORIGIN = Origin("https://github.com/org/config", "main", True, "apps/web")


def contains(commit: str) -> bool:
    return bool(commit) and any(full.startswith(commit) for full in (NEW, LATER))


def application(status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    source = {"repoURL": ORIGIN.repository, "path": "apps/web"}
    spec = {"source": source, "syncPolicy": {"automated": {}}, **spec}
    return {"kind": "Application", "metadata": {"namespace": "argocd", "name": "web"}, "spec": spec, "status": status}


def synced(revision: str, health: str = "Healthy", **more: Any) -> dict[str, Any]:
    return {"sync": {"status": "Synced", "revision": revision}, "health": {"status": health}, **more}


def operation(phase: str, revision: str, message: str = "", **more: Any) -> dict[str, Any]:
    result = {"revision": revision, **more}
    return {"phase": phase, "message": message, "finishedAt": "2026-11-20T10:02:14Z", "syncResult": result}


OUT = {"sync": {"status": "OutOfSync", "revision": NEW}, "health": {"status": "Healthy"}}
ARGO = [
    ({}, Phase.WAITING, "has not seen this merge yet"),
    (synced(OLD), Phase.WAITING, "has not seen this merge yet"),
    (synced(NEW), Phase.HEALTHY, "is synced and healthy"),
    (synced(LATER), Phase.HEALTHY, "is synced and healthy"),
    (synced(NEW, "Progressing"), Phase.ROLLING, "is synced, its health is progressing"),
    (synced(NEW, "Suspended"), Phase.ROLLING, "is synced, its health is suspended"),
    (synced(NEW, "Degraded"), Phase.FAILED, "is synced and degraded"),
    (synced(NEW, operationState=operation("Running", NEW)), Phase.ROLLING, "is syncing"),
    (synced(NEW, operationState=operation("Succeeded", NEW)), Phase.HEALTHY, "is synced and healthy"),
    (synced(OLD, operationState=operation("Failed", OLD, "no")), Phase.WAITING, "has not seen this merge yet"),
    ({**OUT, "operationState": operation("Failed", NEW, "denied")}, Phase.FAILED, "failed to sync: denied"),
    ({**OUT, "operationState": operation("Succeeded", OLD)}, Phase.WAITING, "is not synced yet"),
    (
        {"sync": {"status": "Unknown"}, "conditions": [{"type": "ComparisonError", "message": "can't render"}]},
        Phase.FAILED,
        "has an error: can't render",
    ),
    ({"sync": "nonsense", "health": [], "conditions": {}}, Phase.WAITING, "has not seen this merge yet"),
]


@pytest.mark.parametrize(("status", "phase", "says"), ARGO)
def test_an_application(status: dict[str, Any], phase: Phase, says: str) -> None:
    found = delivery.of(Match(application(status)), contains)
    assert (found.phase, found.says) == (phase, says)


def test_an_application_tells_since_when_it_is_healthy_and_what_is_not() -> None:
    health = {"status": "Healthy", "lastTransitionTime": "2026-11-20T10:02:40Z"}
    status = {**synced(NEW, operationState=operation("Succeeded", NEW)), "health": health}
    assert delivery.of(Match(application(status)), contains).since == "2026-11-20T10:02:40Z"
    bad = {"kind": "Deployment", "name": "web", "health": {"status": "Degraded", "message": "no progress"}}
    found = delivery.of(Match(application(synced(NEW, "Degraded", resources=[bad]))), contains)
    assert found.causes == ("Deployment web: no progress",)
    row = {"kind": "Role", "name": "x", "status": "SyncFailed", "message": "forbidden"}
    failed = operation("Failed", NEW, "one or more objects failed", resources=[row])
    assert delivery.of(Match(application({**OUT, "operationState": failed})), contains).causes == ("Role x: forbidden",)


def test_an_application_that_is_synced_by_hand_says_so() -> None:
    assert delivery.of(Match(application(OUT, syncPolicy={})), contains).says == "waits for somebody to sync it"


def test_of_many_sources_the_one_counts_that_deploys_the_folder() -> None:
    status = {"sync": {"status": "Synced", "revisions": ["5.1.0", NEW]}, "health": {"status": "Healthy"}}
    assert delivery.of(Match(application(status), 1), contains).phase is Phase.HEALTHY
    assert delivery.of(Match(application(status)), contains).phase is Phase.WAITING


def flux(kind: str, state: str, reason: str = "x", *, generation: int = 2, **more: Any) -> dict[str, Any]:
    ready = {"type": "Ready", "status": state, "reason": reason, "message": "m", "lastTransitionTime": "2026"}
    return {
        "kind": kind,
        "metadata": {"namespace": "flux-system", "name": "web", "generation": 2},
        "spec": more.pop("spec", {}),
        "status": {"observedGeneration": generation, "conditions": [ready], **more},
    }


def revision(commit: str) -> str:
    return f"main@sha1:{commit}"


BOTH = {"lastAppliedRevision": revision(NEW), "lastAttemptedRevision": revision(NEW)}
TRIED = {"lastAppliedRevision": revision(OLD), "lastAttemptedRevision": revision(NEW)}
FLUX = [
    (flux("Kustomization", "True", **BOTH), Phase.HEALTHY, "is ready"),
    (flux("Kustomization", "True", generation=1, **BOTH), Phase.ROLLING, "is rolling it out"),
    (flux("Kustomization", "Unknown", **TRIED), Phase.ROLLING, "is rolling it out"),
    (flux("Kustomization", "False", "HealthCheckFailed", **TRIED), Phase.FAILED, "failed: m"),
    (flux("Kustomization", "False", "DependencyNotReady", **TRIED), Phase.ROLLING, "is rolling it out"),
    (flux("Kustomization", "True", lastAppliedRevision=f"main/{LATER}"), Phase.HEALTHY, "is ready"),
    (flux("Kustomization", "True", lastAppliedRevision=revision(OLD)), Phase.WAITING, "has not seen this merge yet"),
    (flux("Kustomization", "True", spec={"suspend": True}), Phase.WAITING, "is suspended"),
    (flux("HelmRelease", "True", lastAttemptedRevision=f"1.2.3+{NEW[:12]}"), Phase.HEALTHY, "is ready"),
    (flux("HelmRelease", "True", lastAttemptedRevision=f"1.2.3+{NEW[:12]}.1"), Phase.HEALTHY, "is ready"),
    (flux("HelmRelease", "False", lastAttemptedRevision=f"1.2.3+{NEW[:12]}"), Phase.FAILED, "failed: m"),
    (flux("HelmRelease", "True", lastAttemptedRevision=f"1.2.3+{OLD[:12]}"), Phase.WAITING, None),
    (
        flux("HelmRelease", "True", lastAttemptedRevision="1.2.3"),
        Phase.WAITING,
        "does not tell its commit: set reconcileStrategy: Revision on its chart",
    ),
    (flux("HelmRelease", "True"), Phase.WAITING, None),
]


@pytest.mark.parametrize(("manifest", "phase", "says"), FLUX)
def test_a_kustomization_or_helm_release(manifest: dict[str, Any], phase: Phase, says: str | None) -> None:
    found = delivery.of(Match(manifest), contains)
    assert (found.phase, found.says) == (phase, says or "has not seen this merge yet")


@pytest.mark.parametrize(
    ("text", "commit"),
    [
        (NEW, NEW),
        (f"main@sha1:{NEW}", NEW),
        (f"feature/x/{NEW}", NEW),
        (f"sha256:{'a' * 64}", "a" * 64),
        ("1.2.3+0123456789ab.4", "0123456789ab"),
        ("1.2.3", ""),
        ("main", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_the_commit_in_a_revision(text: object, commit: str) -> None:
    assert commit_of(text) == commit
