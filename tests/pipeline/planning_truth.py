"""What a change really touches, found the long way: everything is rendered on both sides and compared."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import repositories

from review_bot.core.configuration import Config
from review_bot.core.diff import compare
from review_bot.core.model import Rendered, Target, Tree
from review_bot.github.workspace import Repository
from review_bot.pipeline.delivering import Delivering
from review_bot.pipeline.rendering import render_trees
from review_bot.pipeline.review import Reviewer

Edit = Callable[[Path, random.Random], str]


@dataclass
class Tally:
    """What planning missed after which edit; how many targets it took in vain, and how many in all, of how many."""

    missed: list[tuple[str, str]] = field(default_factory=list)
    loose: int = 0
    planned: int = 0
    there: int = 0


async def tried(root: Path, cache: Path, luck: random.Random, edit: Edit, edits: int) -> Tally:
    """Edit the branch main so many times, each time anew, and hold what is planned against what differs."""
    repository, reviewer = Repository(root), Reviewer(cache=cache)
    delivering = reviewer.delivering(repository, Config(), "main")
    base = repository.resolve("main")
    before = await everything(delivering, repository, repository.tree(base))
    tally = Tally()
    for number in range(edits):
        repositories.git(root, "checkout", "-q", "-f", "-B", "edit", "main")
        repositories.git(root, "clean", "-q", "-d", "-f", "-x")
        how = f"{number}: {edit(root, luck)}"
        repositories.commit(root, how)
        head = repository.resolve("edit")
        planned = {_name(p.id) for p in await reviewer.touched(repository, base, head, branch="main")}
        after = await everything(delivering, repository, repository.tree(head))
        different = {
            _name(id)
            for id in before.keys() | after.keys()
            if differ(before.get(id), after.get(id)) and not _hidden(id, before, after)
        }
        tally.missed += [(how, id) for id in sorted(different - planned)]
        tally.loose += len(planned - different)
        tally.planned += len(planned)
        tally.there += len(before.keys() | after.keys())
    return tally


async def everything(delivering: Delivering, repository: Repository, tree: Tree) -> dict[str, Rendered]:
    """All targets of one tree by their ids, rendered."""
    survey = await delivering.survey(tree)
    rendered, _ = await render_trees(delivering.renderer, repository, [(survey.tree, survey.targets)])
    return {one.target.id: one for one in rendered}


def differ(old: Rendered | None, new: Rendered | None) -> bool:
    """Is anything another: an object, why there is none, or where it goes?"""
    if old is None or new is None or _goes(old.target) != _goes(new.target):
        return True
    if old.failed or new.failed:
        return old.failed != new.failed or [f.message for f in old.findings] != [f.message for f in new.findings]
    return bool(compare("t", old.resources, new.resources))


def _goes(target: Target) -> tuple[object, ...]:
    told = target.delivery
    rolls = (told.destination, told.prune, told.suspended) if told is not None else ()
    return (target.cluster, target.environment, target.namespace, *rolls)


def _name(id: str) -> str:
    """The id without its realm, which it has only where two of one side would share it."""
    return id.partition("@")[0]


def _hidden(id: str, before: dict[str, Rendered], after: dict[str, Rendered]) -> bool:
    """Is it seen on one side only because of something else?

    Something does not render on the other and may have told of it (a review blocks then, and says so); it has another
    id there; or it is a folder that a tool deploys on the other: what the tool deploys differs, and that is planned.
    """
    if id in before and id in after:
        return False
    one, other = (before, after) if id in before else (after, before)
    if any(_name(known) == _name(id) and not differ(one[id], r) for known, r in other.items()):
        return True
    deployed = {path for r in other.values() if r.target.delivery for path in r.target.reads or ()}
    folder = one[id].target
    alone = folder.delivery is None and bool(deployed.intersection(folder.reads or ()))
    broken = any(r.failed and not (known in one and one[known].failed) for known, r in other.items())
    return alone or (broken and folder.delivery is not None)
