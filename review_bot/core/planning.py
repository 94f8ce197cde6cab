"""Find the targets of a tree, and those that a change touches."""

from __future__ import annotations

from collections.abc import Sequence

from review_bot.core import kustomization
from review_bot.core.closure import Files
from review_bot.core.configuration import Config
from review_bot.core.discovery import Discovery
from review_bot.core.model import FileChange, PlannedTarget, Target, Tree
from review_bot.core.scope import scope_of

# Files that name other files.
LEADING = (*kustomization.NAMES, "Chart.yaml", "requirements.yaml")


def discover(tree: Tree, config: Config) -> tuple[Target, ...]:
    """Every target of the tree, ordered by id."""
    return Discovery(Files(tree), config).targets()


def plan(base: Tree, head: Tree, changes: Sequence[FileChange], config: Config) -> tuple[PlannedTarget, ...]:
    """The targets that the changed files touch on either side, each with the reason, ordered by id.

    `config` is the base's: it decides for both sides.
    """
    if not changes:
        return ()
    first = Files(base)
    sides = first, Files(head, first, same_reads=not any(_leads_on(change, base, head) for change in changes))
    # What the change can't concern is not looked into: it would be the same on both sides.
    scope = scope_of(*sides, changes, config)
    before, after = ({t.id: t for t in Discovery(files, config, scope).targets()} for files in sides)
    planned = []
    for id in sorted(before.keys() | after.keys()):
        old, new = before.get(id), after.get(id)
        why = reason(old, new, changes)
        if why is not None:
            planned.append(PlannedTarget(id, why, old, new))
    return tuple(planned)


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
    return None


def _touches(change: FileChange, old: Target | None, new: Target | None) -> bool:
    for target in (old, new):
        if target is not None and (
            target.reads is None or change.path in target.reads or change.previous_path in target.reads
        ):
            return True
    return False
