"""Find the targets of a tree, and those that a change touches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from review_bot.core import kustomization
from review_bot.core.closure import Files
from review_bot.core.configuration import Config
from review_bot.core.discovery import Discovery
from review_bot.core.model import FileChange, PlannedTarget, RendererName, Target, Tree
from review_bot.core.scope import scope_of

# What stands in every object that a delivery tool reads, and so in the files that lead to one.
WORDS = ("argoproj.io/", "fluxcd.io/", "fluxcd.controlplane.io/")
# Files whose objects may lead to further targets.
Marked = frozenset[str]
# Files in which objects stand, or templates of such.
TEXTS = (".yaml", ".yml", ".json", ".tpl", ".jsonnet", ".libsonnet")
_WORDS = tuple(word.encode() for word in WORDS)
# Files that name other files.
LEADING = (*kustomization.NAMES, "Chart.yaml", "requirements.yaml")


def discover(tree: Tree, config: Config) -> tuple[Target, ...]:
    """Every target of the tree, ordered by id."""
    return discovered(tree, config)[0]


def discovered(tree: Tree, config: Config) -> tuple[tuple[Target, ...], frozenset[str]]:
    """Every target of the tree, and the kustomizations among what they read that name what lies elsewhere."""
    files = Files(tree)
    return Discovery(files, config).targets(), frozenset(files.away)


@dataclass(frozen=True)
class Plan:
    """What a change touches; and what of each side reads one of the marked files, touched or not.

    `away` are kustomizations among what was looked at that name what lies elsewhere.
    """

    touched: tuple[PlannedTarget, ...] = ()
    base_leading: tuple[Target, ...] = ()
    head_leading: tuple[Target, ...] = ()
    away: frozenset[str] = frozenset()


def plan(base: Tree, head: Tree, changes: Sequence[FileChange], config: Config) -> tuple[PlannedTarget, ...]:
    """The targets that the changed files touch on either side, each with the reason, ordered by id.

    `config` is the base's: it decides for both sides.
    """
    return plan_with(base, head, changes, config, (frozenset(), frozenset())).touched


def plan_with(
    base: Tree, head: Tree, changes: Sequence[FileChange], config: Config, marked: tuple[Marked, Marked]
) -> Plan:
    """Like `plan`, and also the targets that read a `marked` file of base or head."""
    if not changes:
        return Plan()
    first = Files(base)
    sides = first, Files(head, first, same_reads=not any(_leads_on(change, base, head) for change in changes))
    # What the change can't concern is not looked into: it would be the same on both sides.
    scope = scope_of(*sides, changes, config, marked[0] | marked[1])
    found = [Discovery(files, config, scope).targets() for files in sides]
    before, after = ({t.id: t for t in targets} for targets in found)
    planned = []
    for id in sorted(before.keys() | after.keys()):
        old, new = before.get(id), after.get(id)
        why = reason(old, new, changes)
        if why is not None:
            planned.append(PlannedTarget(id, why, old, new))
    before_leading, after_leading = (leading(targets, marks) for targets, marks in zip(found, marked, strict=True))
    return Plan(tuple(planned), before_leading, after_leading, frozenset(sides[0].away | sides[1].away))


def leading(targets: Iterable[Target], marked: Marked) -> tuple[Target, ...]:
    """The targets that read a marked file; among Terraform's blocks no delivery tool finds anything."""
    asked = [t for t in targets if marked and t.renderer is not RendererName.TERRAFORM]
    return tuple(t for t in asked if t.reads is None or not marked.isdisjoint(t.reads))


def _leads_on(change: FileChange, base: Tree, head: Tree) -> bool:
    """May the change be one of which files belong to a target, and not just of what stands in them?"""
    name = change.path.rpartition("/")[2]
    old, new = base.entries().get(change.path), head.entries().get(change.path)
    if old is None or new is None or change.status != "modified" or name in LEADING:
        return True
    return "120000" in (old.mode, new.mode)


def reason(old: Target | None, new: Target | None, changes: Sequence[FileChange]) -> str | None:
    """Why a target is touched, in words; None if it is not."""
    for change in changes:
        if _touches(change, old, new):
            if change.status == "renamed":
                return f"{change.previous_path} renamed to {change.path}"
            return f"{change.path} {'changed' if change.status == 'modified' else change.status}"
    if old is None or new is None:
        return "a new target" if old is None else "no longer a target"
    alone = old.renderer is RendererName.PLAIN and old.delivery is None
    if alone and old.reads is not None and new.reads is not None:
        # Its files are those that no other target reads, and so another target may take or leave some.
        for path in sorted(old.reads ^ new.reads):
            return (
                f"{path} {'belongs to another target now' if path in old.reads else 'belongs to no other target now'}"
            )
    return None


def _touches(change: FileChange, old: Target | None, new: Target | None) -> bool:
    for target in (old, new):
        if target is not None and (
            target.reads is None or change.path in target.reads or change.previous_path in target.reads
        ):
            return True
    return False


def marks_of_head(base: Marked, head: Tree, changes: Sequence[FileChange]) -> Marked:
    """The marked files of the head, from those of the base and what changed."""
    gone = {path for change in changes for path in (change.path, change.previous_path) if path}
    return (base - gone) | marked_in(head.read_many([p for p in gone if p.endswith(TEXTS)]))


def marked_in(contents: Mapping[str, bytes]) -> Marked:
    """Those of the files in which a delivery tool's word stands."""
    return frozenset(path for path, data in contents.items() if any(word in data for word in _WORDS))
