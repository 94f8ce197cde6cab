"""Trees for tests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from review_bot.core.model import TreeEntry


class MemoryTree:
    """A tree that is a mapping of paths to texts."""

    sha = "memory"

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def entries(self) -> Mapping[str, TreeEntry]:
        return {p: TreeEntry(p, "100644", hashlib.sha1(t.encode()).hexdigest()) for p, t in self._files.items()}

    def read(self, path: str) -> bytes | None:
        return self.read_many([path]).get(path)

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        return {p: self._files[p].encode() for p in paths if p in self._files}
