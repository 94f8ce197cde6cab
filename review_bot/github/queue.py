"""A merge queue's branches: what their names say, and whether a group is what it says it is.

GitHub keeps each group on a branch `gh-readonly-queue/BASE/pr-NUMBER-SHA`: the pull request's changes on top of SHA,
which is the base branch's tip or the group before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from review_bot.github.client import Installation
from review_bot.github.errors import Forbidden, Missing
from review_bot.github.git_process import GitError, run
from review_bot.github.pulls import repo_path
from review_bot.github.webhook import QUEUE

_NAME = re.compile(re.escape(QUEUE) + r"(?P<base>.+)/pr-(?P<number>\d+)-(?P<sha>[0-9a-f]{40}(?:[0-9a-f]{24})?)\Z")
_HEADS = "refs/heads/"
# More than this in one queue is no queue.
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Group:
    """A pull request's place in the queue: `head` is on the branch, `base` is the commit that it stands on."""

    branch: str
    base_ref: str
    number: int
    base: str
    head: str


async def groups(api: Installation, repository: str) -> list[Group]:
    """All groups of a repository. Raises GitHubError; where the App may not see them there are none."""
    try:
        rows = await api.get(f"{repo_path(repository)}/git/matching-refs/heads/{quote(QUEUE)}")
    except (Missing, Forbidden):
        return []
    return [group for row in rows if (group := _group(row)) is not None]


def _group(row: Mapping[str, Any]) -> Group | None:
    branch = str(row["ref"]).removeprefix(_HEADS)
    found = _NAME.match(branch)
    if found is None:
        return None
    return Group(branch, found["base"], int(found["number"]), found["sha"], str(row["object"]["sha"]))


def chain(last: Group, known: Iterable[Group], folder: Path, tip: str) -> list[Group]:
    """The groups that would reach the base branch with `last`, the first first; none where their row is broken.

    Every commit between the base branch's `tip` and `last` belongs to one of them, or the row is broken.
    """
    by_head = {group.head: group for group in known if group.base_ref == last.base_ref}
    row = [last]
    while not _within(folder, row[0].base, tip):
        before = by_head.get(row[0].base)
        if before is None or before in row or len(row) >= LONGEST:
            return []
        row.insert(0, before)
    return row if all(_within(folder, group.base, group.head) for group in row) else []


def is_merge_of(folder: Path, group: Group, head: str) -> bool:
    """Is the group's tree what `head` merged into its base gives, and nothing else?"""
    try:
        merged = run(folder, "merge-tree", "--write-tree", "--no-messages", group.base, head).decode().split("\n")[0]
        tree = run(folder, "rev-parse", "--verify", "--end-of-options", f"{group.head}^{{tree}}").decode().strip()
    except GitError:
        return False
    return merged == tree


def _within(folder: Path, ancestor: str, commit: str) -> bool:
    try:
        run(folder, "merge-base", "--is-ancestor", ancestor, commit)
    except GitError:
        return False
    return True
