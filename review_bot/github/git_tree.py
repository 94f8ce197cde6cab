"""Trees of a repository, read through git's plumbing: no work tree, no filters, no attributes."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from review_bot.core.blobs import blob_of
from review_bot.core.model import TreeEntry
from review_bot.github.git_process import Objects, run


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of `git diff-tree --raw`: `status` is git's letter, `mode` and `blob` are those afterwards."""

    status: str
    path: str
    mode: str
    blob: str
    previous_path: str | None = None


def listed(folder: Path, sha: str) -> dict[str, TreeEntry]:
    """Every file of a commit."""
    listing = run(folder, "ls-tree", "-r", "-z", "--full-tree", sha)
    entries = {}
    for row in listing.decode(errors="surrogateescape").split("\0"):
        if row:
            about, _, path = row.partition("\t")
            mode, _, blob = about.split(" ")
            entries[path] = TreeEntry(path, mode, blob)
    return entries


def differences(folder: Path, base: str, head: str) -> tuple[Difference, ...]:
    """What differs between two commits, renames found."""
    words = ("diff-tree", "-r", "-z", "-M", "--raw", "--no-commit-id", "--no-abbrev", "--no-ext-diff", "--no-textconv")
    fields = iter(run(folder, *words, base, head).decode(errors="surrogateescape").split("\0"))
    found = []
    for about in fields:
        if about:
            _, mode, _, blob, status = about.split(" ")
            previous = next(fields) if status[0] == "R" else None
            found.append(Difference(status[0], next(fields), mode, blob, previous))
    return tuple(found)


def with_differences(entries: Mapping[str, TreeEntry], rows: Sequence[Difference]) -> dict[str, TreeEntry]:
    """The files of the other commit."""
    result = dict(entries)
    for row in rows:
        result.pop(row.previous_path or row.path, None)
    result.update((row.path, TreeEntry(row.path, row.mode, row.blob)) for row in rows if row.status != "D")
    return result


class GitTree:
    """A commit's tree."""

    def __init__(
        self,
        folder: Path,
        sha: str,
        objects: Objects | None = None,
        listing: Callable[[], Mapping[str, TreeEntry]] | None = None,
    ) -> None:
        self._sha = sha
        self._objects = objects or Objects(folder)
        self._listing = listing or (lambda: listed(folder, sha))

    @property
    def sha(self) -> str:
        return self._sha

    @cached_property
    def _entries(self) -> Mapping[str, TreeEntry]:
        return self._listing()

    def entries(self) -> Mapping[str, TreeEntry]:
        return self._entries

    def read(self, path: str) -> bytes | None:
        return self.read_many([path]).get(path)

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        wanted = {p: e.blob for p in paths if (e := self._entries.get(p)) is not None and e.mode != "160000"}
        contents = self._objects.read_many(wanted.values())
        return {path: contents[blob] for path, blob in wanted.items()}


class WorkTree:
    """The files as they lie in the work tree: tracked and untracked, without what git ignores."""

    sha = "worktree"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _entries(self) -> Mapping[str, TreeEntry]:
        listing = run(self._folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--full-name")
        entries = {}
        for path in sorted(set(listing.decode(errors="surrogateescape").split("\0"))):
            if path and (mode := self._mode(path)):
                entries[path] = TreeEntry(path, mode, "")
        return {path: self._hashed(entry) for path, entry in entries.items()}

    def _mode(self, path: str) -> str | None:
        try:
            about = os.lstat(self._folder / path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISLNK(about.st_mode):
            return "120000"
        if stat.S_ISREG(about.st_mode):
            return "100755" if about.st_mode & stat.S_IXUSR else "100644"
        return None

    def _hashed(self, entry: TreeEntry) -> TreeEntry:
        return TreeEntry(entry.path, entry.mode, blob_of(self._bytes(entry)))

    def _bytes(self, entry: TreeEntry) -> bytes:
        place = self._folder / entry.path
        return os.fsencode(os.readlink(place)) if entry.mode == "120000" else place.read_bytes()

    def entries(self) -> Mapping[str, TreeEntry]:
        return self._entries

    def read(self, path: str) -> bytes | None:
        return self.read_many([path]).get(path)

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        return {path: self._bytes(entry) for path in paths if (entry := self._entries.get(path)) is not None}
