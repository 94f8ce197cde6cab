"""What moves: every version (of images, charts, sources, APIs, …) that a change replaces, in words of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from review_bot.core.model import ResourceChange, ResourceId, Target
from review_bot.core.terraform.environments import environment_of
from review_bot.core.versions.found import Found, versions_in
from review_bot.core.versions.steps import WEIGHT, Step, read, step, worst


@dataclass(frozen=True, slots=True)
class Move:
    """`kind` is image, chart, app, source, definition, api, module, provider or terraform.

    `old` is None for what is new. `flags` need a second look. `notes` is the address of the release notes, if known.
    """

    kind: str
    name: str
    old: str | None
    new: str
    step: Step
    flags: tuple[str, ...] = ()
    place: str = ""
    targets: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    notes: str = ""

    @property
    def text(self) -> str:
        """One line that a person can read."""
        where = ", ".join(self.environments or self.targets[:2])
        moved = f"{self.old} → {self.new}" if self.old is not None else f"{self.new} (new)"
        label = f", {self.step}" if self.step not in (Step.NEW, Step.UNKNOWN) else ""
        return f"{self.name} {moved}{f' in {where}' if where else ''}{label}"


ByChange = Mapping[tuple[str, ResourceId], tuple[Move, ...]]


def by_change(changes: Iterable[ResourceChange]) -> ByChange:
    """The moves in each object, by the change's target and object; objects in which nothing moves are left out."""
    return {(c.target, c.id): found for c in changes if (found := _of_change(c))}


def together(
    found: ByChange, changes: Iterable[ResourceChange], targets: Mapping[str, Target], whole: Sequence[Move] = ()
) -> tuple[Move, ...]:
    """The moves of a review, the same in several objects once, what needs most attention first.

    `whole` are those of targets as a whole, which name them.
    """
    rows: dict[tuple[str, str, str | None, str], Move] = {}
    for change in changes:
        where = environment_of(change, targets.get(change.target))
        for move in found.get((change.target, change.id), ()):
            _put(rows, replace(move, targets=(change.target,), environments=(where,) if where else ()))
    for move in whole:
        of = [targets[id].environment for id in move.targets if id in targets]
        _put(rows, replace(move, environments=tuple(dict.fromkeys(where for where in of if where))))
    # An application's label repeats its image's tag.
    known = {(_plain(m.old or ""), _plain(m.new)) for m in rows.values() if m.kind in ("image", "chart")}
    shown = [m for m in rows.values() if m.kind != "app" or (_plain(m.old or ""), _plain(m.new)) not in known]
    return tuple(sorted(shown, key=lambda m: (-WEIGHT.index(m.step), m.kind, m.name, m.old or "", m.new)))


def noted(found: Iterable[Move], notes: Mapping[tuple[str, str], str]) -> tuple[Move, ...]:
    """The moves with what is known of their release notes, by place and new version."""
    return tuple(replace(move, notes=notes.get((move.place, move.new), "")) for move in found)


def _put(rows: dict[tuple[str, str, str | None, str], Move], move: Move) -> None:
    """Add the move, or where it happens to the same one."""
    key = move.kind, move.place or move.name, move.old, move.new
    known = rows.get(key, move)
    rows[key] = replace(
        known,
        targets=tuple(dict.fromkeys((*known.targets, *move.targets))),
        environments=tuple(dict.fromkeys((*known.environments, *move.environments))),
    )


def _plain(version: str) -> str:
    return version.partition("@")[0].removeprefix("v")


def overall(found: Sequence[Move]) -> Step | None:
    """The label of the whole pull request, None where no version moves."""
    return worst([m.step for m in found if m.step is not Step.NEW])


def _of_change(change: ResourceChange) -> tuple[Move, ...]:
    if change.head is None:
        return ()
    before = versions_in(change.base.manifest) if change.base is not None else {}
    after = versions_in(change.head.manifest)
    return tuple(_of(change, before, after))


def to_json(move: Move) -> dict[str, Any]:
    """A row of the verdict, and of what policies are told."""
    return {
        "kind": move.kind,
        "name": move.name,
        "place": move.place,
        "old": move.old,
        "new": move.new,
        "step": str(move.step),
        "flags": list(move.flags),
        "targets": list(move.targets),
        "environments": list(move.environments),
        "notes": move.notes or None,
    }


def _of(change: ResourceChange, before: Mapping[str, Found], after: Mapping[str, Found]) -> Iterator[Move]:
    if change.base is not None and change.base.id.api_version != change.id.api_version:
        old, new = change.base.id.api_version, change.id.api_version
        yield Move("api", f"{change.id.kind} {change.id.name}", old, new, Step.UNKNOWN)
    for key, now in after.items():
        was = before.get(key)
        if was is None:
            if now.kind == "image":
                yield Move("image", now.name, None, now.version, Step.NEW, _flags(now), _place(now))
        elif (was.version, was.image) != (now.version, now.image):
            yield Move(now.kind, now.name, was.version, now.version, _step(was, now), _flags(now), _place(now))


def _step(was: Found, now: Found) -> Step:
    if was.image is None or now.image is None:
        return step(was.version, now.version) if was.name == now.name else Step.UNKNOWN
    if was.image.place != now.image.place:
        return Step.UNKNOWN
    if was.image.tag == now.image.tag:
        return Step.DIGEST_ONLY if was.image.digest and now.image.digest else Step.UNKNOWN
    return step(was.image.tag or "", now.image.tag or "")


def _flags(found: Found) -> tuple[str, ...]:
    image = found.image
    if image is None:
        return ()
    flags = []
    if image.digest is None:
        flags.append("no-tag" if image.tag is None else "latest" if image.tag == "latest" else "no-digest")
    version = read(image.tag) if image.tag else None
    if version is not None and version.pre:
        flags.append("pre-release")
    return tuple(flags)


def _place(found: Found) -> str:
    return found.image.place if found.image is not None else ""
