"""How much one review may ask of elsewhere, and how much may be kept of it on this machine."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from review_bot.core.errors import InputError

# Waiting for others, and what of theirs is held in memory.
MOST_SECONDS, MOST_BYTES = 300, 1 << 30
# In the cache folder; and how long what was used is safe from being cleared away, since a review may be reading it.
MOST_KEPT, IN_USE_SECONDS = 10 << 30, 3600
_COMMIT_IT = "commit what is needed of it"


class Budget:
    """Of one review. Safe to use from several threads."""

    def __init__(self) -> None:
        self._seconds, self._bytes = 0.0, 0
        self._lock = threading.Lock()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """What is done within counts. Raises InputError if too much was done already."""
        if self._seconds > MOST_SECONDS:
            raise InputError(
                f"others have kept this review waiting for {MOST_SECONDS} s, so no more are asked",
                help=f"run it again, since what was fetched is kept; or {_COMMIT_IT}",
            )
        started = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._seconds += time.monotonic() - started

    def hold(self, size: int) -> None:
        """So many bytes are held from now on. Raises InputError if they are too many."""
        with self._lock:
            self._bytes += size
            if self._bytes > MOST_BYTES:
                raise InputError(f"what lies elsewhere takes more than {MOST_BYTES >> 20} MiB", help=_COMMIT_IT)


def make_room(*folders: Path) -> None:
    """Clear away what was not used for longest. Raises InputError where all that takes the room is in use.

    Each folder holds files, and folders `NAME.git` with a file `NAME.lock` that tells when they were used.
    """
    rows = [row for folder in folders for row in _kept(folder)]
    total, now = sum(size for _, size, _ in rows), time.time()
    for used, size, path in sorted(rows, key=lambda row: row[0]):
        if total <= MOST_KEPT or now - used < IN_USE_SECONDS:
            break
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        total -= size
    if total > MOST_KEPT:
        raise InputError(
            f"what was fetched from elsewhere within the hour takes more than {MOST_KEPT >> 30} GiB",
            help="try again later, or allow fewer hosts (docs/remotes.md)",
        )


def _kept(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When it was used, how large it is, and where it lies."""
    for path in folder.rglob("*.git"):
        yield _used(path.with_suffix(".lock")), sum(_size(p) for p in path.rglob("*")), path
    for root, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not name.endswith(".git")]
        for name in names:
            path = Path(root, name)
            yield _used(path), _size(path), path


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
