"""A git repository as the review needs it: revisions, trees, changed files, and files laid out for a renderer."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from weakref import WeakValueDictionary

from review_bot.core.errors import UsageError
from review_bot.core.model import CheckName, FileChange, Finding, Severity, Tree, TreeEntry
from review_bot.github import diff_lines
from review_bot.github.diff_lines import DiffLines
from review_bot.github.git_process import GitError, Objects, run
from review_bot.github.git_tree import Difference, GitTree, WorkTree, differences, with_differences

STATUS = {"A": "added", "M": "modified", "T": "modified", "D": "removed", "R": "renamed"}


class Repository:
    """A local repository, bare or not. Raises UsageError if there is none at `path`."""

    def __init__(self, path: Path, origin: str | None = None) -> None:
        """`origin` is the address that the repository is known by, if its own settings do not say it."""
        if not path.is_dir():
            raise UsageError(f"there is no folder {path}", help="name a git repository")
        try:
            said = run(path, "rev-parse", "--is-bare-repository", "--show-cdup", "--absolute-git-dir")
            self._bare, top = _layout(path, os.fsdecode(said))
        except GitError as error:
            raise UsageError(f"{path} is not a git repository", help="name one, or run `git init`") from error
        self.path = top
        self._origin = origin
        self._objects = Objects(top)
        self._trees: WeakValueDictionary[str, GitTree] = WeakValueDictionary()
        # The review asks twice: for the changed files, and for the other tree.
        self._last: tuple[tuple[str, str], tuple[Difference, ...]] | None = None

    def resolve(self, rev: str) -> str:
        """The commit that a revision names. Raises UsageError."""
        try:
            return self._objects.resolve(f"{rev}^{{commit}}")
        except GitError as error:
            raise UsageError(f"there is no revision {rev!r} here", help=self._shallow_hint()) from error

    def merge_base(self, base: str, head: str) -> str:
        """The commit that both have grown from. Raises UsageError where there is none."""
        try:
            return run(self.path, "merge-base", "--end-of-options", base, head).decode().split()[0]
        except (GitError, IndexError) as error:
            raise UsageError(
                f"{base[:12]} and {head[:12]} have no commit in common", help=self._shallow_hint()
            ) from error

    def tree(self, sha: str, like: str | None = None) -> Tree:
        """A commit's tree; `like` names one that is listed anyway and differs little, so that this one need not be."""
        known = self._trees.get(sha)
        if known is None:
            listing = None
            if like is not None:
                other = self.tree(like)
                listing = lambda: with_differences(other.entries(), self._differences(like, sha))  # noqa: E731
            known = self._trees[sha] = GitTree(self.path, sha, self._objects, listing)
        return known

    def worktree(self) -> Tree:
        """The work tree, uncommitted and untracked files included. Raises UsageError in a bare repository."""
        if self._bare:
            raise UsageError("a bare repository has no work tree", help="name a revision with --head or --rev")
        return WorkTree(self.path)

    def changes(self, base: str, head: str | None) -> tuple[FileChange, ...]:
        """The files that differ, renames found; `head` None is the work tree."""
        if head is None:
            return self._uncommitted(base)
        return tuple(_change(row) for row in self._differences(base, head))

    def shown(self, base: str, head: str) -> DiffLines:
        """The lines that the diff of two commits shows, as GitHub shows it: three lines of context, renames found."""
        words = ("diff-tree", "-r", "-p", "-U3", "-M", "--no-commit-id", "--no-ext-diff", "--no-textconv", "--no-color")
        return diff_lines.parse(run(self.path, *words, base, head).decode(errors="surrogateescape"))

    def holding(self, tree: Tree, words: Sequence[str], endings: Sequence[str]) -> frozenset[str]:
        """The files of a tree with these endings in which one of the words stands."""
        command = ["grep", "-l", "-z", "-a", "-F", "--no-textconv", "--full-name", "--no-recurse-submodules"]
        command += [w for word in words for w in ("-e", word)]
        where = ["--untracked"] if tree.sha == "worktree" else [tree.sha]
        try:
            said = run(self.path, *command, *where, "--", *(f"*{ending}" for ending in endings))
        except GitError as error:
            if error.status != 1:
                raise
            return frozenset()
        rows = said.decode(errors="surrogateescape").split("\0")
        return frozenset(row.removeprefix(f"{tree.sha}:") for row in rows if row)

    @cached_property
    def origin(self) -> str:
        """The address that the repository was cloned from, "" if none is known."""
        if self._origin is not None:
            return self._origin
        try:
            return run(self.path, "config", "--get", "remote.origin.url").decode(errors="replace").strip()
        except GitError:
            return ""

    def commits_between(self, tip: str, head: str) -> tuple[str, ...]:
        """Every commit that `head` would bring to `tip`, those behind merges included."""
        return tuple(run(self.path, "rev-list", "--end-of-options", f"{tip}..{head}").decode().split())

    def materialise(self, tree: Tree, paths: Iterable[str] | None, into: Path) -> tuple[Finding, ...]:
        """Lay out these files (None: all) below `into`; what must not be laid out is an error finding each."""
        entries = tree.entries()
        wanted = [entries[p] for p in (entries if paths is None else sorted(set(paths))) if p in entries]
        findings = [finding for entry in wanted if (finding := _refused(entry, tree))]
        refused = {finding.path for finding in findings}
        allowed = [entry for entry in wanted if entry.path not in refused]
        contents = tree.read_many([entry.path for entry in allowed])
        for folder in {posixpath.dirname(entry.path) for entry in allowed}:
            (into / folder).mkdir(parents=True, exist_ok=True)
        # Links last, so that no file is ever written through one.
        for entry in sorted(allowed, key=lambda e: e.mode == "120000"):
            _write(into, entry, contents[entry.path])
        return tuple(findings)

    def _differences(self, base: str, head: str) -> tuple[Difference, ...]:
        if self._last is None or self._last[0] != (base, head):
            self._last = ((base, head), differences(self.path, base, head))
        return self._last[1]

    def _uncommitted(self, base: str) -> tuple[FileChange, ...]:
        before, after = self.tree(base).entries(), self.worktree().entries()
        changes = [FileChange(p, "removed") for p in before.keys() - after.keys()]
        for path, entry in after.items():
            old = before.get(path)
            if old is None:
                changes.append(FileChange(path, "added"))
            elif (old.mode, old.blob) != (entry.mode, entry.blob) and old.mode != "160000":
                changes.append(FileChange(path, "modified"))
        return tuple(sorted(changes, key=lambda c: c.path))

    def _shallow_hint(self) -> str:
        try:
            shallow = run(self.path, "rev-parse", "--is-shallow-repository").strip() == b"true"
        except GitError:
            shallow = False
        return "this clone is shallow: fetch its history (fetch-depth: 0)" if shallow else "see `git branch --all`"


