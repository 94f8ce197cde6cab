"""How far a delivery tool is with a commit, from the status of its object. Pure: objects in, one state out.

Read from what the tools document of their status: Argo CD's Application, Flux's Kustomization and HelmRelease.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from review_bot.cluster.matching import REVISION, Match
from review_bot.core.lenient import mapping, rows
from review_bot.core.model import Manifest

Contains = Callable[[str], bool]
# `main@sha1:…`, the older `main/…`, a plain commit, and a chart's version with its build part.
_COMMIT = re.compile(r"(?:^|[:/+])([0-9a-f]{7,64})(?:\.\d+)?\Z")
MOST_CAUSES = 5
# Flux says so while something else has to come first.
_NOT_YET = ("DependencyNotReady", "ArtifactFailed", "SourceNotReady")


class Phase(StrEnum):
    WAITING = "waiting"
    ROLLING = "rolling"
    HEALTHY = "healthy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One object of a delivery tool. `says` ends a sentence that begins with its name; `causes` are more in detail.

    `since`: when it came to this phase, in ISO 8601; "" where the tool does not tell.
    """

    kind: str
    namespace: str
    name: str
    phase: Phase
    says: str
    since: str = ""
    causes: tuple[str, ...] = ()


def commit_of(revision: object) -> str:
    """The commit in a revision as Argo CD or Flux writes it, "" if there is none. A chart's version has a short one."""
    found = _COMMIT.search(revision) if isinstance(revision, str) else None
    return found.group(1) if found else ""


def of(match: Match, contains: Contains) -> Delivery:
    """The state of what deploys a folder. `contains`: does a commit have the merge?"""
    manifest = match.manifest
    metadata = mapping(manifest, "metadata")
    kind = str(manifest.get("kind"))
    judge = {"Application": _application, "HelmRelease": _helm_release}.get(kind, _kustomization)
    phase, says, since, causes = judge(match, contains)
    return Delivery(kind, str(metadata.get("namespace")), str(metadata.get("name")), phase, says, since, causes)


Judged = tuple[Phase, str, str, tuple[str, ...]]


def _application(match: Match, contains: Contains) -> Judged:
    manifest, source = match.manifest, match.source
    status = mapping(manifest, "status")
    sync, health, operation = mapping(status, "sync"), mapping(status, "health"), mapping(status, "operationState")
    result = mapping(operation, "syncResult") or mapping(operation, "operation", "sync")
    at, tried = (contains(commit_of(_revision(part, source))) for part in (sync, result))
    phase = operation.get("phase")
    if tried and phase in ("Failed", "Error"):
        return Phase.FAILED, f"failed to sync: {operation.get('message')}", "", tuple(_unsynced(result))
    if not at:
        errors = [c for c in rows(status, "conditions") if str(c.get("type")).endswith("Error")]
        if errors:
            return Phase.FAILED, f"has an error: {errors[0].get('message')}", "", ()
        return Phase.WAITING, "has not seen this merge yet", "", ()
    if phase in ("Running", "Terminating"):
        return Phase.ROLLING, "is syncing", "", ()
    if sync.get("status") != "Synced":
        by_hand = not isinstance(mapping(manifest, "spec", "syncPolicy").get("automated"), Mapping)
        waits = "waits for somebody to sync it" if by_hand else "is not synced yet"
        return Phase.WAITING, waits, "", ()
    word = str(health.get("status") or "Unknown")
    if word == "Healthy":
        times = (operation.get("finishedAt"), health.get("lastTransitionTime"))
        return Phase.HEALTHY, "is synced and healthy", max(str(t or "") for t in times), ()
    if word in ("Degraded", "Missing"):
        detail = f": {health['message']}" if health.get("message") else ""
        return Phase.FAILED, f"is synced and {word.lower()}{detail}", "", tuple(_unhealthy(status))
    return Phase.ROLLING, f"is synced, its health is {word.lower()}", "", ()


