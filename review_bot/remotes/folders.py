"""What was fetched, kept in the user's cache folder by what it is, and read as a tree."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

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


class Kept:
    """Bytes by a key, whole or not at all; safe to share between processes and to delete at any time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, *key: str) -> bytes | None:
        """What was kept under the key."""
        try:
            return self._path(key).read_bytes()
        except OSError:
            return None

    def put(self, data: bytes, *key: str) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as partial:
            partial.write(data)
        os.replace(partial.name, path)

    def _path(self, key: Sequence[str]) -> Path:
        digest = hashlib.sha256(json.dumps(list(key)).encode()).hexdigest()
        return self._folder / digest[:2] / digest