def _layout(path: Path, said: str) -> tuple[bool, Path]:
    """Is the repository bare, and where is its top, from what rev-parse says: a bare one has no way up to say."""
    bare, _, rest = said.rstrip("\n").partition("\n")
    if bare == "true":
        return True, Path(rest)
    if rest.startswith("/"):
        raise GitError("inside of .git there is no work tree")
    return False, (path / rest.partition("\n")[0]).resolve()


def _change(row: Difference) -> FileChange:
    return FileChange(row.path, STATUS.get(row.status, "modified"), row.previous_path)


def _refused(entry: TreeEntry, tree: Tree) -> Finding | None:
    parts = entry.path.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts) or entry.path.startswith("/"):
        return _finding(entry, "the file's name leaves the checkout", "rename it")
    if entry.mode == "160000":
        return _finding(entry, "a submodule is not fetched", "commit the files that rendering needs")
    if entry.mode == "120000":
        target = os.fsdecode(tree.read(entry.path) or b"")
        landing = posixpath.normpath(posixpath.join(posixpath.dirname(entry.path), target))
        if target.startswith("/") or landing == ".." or landing.startswith("../") or "\0" in target:
            return _finding(entry, "the symbolic link leaves the repository", "replace it by the file itself")
    return None


def _finding(entry: TreeEntry, message: str, help: str) -> Finding:
    return Finding(CheckName.RENDER, "leaves-the-checkout", Severity.ERROR, message, path=entry.path, help=help)


def _write(into: Path, entry: TreeEntry, data: bytes) -> None:
    place = into / entry.path
    if entry.mode == "120000":
        place.symlink_to(os.fsdecode(data))
        return
    place.write_bytes(data)
    if entry.mode == "100755":
        place.chmod(0o755)
