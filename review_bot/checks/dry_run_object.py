"""Ask a cluster about one changed object: what runs now, and what would run after the merge."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from review_bot.checks.dry_run_contents import contents
from review_bot.checks.dry_run_deletion import REMARKS, Deletions
from review_bot.checks.dry_run_live import LiveObjects, Place
from review_bot.checks.dry_run_words import Problem, Rule, problems, warning
from review_bot.cluster.client import Answer, ClusterClient
from review_bot.cluster.kinds import Kinds, is_segment
from review_bot.core.applied import without_removed
from review_bot.core.ignores import applied
from review_bot.core.model import Action, Manifest, Resource, ResourceChange, ResourceId

# Field managers of delivery tools, as they are found on live objects. Each writes under several names: what it owned
# before it used server-side apply is still its own.
FAMILIES: Mapping[str, frozenset[str]] = {
    "argocd-controller": frozenset(["argocd-controller", "argocd-application-controller", "argocd"]),
    "kustomize-controller": frozenset(["kustomize-controller", "gotk-kustomize-controller"]),
    "helm-controller": frozenset(["helm-controller"]),
    "helm": frozenset(["helm"]),
    "kubectl": frozenset(["kubectl", "kubectl-client-side-apply", "kubectl-last-applied"]),
}
# The server's name for what an object held before anybody applied it.
UNOWNED = "before-first-apply"
DEFAULT_MANAGER = "review-bot"
DEFAULT_NAMESPACE = "default"
_CONFLICT = re.compile(r'conflict with "([^"]+)"')


@dataclass(frozen=True)
class Asked:
    """`live` is what runs (None: nothing), `predicted` what would run (None for a deletion or a refusal).

    `conflicts` are fields, as the server writes them, with the manager that owns each.
    """

    change: ResourceChange
    manager: str
    live: Manifest | None = None
    predicted: Manifest | None = None
    problems: tuple[Problem, ...] = ()
    conflicts: tuple[tuple[str, str], ...] = ()
    goes_with: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Does the server not do it, or not say whether it would?"""
        return any(p.rule not in REMARKS for p in self.problems)


class Asker:
    """Asks about objects one by one; `namespace` is where those of a target go that name none."""

    def __init__(self, client: ClusterClient, kinds: Kinds) -> None:
        self._client = client
        self._kinds = kinds
        self._deletions = Deletions(client)
        self.live = LiveObjects(client)

    def place(self, change: ResourceChange, namespace: str | None) -> Place | Problem:
        """Where the changed object lives, or why it can't live anywhere in this cluster."""
        id = change.id
        served = self._kinds.find(id)
        if served is None:
            return unknown_kind(id, self._kinds)
        named = id.namespace or namespace or self._client.namespace or DEFAULT_NAMESPACE
        if not is_segment(id.name) or (served.namespaced and not is_segment(named)):
            return Problem(Rule.INVALID, f"{id.name!r} can't be a name in Kubernetes", "metadata.name")
        return Place(served, named if served.namespaced else None)

    def ask(self, change: ResourceChange, namespace: str | None, *, kept: bool = False) -> Asked:
        """Two requests, one of them fewer where the live object was listed, one more where fields conflict.

        `kept`: it stays though it is no longer rendered, so that a deletion is only looked up. Raises ClusterError.
        """
        resource = change.head or change.base
        assert resource is not None  # noqa: S101 - a change has a side
        place = self.place(change, namespace)
        if isinstance(place, Problem):
            return Asked(change, DEFAULT_MANAGER, problems=(place,))
        if resource.id.name.endswith("*"):
            return self._unnamed(change, resource, place)
        found = self.live.read(place, resource.id.name)
        if not found.fine and found.status != 404:
            return Asked(change, DEFAULT_MANAGER, problems=tuple(problems(found.status, found.body)))
        live = found.body if found.fine else None
        manager = self._client.settings.field_manager or manager_of(live)
        if change.action is Action.DELETE:
            goes_with = contents(self._client, self._kinds, resource.id, live) if live is not None else ()
            said = self._deletions.ask(place, live, resource.id) if live is not None and not kept else ()
            return Asked(change, manager, live, problems=said, goes_with=goes_with)
        if not applied(resource.manifest, live):
            return Asked(change, manager, live, live)
        return self._apply(change, resource, place, live, manager)

    def ask_of_base(self, asked: Asked, namespace: str | None) -> Asked:
        """What the cluster says of the object as it is on the base; one request more. Raises ClusterError."""
        base = asked.change.base
        assert base is not None  # noqa: S101 - only an update has something before it
        change = replace(asked.change, id=base.id, head=base)
        place = self.place(change, namespace)
        if isinstance(place, Problem):
            return Asked(change, asked.manager, problems=(place,))
        return self._apply(change, base, place, asked.live, asked.manager)

    def _apply(
        self, change: ResourceChange, resource: Resource, place: Place, live: Manifest | None, manager: str
    ) -> Asked:
        path = place.served.path(place.namespace, resource.id.name)
        manifest = _sent(resource.manifest)
        answer = self._client.dry_run_apply(path, manifest, manager, force=False)
        conflicts = _conflicts(answer, manager)
        if conflicts is not None:
            answer = self._client.dry_run_apply(path, manifest, manager, force=True)
        return _asked(change, manager, live, answer, conflicts or ())

    def _unnamed(self, change: ResourceChange, resource: Resource, place: Place) -> Asked:
        """An object whose name the server makes up: each apply creates one more, and nothing deletes one."""
        manager = self._client.settings.field_manager or DEFAULT_MANAGER
        if change.action is Action.DELETE:
            return Asked(change, manager)
        answer = self._client.dry_run_create(place.path, _sent(resource.manifest), manager)
        return _asked(change, manager, None, answer, ())


