"""The Tekton objects that one side of a change is known to define, and how a reference finds its own."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from review_bot.core.model import Resource, ResourceId

PIPELINES, TRIGGERS = "tekton.dev", "triggers.tekton.dev"
_TRIGGER_KINDS = "Trigger TriggerBinding ClusterTriggerBinding TriggerTemplate EventListener"
KINDS = {
    PIPELINES: frozenset(["Task", "ClusterTask", "Pipeline", "StepAction", "PipelineRun", "TaskRun"]),
    TRIGGERS: frozenset([*_TRIGGER_KINDS.split(), "ClusterInterceptor", "Interceptor"]),
}
CLUSTER_WIDE = frozenset(["ClusterTask", "ClusterTriggerBinding", "ClusterInterceptor"])

# A guess compares a name with all others.
MOST_GUESSES = 50


def is_tekton(id: ResourceId) -> bool:
    return id.kind in KINDS.get(id.group, ())


@dataclass(frozen=True)
class Found:
    """A definition; `sure` if it is what gets to the cluster, and not a file that a renderer may still change."""

    resource: Resource
    sure: bool


class Catalogue:
    """The definitions of one side."""

    def __init__(
        self,
        rendered: Iterable[tuple[str, Resource]] = (),
        elsewhere: Iterable[Found] = (),
        before: Catalogue | None = None,
    ) -> None:
        """`rendered` comes with the target's id; `elsewhere` are files that no touched target reads.

        `before` is the other side, which knows what was there and is no longer. `missed` gathers the names that were
        asked for and not found.
        """
        self._known: dict[tuple[str, str], list[tuple[str, Found]]] = defaultdict(list)
        self._before = before
        self.missed: set[str] = set()
        self._guesses = 0
        for target, resource in rendered:
            self._add(target, Found(resource, True))
        for found in elsewhere:
            self._add("", found)

    def _add(self, target: str, found: Found) -> None:
        if is_tekton(found.resource.id):
            self._known[found.resource.id.kind, found.resource.id.name].append((target, found))

    def find(self, kind: str, name: str, namespace: str | None, target: str) -> Found | None:
        """What the name means in the namespace, best where the same target defines it; None if it is not seen.

        Where a namespace is not told, the delivery tool gives one: it may be the same.
        """
        known = self._known.get((kind, name), ())
        fitting = [(t, f) for t, f in known if _fits(kind, f.resource.id.namespace, namespace)]
        if not fitting:
            self.missed.add(name)
            return None
        own = [f for t, f in fitting if t == target]
        ranked = sorted(own or [f for _, f in fitting], key=lambda found: not found.sure)
        # Of several that differ (one a cluster, say), nobody can tell which is meant.
        one = all(f.resource.manifest.get("spec") == ranked[0].resource.manifest.get("spec") for f in ranked)
        return ranked[0] if one else Found(ranked[0].resource, False)

    def taken_away(self, kind: str, name: str, namespace: str | None, target: str) -> bool:
        """Was it there before the change?"""
        return self._before is not None and self._before.find(kind, name, namespace, target) is not None

    def like(self, kind: str, name: str) -> str | None:
        """A name of the kind that may have been meant."""
        self._guesses += 1
        if self._guesses > MOST_GUESSES:
            return None
        near = difflib.get_close_matches(name, [n for k, n in self._known if k == kind], n=1, cutoff=0.8)
        return near[0] if near else None


def _fits(kind: str, own: str | None, asked: str | None) -> bool:
    return kind in CLUSTER_WIDE or own is None or asked is None or own == asked
