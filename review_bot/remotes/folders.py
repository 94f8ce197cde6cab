"""What was fetched, kept in the user's cache folder by what it is."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path


class Kept:
    """Bytes by a key, whole or not at all; safe to share between processes and to delete at any time.

    With them stands `through` which addresses they came.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, *key: str) -> tuple[bytes, list[str]] | None:
        """What was kept under the key, and through which addresses it came."""
        try:
            first, _, data = self._path(key).read_bytes().partition(b"\n")
            return data, [str(url) for url in json.loads(first)]
        except (OSError, ValueError, TypeError):
            return None

    def put(self, data: bytes, through: Sequence[str], *key: str) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as partial:
            partial.write(json.dumps(list(through)).encode() + b"\n" + data)
        os.replace(partial.name, path)

    def _path(self, key: Sequence[str]) -> Path:
        digest = hashlib.sha256(json.dumps(list(key)).encode()).hexdigest()
        return self._folder / digest[:2] / digest
