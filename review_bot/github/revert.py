"""The reverse of a merge, as a commit on the branch as it is now: by plumbing in a bare mirror, without a work tree."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from review_bot.github.git_process import GitError, run

# Of the commits that only carry trees into the three-way merge.
_NOBODY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "x"), ("EMAIL", "x@x"), ("DATE", "@0 +0000"))
}
_CONFLICTS = 1


@dataclass(frozen=True, slots=True)
class Author:
    """Who a commit is by; `date` in ISO 8601."""

    name: str
    email: str
    date: str


@dataclass(frozen=True, slots=True)
class Reverse:
    """The tree without the merge, "" where files conflict; `empty`: it is the tip's tree."""

    tree: str
    conflicts: tuple[str, ...] = ()
    empty: bool = False


def before(folder: Path, merge: str, head: str, commits: int) -> str:
    """The commit that the base branch was at before a pull request (`commits` of them up to `head`) was merged.

    `merge` is what GitHub calls its merge commit: a merge, a squashed commit, or the last of rebased ones. Raises
    GitError.
    """
    parents = run(folder, "rev-list", "--parents", "-n", "1", "--end-of-options", merge).decode().split()[1:]
    if len(parents) != 1 or commits <= 1:
        return parents[0]
    # A rebase keeps author, date and message of each commit; a squash is dated by itself.
    own = set(_signatures(folder, "--no-merges", "--end-of-options", f"{merge}^..{head}"))
    count = 0
    for signature in _signatures(folder, "--first-parent", "-n", str(commits), "--end-of-options", merge):
        if signature not in own:
            break
        count += 1
    return run(folder, "rev-parse", "--verify", "--end-of-options", f"{merge}~{max(1, count)}").decode().strip()


def reverse(folder: Path, since: str, merge: str, tip: str) -> Reverse:
    """Take what lies between `since` and `merge` out of `tip`. Raises GitError, also where `tip` lacks the merge.

    `merge-tree --merge-base` needs git 2.40, so three commits that hold just these trees are merged.
    """
    if run(folder, "merge-base", "--end-of-options", merge, tip).decode().strip() != merge:
        raise GitError("it is not in the branch")
    ancestor = _carrier(folder, merge)
    ours, theirs = _carrier(folder, tip, ancestor), _carrier(folder, since, ancestor)
    words = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
    try:
        tree = run(folder, *words).decode().split("\0")[0]
    except GitError as error:
        if error.status != _CONFLICTS or not error.output:
            raise
        paths = error.output.decode(errors="replace").split("\0")[1:]
        return Reverse("", tuple(sorted({p for p in paths if p})))
    return Reverse(tree, empty=tree == _tree_of(folder, tip))


def commit(folder: Path, tree: str, parent: str, message: str, author: Author) -> str:
    """A commit; the same arguments give the same one. Raises GitError."""
    identity = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", author.name), ("EMAIL", author.email), ("DATE", author.date))
    }
    text = message.encode(errors="replace")
    return run(folder, "commit-tree", tree, "-p", parent, stdin=text, extra=identity).decode().strip()


def _carrier(folder: Path, commit: str, *parents: str) -> str:
    words = [word for parent in parents for word in ("-p", parent)]
    tree = _tree_of(folder, commit)
    return run(folder, "commit-tree", tree, *words, "-m", "tree", extra=_NOBODY).decode().strip()


def _tree_of(folder: Path, commit: str) -> str:
    return run(folder, "rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}").decode().strip()


def _signatures(folder: Path, *words: str) -> list[str]:
    out = os.fsdecode(run(folder, "log", "-z", "--format=%an%n%ae%n%at%n%B", *words))
    return [row.strip() for row in out.split("\0") if row.strip()]
