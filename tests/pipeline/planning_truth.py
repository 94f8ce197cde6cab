"""What a change really touches, found the long way: everything is rendered on both sides and compared."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import repositories

from review_bot.core.configuration import Config
from review_bot.core.diff import compare
from review_bot.core.model import Rendered, Severity, Target, Tree
from review_bot.github.workspace import Repository
from review_bot.pipeline.delivering import Delivering
from review_bot.pipeline.rendering import render_trees
from review_bot.pipeline.review import Reviewer

Edit = Callable[[Path, random.Random], str]


@dataclass(frozen=True)
class Truth:
    """All targets of one tree by their ids, rendered, and what is wrong with what delivery tools are told."""

    rendered: Mapping[str, Rendered]
    errors: frozenset[str]


@dataclass
class Tally:
    """What planning missed after which edit; how many targets it took in vain, and how many in all, of how many.

    `broken` are those that do not even render before the edit.
    """

    broken: list[str]
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
    tally = Tally([id for id, one in before.rendered.items() if one.failed])
    for number in range(edits):
        repositories.git(root, "checkout", "-q", "-f", "-B", "edit", "main")
        repositories.git(root, "clean", "-q", "-d", "-f", "-x")
        how = f"{number}: {edit(root, luck)}"
        repositories.commit(root, how)
        head = repository.resolve("edit")
        planned = {_name(p.id) for p in await reviewer.touched(repository, base, head, branch="main")}
        after = await everything(delivering, repository, repository.tree(head))
        ids = before.rendered.keys() | after.rendered.keys()
        pairs = {id: (before.rendered.get(id), after.rendered.get(id)) for id in ids}
        different = {_name(id) for id, pair in pairs.items() if differ(*pair) and not _hidden(id, before, after)}
        tally.missed += [(how, id) for id in sorted(different - planned)]
        tally.loose += len(planned - different)
        tally.planned += len(planned)
        tally.there += len(ids)
    return tally


async def everything(delivering: Delivering, repository: Repository, tree: Tree) -> Truth:
    survey = await delivering.survey(tree)
    rendered, _ = await render_trees(delivering.renderer, repository, [(survey.tree, survey.targets)])
    errors = frozenset(f.message for f in survey.findings if f.severity is Severity.ERROR)
    return Truth({one.target.id: one for one in rendered}, errors)


def differ(old: Rendered | None, new: Rendered | None) -> bool:
    """Is anything another: an object, why there is none, or where it goes?"""
    if old is None or new is None or _goes(old.target) != _goes(new.target):
        return True
    if old.failed or new.failed:
        return old.failed != new.failed or [f.message for f in old.findings] != [f.message for f in new.findings]
    return bool(compare("t", old.resources, new.resources))


def _goes(target: Target) -> tuple[str | None, ...]:
    """Its place; whether it rolls out and prunes is said by the object that tells of it, in another target."""
    destination = target.delivery.destination if target.delivery is not None else None
    return (target.cluster, target.environment, target.namespace, destination)


def _unknown(rendered: Rendered) -> bool:
    """Is it not known what it deploys? Then what it would tell of is not known either."""
    target = rendered.target
    return rendered.failed or (target.delivery is not None and not target.parts)


def _name(id: str) -> str:
    """The id without its realm, which it has only where two of one side would share it."""
    return id.partition("@")[0]


def _hidden(id: str, before: Truth, after: Truth) -> bool:
    """Is it seen on one side only because of something else?

    Something is wrong or can't be seen on the other that may have told of it (the review says so); it has another id
    there; or it is a folder that a tool deploys on the other: what the tool deploys differs, and that is planned.
    """
    if id in before.rendered and id in after.rendered:
        return False
    one, other = (before, after) if id in before.rendered else (after, before)
    own = one.rendered[id]
    if any(_name(known) == _name(id) and not differ(own, r) for known, r in other.rendered.items()):
        return True
    if own.target.delivery is None:
        deployed = {path for r in other.rendered.values() if r.target.delivery for path in r.target.reads or ()}
        return bool(deployed.intersection(own.target.reads or ()))
    unknown = {known for known, r in other.rendered.items() if _unknown(r)}
    return bool(other.errors - one.errors) or any(
        known not in one.rendered or not _unknown(one.rendered[known]) for known in unknown
    )
