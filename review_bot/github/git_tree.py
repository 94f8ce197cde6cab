"""Trees of a repository, read through git's plumbing: no work tree, no filters, no attributes."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from review_bot.core.model import TreeEntry
from review_bot.github.git_process import run


class GitTree:
    """A commit's tree."""

    def __init__(self, folder: Path, sha: str) -> None:
        self._folder = folder
        self._sha = sha
        self._blobs: dict[str, bytes] = {}

    @property
    def sha(self) -> str:
        return self._sha

    @cached_property
    def _entries(self) -> Mapping[str, TreeEntry]:
        listing = run(self._folder, "ls-tree", "-r", "-z", "--full-tree", self._sha)
        entries = {}
        for row in listing.decode(errors="surrogateescape").split("\0"):
            if row:
                about, _, path = row.partition("\t")
                mode, _, blob = about.split(" ")
                entries[path] = TreeEntry(path, mode, blob)
        return entries

    def entries(self) -> Mapping[str, TreeEntry]:
        return self._entries

    def read(self, path: str) -> bytes | None:
        return self.read_many([path]).get(path)

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        wanted = {p: e.blob for p in paths if (e := self._entries.get(p)) is not None and e.mode != "160000"}
        self._fetch(sorted({blob for blob in wanted.values() if blob not in self._blobs}))
        return {path: self._blobs[blob] for path, blob in wanted.items()}

    def _fetch(self, blobs: Sequence[str]) -> None:
        if not blobs:
            return
        output = run(self._folder, "cat-file", "--batch", stdin=("\n".join(blobs) + "\n").encode())
        start = 0
        for blob in blobs:
            end = output.index(b"\n", start)
            size = int(output[start:end].rsplit(b" ", 1)[1])
            self._blobs[blob] = output[end + 1 : end + 1 + size]
            start = end + size + 2


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
        data = self._bytes(entry)
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        return TreeEntry(entry.path, entry.mode, blob)

    def _bytes(self, entry: TreeEntry) -> bytes:
        place = self._folder / entry.path
        return os.fsencode(os.readlink(place)) if entry.mode == "120000" else place.read_bytes()

    def entries(self) -> Mapping[str, TreeEntry]:
        return self._entries

    def read(self, path: str) -> bytes | None:
        return self.read_many([path]).get(path)

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        return {path: self._bytes(entry) for path in paths if (entry := self._entries.get(path)) is not None}
