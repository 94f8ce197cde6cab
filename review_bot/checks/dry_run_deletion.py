"""Ask a cluster whether it would let an object be deleted, and what keeps it from going at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from review_bot.checks.dry_run_live import NOT_FOUND, Place
from review_bot.checks.dry_run_words import Problem, Rule, problems, warning
from review_bot.cluster.client import ClusterClient
from review_bot.core.groups import is_builtin
from review_bot.core.model import Manifest, ResourceId

# What is said beside an answer, and is no refusal.
REMARKS = frozenset([Rule.WARNING, Rule.FINALIZER])
# Tells which groups the API server passes on to another one.
APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
# Kubernetes' own finalizers end by themselves.
OWN_FINALIZERS = ("kubernetes.io", "k8s.io")
OWN_NAMES = frozenset(["foregroundDeletion", "orphan"])


class Deletions:
    """Tries deletions that are not done; safe to use from many threads."""

    def __init__(self, client: ClusterClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._others: frozenset[str] | None = None

    def ask(self, place: Place, live: Manifest, id: ResourceId) -> tuple[Problem, ...]:
        """What stands in the way of deleting a live object, () if nothing does. Raises ClusterError."""
        if "delete" not in place.served.verbs:
            return (Problem(Rule.INVALID, f"the cluster lets nobody delete a {id.kind}"),)
        if not is_builtin(id.group) and (kept_off := self._kept_off(id.group)) is not None:
            return (kept_off,)
        answer = self._client.dry_run_delete(place.served.path(place.namespace, id.name))
        said = tuple(warning(text) for text in answer.warnings)
        if not answer.fine and answer.status != NOT_FOUND:
            return (*problems(answer.status, answer.body), *said)
        return (*_waiting(live), *said)

    def _kept_off(self, group: str) -> Problem | None:
        """Why a deletion in a group that is not Kubernetes' own must not be tried, None if it may."""
        with self._lock:
            if self._others is None:
                answer = self._client.get(APISERVICES)
                if not answer.fine:
                    return problems(answer.status, answer.body)[0]
                rows = answer.body.get("items")
                self._others = _passed_on(rows if isinstance(rows, list) else [])
        if group not in self._others:
            return None
        message = "is served by another API server, which may take a dry run for a deletion, so it was not asked"
        return Problem(Rule.WARNING, message, help="ask those who run that API server")


def _passed_on(rows: list[Any]) -> frozenset[str]:
    specs = [row.get("spec") for row in rows if isinstance(row, Mapping)]
    return frozenset(str(s.get("group")) for s in specs if isinstance(s, Mapping) and s.get("service"))


def _waiting(live: Manifest) -> tuple[Problem, ...]:
    """Finalizers that others must take away before the object is gone."""
    metadata = live.get("metadata")
    names = metadata.get("finalizers") if isinstance(metadata, Mapping) else None
    others = [str(n) for n in names if not _is_own(str(n))] if isinstance(names, list) else []
    if not others:
        return ()
    message = f"stays until what put a finalizer on it has taken that away: {', '.join(others)}"
    return (Problem(Rule.FINALIZER, message, help="keep that controller running until the object is gone"),)


def _is_own(finalizer: str) -> bool:
    domain = finalizer.partition("/")[0]
    return finalizer in OWN_NAMES or domain.endswith(OWN_FINALIZERS)