def _kustomization(match: Match, contains: Contains) -> Judged:
    status = mapping(match.manifest, "status")
    applied, tried = (contains(_commit_at(status, word, match.artifact)) for word in ("Applied", "Attempted"))
    return _flux(match.manifest, applied, tried or applied)


def _commit_at(status: Mapping[str, Any], word: str, artifact: Manifest | None) -> str:
    """The commit of the last applied or attempted revision; an artifact's revision is its digest, which tells none."""
    told = status.get(f"last{word}Revision")
    if artifact is None:
        return commit_of(told)
    if origin := status.get(f"last{word}OriginRevision"):
        return commit_of(origin)
    now = mapping(artifact, "status", "artifact")
    return commit_of(mapping(now, "metadata").get(REVISION)) if told and told == now.get("revision") else ""


def _helm_release(match: Match, contains: Contains) -> Judged:
    manifest = match.manifest
    status = mapping(manifest, "status")
    if match.artifact is not None:
        return _chart_of_artifact(match, match.artifact, contains)
    version = str(status.get("lastAttemptedRevision") or "")
    if version and not commit_of(version.rpartition("+")[2] if "+" in version else ""):
        return Phase.WAITING, "does not tell its commit: set reconcileStrategy: Revision on its chart", "", ()
    at = contains(commit_of(version))
    return _flux(manifest, at, at)


def _chart_of_artifact(match: Match, artifact: Manifest, contains: Contains) -> Judged:
    now = mapping(artifact, "status", "artifact")
    commit = commit_of(mapping(now, "metadata").get(REVISION))
    if not commit:
        return Phase.WAITING, f"does not tell its commit: push its artifact with the annotation {REVISION}", "", ()
    digest = mapping(match.manifest, "status").get("lastAttemptedRevisionDigest")
    at = bool(digest) and str(now.get("revision")).endswith(f"@{digest}") and contains(commit)
    return _flux(match.manifest, at, at)


def _flux(manifest: Manifest, applied: bool, tried: bool) -> Judged:
    status, spec = mapping(manifest, "status"), mapping(manifest, "spec")
    ready = next((c for c in rows(status, "conditions") if c.get("type") == "Ready"), {})
    state, message = ready.get("status"), str(ready.get("message") or ready.get("reason") or "no reason given")
    # What the conditions say is about an older object until the controller has seen this one.
    seen = status.get("observedGeneration") == mapping(manifest, "metadata").get("generation")
    if tried and seen and state == "False" and ready.get("reason") not in _NOT_YET:
        return Phase.FAILED, f"failed: {message}", "", ()
    if applied and seen and state == "True":
        return Phase.HEALTHY, "is ready", str(ready.get("lastTransitionTime") or ""), ()
    if spec.get("suspend") is True:
        return Phase.WAITING, "is suspended", "", ()
    if applied or tried:
        return Phase.ROLLING, "is rolling it out", "", ()
    return Phase.WAITING, "has not seen this merge yet", "", ()


def _revision(part: Mapping[str, Any], source: int) -> object:
    many = part.get("revisions")
    if isinstance(many, list) and many:
        return many[source] if source < len(many) else ""
    return part.get("revision")


def _unsynced(result: Mapping[str, Any]) -> Iterator[str]:
    bad = [r for r in rows(result, "resources") if r.get("status") == "SyncFailed" or r.get("hookPhase") == "Failed"]
    for row in bad[:MOST_CAUSES]:
        yield f"{row.get('kind')} {row.get('name')}: {row.get('message')}"


def _unhealthy(status: Mapping[str, Any]) -> Iterator[str]:
    bad = [r for r in rows(status, "resources") if mapping(r, "health").get("status") in ("Degraded", "Missing")]
    for row in bad[:MOST_CAUSES]:
        health = mapping(row, "health")
        yield f"{row.get('kind')} {row.get('name')}: {health.get('message') or str(health.get('status')).lower()}"
