"""The reverse of a merge, however it was merged: by real git in a bare repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from review_bot.github import revert
from review_bot.github.git_process import GitError

BOT = revert.Author("review-bot[bot]", "7+review-bot[bot]@users.noreply.github.com", "2026-11-20T10:00:00Z")


class Work:
    """A work tree with one commit on main, and the bare mirror that the bot has of it."""

    def __init__(self, root: Path) -> None:
        self.root, self.mirror, self.clock = root / "work", root / "mirror.git", 1_700_000_000
        self.root.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.commit("base", a="1\n", b="1\n", c="1\n")

    def git(self, *words: str, where: Path | None = None) -> str:
        self.clock += 60
        who = {f"GIT_{r}_{w}": v for r in ("AUTHOR", "COMMITTER") for w, v in (("NAME", "A"), ("EMAIL", "a@x"))}
        dates = {f"GIT_{r}_DATE": f"@{self.clock} +0000" for r in ("AUTHOR", "COMMITTER")}
        command = ["git", "-C", str(where or self.root), *words]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | who | dates)
        return done.stdout.strip()

    def commit(self, message: str, **files: str) -> str:
        for name, text in files.items():
            (self.root / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def branch(self) -> str:
        """A pull request of three commits, and a commit that came to main meanwhile; the head."""
        self.git("checkout", "-q", "-b", "topic")
        self.commit("one", a="2\n")
        self.commit("two", b="2\n")
        head = self.commit("three", b="3\n")
        self.git("checkout", "-q", "main")
        self.commit("meanwhile", d="1\n")
        return head

    def reverted(self, merge: str, head: str, commits: int = 3) -> dict[str, str]:
        """The files of main without the merge."""
        self.git("clone", "-q", "--mirror", str(self.root), str(self.mirror), where=self.root.parent)
        tip = self.git("rev-parse", "main")
        since = revert.before(self.mirror, merge, head, commits)
        found = revert.reverse(self.mirror, since, merge, tip)
        assert found.tree, found.conflicts
        made = revert.commit(self.mirror, found.tree, tip, "Revert", BOT)
        assert made == revert.commit(self.mirror, found.tree, tip, "Revert", BOT)
        names = self.git("ls-tree", "--name-only", made, where=self.mirror).split()
        return {name: self.git("show", f"{made}:{name}", where=self.mirror) for name in names}


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


WITHOUT = {"a": "1", "b": "1", "c": "1", "d": "1", "later": "1"}


def test_a_squash(work: Work) -> None:
    head = work.branch()
    work.git("merge", "-q", "--squash", "topic")
    work.git("commit", "-q", "-m", "Topic (#7)")
    merge = work.git("rev-parse", "HEAD")
    work.commit("later", later="1\n")
    assert work.reverted(merge, head) == WITHOUT


def test_a_merge_commit(work: Work) -> None:
    head = work.branch()
    work.git("merge", "-q", "--no-ff", "-m", "Merge pull request #7", "topic")
    merge = work.git("rev-parse", "HEAD")
    work.commit("later", later="1\n")
    assert work.reverted(merge, head) == WITHOUT


def test_a_rebase_of_several_commits(work: Work) -> None:
    head = work.branch()
    work.git("checkout", "-q", "-b", "rebased", "topic")
    work.git("rebase", "-q", "main")
    merge = work.git("rev-parse", "HEAD")
    work.git("checkout", "-q", "main")
    work.git("merge", "-q", "--ff-only", "rebased")
    work.commit("later", later="1\n")
    assert work.reverted(merge, head) == WITHOUT


def test_a_rebase_that_dropped_a_commit_which_was_there_already(work: Work) -> None:
    head = work.branch()
    before = work.commit("the same as one", a="2\n")
    work.git("checkout", "-q", "-b", "rebased", "topic")
    work.git("rebase", "-q", "main")
    merge = work.git("rev-parse", "HEAD")
    assert work.git("rev-list", "--count", f"{before}..{merge}") == "2"
    work.git("checkout", "-q", "main")
    work.git("merge", "-q", "--ff-only", "rebased")
    work.commit("later", later="1\n")
    assert work.reverted(merge, head) == {**WITHOUT, "a": "2"}


def test_what_changed_since_conflicts_and_is_named(work: Work) -> None:
    merge = work.commit("bump", a="2\n", b="2\n")
    tip = work.commit("again", a="3\n")
    found = revert.reverse(work.root, f"{merge}^", merge, tip)
    assert (found.tree, found.conflicts) == ("", ("a",))


def test_what_was_reverted_before_leaves_nothing(work: Work) -> None:
    merge = work.commit("bump", a="2\n")
    tip = work.commit("back", a="1\n")
    assert revert.reverse(work.root, f"{merge}^", merge, tip).empty


def test_a_merge_that_the_branch_lacks_is_not_reverted(work: Work) -> None:
    tip = work.git("rev-parse", "HEAD")
    merge = work.commit("bump", a="2\n")
    with pytest.raises(GitError, match="not in the branch"):
        revert.reverse(work.root, tip, merge, tip)