def unknown_kind(id: ResourceId, kinds: Kinds) -> Problem:
    """Why a kind is not served, and what may be meant."""
    if id.group in kinds.stale:
        text = f"the API server of {id.group} does not answer, so {id.kind} can't be checked"
        return Problem(Rule.UNKNOWN_KIND, text, "apiVersion", "ask those who run the cluster")
    served = [f"{id.group}/{v}" if id.group else v for v in kinds.versions_of(id)] or kinds.groups_of(id.kind)
    help = f"use {' or '.join(served)}" if served else "install its CustomResourceDefinition first, or in this change"
    return Problem(Rule.UNKNOWN_KIND, f"the cluster serves no {id.kind} in {id.api_version}", "apiVersion", help)


def manager_of(live: Manifest | None) -> str:
    """The delivery tool that manages a live object: one that applies server-side before one that updates."""
    rows = _managers(live)
    for operation in ("Apply", "Update"):
        for tool, names in FAMILIES.items():
            if any(r.get("operation") == operation and r.get("manager") in names for r in rows):
                return tool
    return DEFAULT_MANAGER


def _managers(live: Manifest | None) -> Sequence[Mapping[str, Any]]:
    metadata = (live or {}).get("metadata")
    rows = metadata.get("managedFields") if isinstance(metadata, Mapping) else None
    return [r for r in rows if isinstance(r, Mapping)] if isinstance(rows, list) else []


def _sent(manifest: Manifest) -> Manifest:
    """What is applied: status belongs to controllers, and managedFields must not be there."""
    sent = {k: v for k, v in manifest.items() if k != "status"}
    metadata = sent.get("metadata")
    if isinstance(metadata, Mapping) and "managedFields" in metadata:
        sent["metadata"] = {k: v for k, v in metadata.items() if k != "managedFields"}
    return sent


def _conflicts(answer: Answer, manager: str) -> tuple[tuple[str, str], ...] | None:
    """The fields (as the server writes them) that others own, with who; None if the answer is no such conflict."""
    causes = (answer.body.get("details") or {}).get("causes") or ()
    rows = [c for c in causes if c.get("reason") == "FieldManagerConflict"]
    if answer.status != 409 or not rows:
        return None
    own = FAMILIES.get(manager, frozenset([manager])) | {UNOWNED}
    found = []
    for row in rows:
        named = _CONFLICT.search(str(row.get("message")))
        other = named[1] if named else "another manager"
        if other not in own:
            found.append((str(row.get("field") or ""), other))
    return tuple(found)


def _asked(
    change: ResourceChange, manager: str, live: Manifest | None, answer: Answer, conflicts: tuple[tuple[str, str], ...]
) -> Asked:
    said = tuple(warning(text) for text in answer.warnings)
    if not answer.fine:
        return Asked(change, manager, live, None, (*problems(answer.status, answer.body), *said), conflicts)
    predicted = answer.body
    if change.base is not None and change.head is not None and _applies_on_its_side(live, manager):
        predicted = without_removed(predicted, change.base.manifest, change.head.manifest)
    return Asked(change, manager, live, predicted, said, conflicts)


def _applies_on_its_side(live: Manifest | None, tool: str) -> bool:
    """Does the tool compute its patches itself (kubectl apply, Argo CD by default), so that it removes fields too?"""
    names = FAMILIES.get(tool, frozenset())
    operations = {r.get("operation") for r in _managers(live) if r.get("manager") in names}
    return "Update" in operations and "Apply" not in operations
