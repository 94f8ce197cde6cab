"""A tree of files that are at hand, out of an archive or from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from review_bot.core.blobs import blob_of
from review_bot.core.model import TreeEntry

Files = Mapping[str, bytes]


class FilesTree:
    """A tree of files that are at hand. Is a core.model.Tree."""

    def __init__(self, name: str, files: Files) -> None:
        self._name, self._files = name, files

    @property
    def sha(self) -> str:
        return self._name

    @cached_property
    def _entries(self) -> Mapping[str, TreeEntry]:
        return {path: TreeEntry(path, "100644", blob_of(data)) for path, data in self._files.items()}

    def entries(self) -> Mapping[str, TreeEntry]:
        return self._entries

    def read(self, path: str) -> bytes | None:
        return self._files.get(path)

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        return {path: self._files[path] for path in paths if path in self._files}
