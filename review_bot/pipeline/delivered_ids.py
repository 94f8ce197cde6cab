"""From what delivery tools are told on both sides to planned targets with ids that people read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from review_bot.core.model import FileChange, PlannedTarget, Target
from review_bot.core.planning import reason
from review_bot.pipeline.delivered_side import DeliveredSide


@dataclass(frozen=True)
class Pair:
    """A target on both sides, by the id that is shown; None where it is not told of."""

    id: str
    base: Target | None
    head: Target | None


def paired(base: Mapping[str, Target], head: Mapping[str, Target]) -> list[Pair]:
    """The targets of both sides: by their id, and by their realm where several share one."""
    by_id: dict[str, tuple[dict[str, Target], dict[str, Target]]] = defaultdict(lambda: ({}, {}))
    for number, side in enumerate((base, head)):
        for key, target in side.items():
            id, _, realm = key.rpartition("@")
            by_id[id][number][realm] = target
    pairs = []
    for id, (before, after) in sorted(by_id.items()):
        if len(before) < 2 and len(after) < 2:
            pairs.append(Pair(id, *(next(iter(side.values()), None) for side in (before, after))))
        else:
            realms = sorted(before.keys() | after.keys())
            pairs += [Pair(f"{id}@{realm}", before.get(realm), after.get(realm)) for realm in realms]
    return pairs


def shown_ids(pairs: Sequence[Pair]) -> dict[str, str]:
    """What each inner id is shown as."""
    return {side.id: pair.id for pair in pairs for side in (pair.base, pair.head) if side is not None}


def with_id(target: Target, ids: Mapping[str, str]) -> Target:
    """The target, its parts and its parent by the ids that are shown."""
    delivery = target.delivery
    if delivery is not None:
        delivery = replace(delivery, parent=ids.get(delivery.parent, delivery.parent))
    return replace(target, id=ids.get(target.id, target.id), delivery=delivery)


def touched(
    pairs: Sequence[Pair], sides: tuple[DeliveredSide, DeliveredSide], changes: Sequence[FileChange]
) -> list[PlannedTarget]:
    """Those whose objects may differ between the sides, with the reason."""
    ids = shown_ids(pairs)
    base, head = sides
    found = []
    for pair in pairs:
        old, new = pair.base, pair.head
        if old is new:
            continue
        if old is not None and new is not None and base.fingerprint(old) == head.fingerprint(new):
            continue
        if new is None and old is not None and _lost(old, base, head):
            continue
        why = reason(old, new, changes) if old is None or new is None else _why(old, new, changes)
        shown = (with_id(side, ids) if side is not None else None for side in (old, new))
        found.append(PlannedTarget(pair.id, why or "its definition changed", *shown))
    return found


def _why(old: Target, new: Target, changes: Sequence[FileChange]) -> str:
    told = reason(old, new, changes)
    if told is not None:
        return told
    assert new.delivery is not None  # noqa: S101 - a tool was told of it
    return f"{new.delivery.object.kind} {new.delivery.object.name} in {new.delivery.source.path} changed"


def hidden(target: Target, base: DeliveredSide, head: DeliveredSide) -> bool:
    """Is it not told of on the head, where its tool can't see all that it is told?"""
    tools = {reader.name for reader in head.readers}
    if target.delivery is None or target.delivery.tool not in tools or target.id in head.targets:
        return False
    # Its id names where it lies; one that is there otherwise, and not to be rendered, may be this one.
    named = target.id.partition("#")[2]
    other = next((t for id, t in head.targets.items() if named and id.partition("#")[2] == named), None)
    return base.realm_of(target) in head.incomplete or (other is not None and not other.parts)


def _lost(target: Target, base: DeliveredSide, head: DeliveredSide) -> bool:
    """Is it gone only because what tells of it could not be read on the head? That is an error, and no deletion."""
    if base.realm_of(target) in head.failed or hidden(target, base, head):
        return True
    seen: set[str] = set()
    at: Target | None = target
    while at is not None and at.delivery is not None and at.id not in seen:
        seen.add(at.id)
        parent = at.delivery.parent
        if head.did_not_render(parent):
            return True
        at = base.targets.get(parent)
    return False
