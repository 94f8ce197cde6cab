"""What was fetched, kept in the user's cache folder by what it is."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path


class Kept:
    """Bytes by a key, whole or not at all; safe to share between processes and to delete at any time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, *key: str) -> bytes | None:
        """What was kept under the key."""
        path = self._path(key)
        try:
            # What is used stays (remotes.budget).
            os.utime(path)
            return path.read_bytes()
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
