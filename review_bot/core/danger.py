"""What can't be undone: deletions that take data with them, volumes that shrink, workloads that stop. Pure.

Each is shown in a section of its own. Whether it may merge is for policies and approvals to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from review_bot.core.clusters import LiveAction, LiveChange
from review_bot.core.lenient import at, rows
from review_bot.core.model import Action, FieldPath, Manifest, Resource, ResourceChange, ResourceId
from review_bot.core.terraform.losses import losses

DEFINITION = "CustomResourceDefinition"
DELETED: Mapping[tuple[str, str], str] = {
    ("", "PersistentVolumeClaim"): "is deleted, and with most storage classes its data",
    ("", "PersistentVolume"): "is deleted, and with it the way to its data",
    ("apps", "StatefulSet"): "is deleted: its pods stop, and its claims may go with it",
    ("", "Namespace"): "is deleted with everything in it",
    ("apiextensions.k8s.io", DEFINITION): "is deleted with every object of its kind",
}
WORKLOADS = frozenset(["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"])
# Fields that the API server lets nobody change: the object has to be deleted and created anew.
IMMUTABLE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "ReplicaSet"): ("spec.selector",),
    ("apps", "StatefulSet"): (
        "spec.selector",
        "spec.serviceName",
        "spec.podManagementPolicy",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): ("spec.selector", "spec.template", "spec.completionMode"),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("", "PersistentVolumeClaim"): (
        "spec.storageClassName",
        "spec.accessModes",
        "spec.volumeName",
        "spec.volumeMode",
        "spec.selector",
    ),
    ("storage.k8s.io", "StorageClass"): ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    ("", "Secret"): ("type",),
    ("apiextensions.k8s.io", DEFINITION): ("spec.scope", "spec.group"),
}
# Objects with one of these stay when they are no longer rendered.
KEPT: Mapping[str, frozenset[str]] = {
    "helm.sh/resource-policy": frozenset(["keep"]),
    "kustomize.toolkit.fluxcd.io/prune": frozenset(["disabled"]),
    "argocd.argoproj.io/sync-options": frozenset(["Prune=false", "Delete=false"]),
}
_QUANTITY = re.compile(r"([+-]?[0-9.]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?\Z")
_UNITS = {unit: Decimal(1000) ** power for power, unit in zip((-3, -2, -1, 1, 2, 3, 4, 5, 6), "numkMGTPE", strict=True)}
_UNITS |= {f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)}


@dataclass(frozen=True, slots=True)
class Danger:
    """`what` completes a sentence that begins with the object; `goes_with` names live objects that go too."""

    target: str
    id: ResourceId
    what: str
    path: str
    line: int | None
    goes_with: tuple[str, ...] = ()


def dangers(changes: Sequence[ResourceChange], live: Sequence[LiveChange] = (), *, prune: bool = True) -> list[Danger]:
    """The dangers of a change; `prune` as in the configuration: are objects deleted that are no longer rendered?"""
    told = {(c.target, c.id): c for c in live}
    lost = losses(changes)
    found: list[Danger] = []
    for number, change in enumerate(changes):
        resource = change.head or change.base
        assert resource is not None  # noqa: S101 - a change has a side
        seen = told.get((change.target, change.id))
        own = [((), lost[number])] if number in lost else _of(change, seen, prune)
        for field, what in own:
            place = resource.place(field)
            goes_with = seen.goes_with if seen is not None else ()
            found.append(Danger(change.target, change.id, what, place.path, place.line, goes_with))
    return found


def stays(resource: Resource) -> bool:
    """Does the object say that it is to stay when it is no longer rendered?"""
    annotations = at(resource.manifest, "metadata", "annotations")
    if not isinstance(annotations, Mapping):
        return False
    return any(
        words & {word.strip() for word in str(annotations.get(name, "")).split(",")} for name, words in KEPT.items()
    )


def quantity(value: Any) -> Decimal | None:
    """Kubernetes' notation of amounts as a number, None if it is none."""
    match = _QUANTITY.match(str(value))
    if match is None:
        return None
    number, unit = match.groups()
    try:
        return Decimal(number) * _UNITS[unit] if unit in _UNITS else Decimal(number + (unit or ""))
    except InvalidOperation:
        return None


def _of(change: ResourceChange, seen: LiveChange | None, prune: bool) -> Iterator[tuple[FieldPath, str]]:
    kind = (change.id.group, change.id.kind)
    if change.action is Action.DELETE and change.base is not None:
        # The cluster may say that there is nothing to delete, or no object of a definition.
        nothing = seen is not None and (
            seen.action is LiveAction.UNCHANGED or (change.id.kind == DEFINITION and not seen.goes_with)
        )
        if kind in DELETED and prune and not stays(change.base) and not nothing:
            yield (), DELETED[kind]
    elif change.action is Action.UPDATE and change.base is not None and change.head is not None:
        old, new = change.base.manifest, change.head.manifest
        if change.id.kind in WORKLOADS and _count(new) == 0 and _count(old) != 0:
            yield ("spec", "replicas"), "stops: its replicas go to 0"
        yield from _no_longer_served(old, new)
        shrunk = list(_shrinking(old, new))
        yield from shrunk
        if not shrunk:
            yield from _immutable(change, kind)


def _immutable(change: ResourceChange, kind: tuple[str, str]) -> Iterator[tuple[FieldPath, str]]:
    for field in IMMUTABLE.get(kind, ()):
        if any(f == field or f.startswith((f"{field}.", f"{field}[")) for f in change.fields):
            what = f"can't change its {field}: it has to be deleted and created anew"
            yield tuple(field.split(".")), what


def _no_longer_served(old: Manifest, new: Manifest) -> Iterator[tuple[FieldPath, str]]:
    """Versions of a definition that its objects and clients may still be written in."""
    if new.get("kind") != DEFINITION:
        return
    served = [{str(row.get("name")) for row in rows(m, "spec", "versions") if row.get("served")} for m in (old, new)]
    if gone := sorted(served[0] - served[1]):
        yield ("spec", "versions"), f"no longer serves {' and '.join(gone)}: whatever is written in it is refused"


def _shrinking(old: Manifest, new: Manifest) -> Iterator[tuple[FieldPath, str]]:
    before = _volumes(old)
    for name, (field, size) in _volumes(new).items():
        if name in before:
            small, large = quantity(size), quantity(before[name][1])
            if small is not None and large is not None and small < large:
                yield field, f"shrinks a volume from {before[name][1]} to {size}, which no storage allows"


def _volumes(manifest: Manifest) -> dict[str, tuple[FieldPath, Any]]:
    """The storage that a claim, or each template of a claim, asks for."""
    found: dict[str, tuple[FieldPath, Any]] = {}
    size: FieldPath = ("spec", "resources", "requests", "storage")
    if manifest.get("kind") == "PersistentVolumeClaim":
        found[""] = (size, at(manifest, *size))
    templates = at(manifest, "spec", "volumeClaimTemplates")
    for index, template in enumerate(templates if isinstance(templates, list) else ()):
        if isinstance(template, Mapping):
            name = str(at(template, "metadata", "name"))
            found[name] = (("spec", "volumeClaimTemplates", index, *size), at(template, *size))
    return {name: row for name, row in found.items() if row[1] is not None}


def _count(manifest: Manifest) -> Any:
    """The replicas; left out means one."""
    count = at(manifest, "spec", "replicas")
    return 1 if count is None else count
