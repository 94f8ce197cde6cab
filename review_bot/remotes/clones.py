"""Bare clones in the cache folder, one for each address: only what was asked for, and nothing that has no end."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from review_bot.core.errors import InputError
from review_bot.core.model import Tree, TreeEntry
from review_bot.core.planning import TEXTS
from review_bot.core.remote_hosts import PORTS, RemoteHost
from review_bot.github.git_process import Bounds, GitError, command, environment, run
from review_bot.github.git_tree import GitTree
from review_bot.remotes.addresses import address_of

# For a question, and for what is fetched.
SECONDS, FETCH_SECONDS = 30, 120
MOST_PACKED = 256 << 20
# GitHub takes no larger file either.
MOST_IN_A_FILE, MOST_IN_ALL, MOST_LISTED = 100 << 20, 1 << 30, 64 << 20
BOUNDS = Bounds(file_bytes=MOST_PACKED, memory_bytes=1 << 30)
# What a git leaves behind that was ended.
_LEFT = ("*.lock", "refs/**/*.lock", "objects/pack/tmp_*")
_SMALLER = "commit what it is needed for"


class Clone:
    """What was fetched from one address on one row's terms. Each method raises GitError with git's own words.

    Whoever changes it has its `turn` first.
    """

    def __init__(self, folder: Path, url: str, host: RemoteHost) -> None:
        self._path = folder.resolve() / f"{short(f'{url} {host.terms}')}.git"
        self._url, self._host = url, host

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One after another, other processes too."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(self._path.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # What is used stays (remotes.budget).
            os.utime(lock.fileno())
            yield

    def held(self, ref: str) -> str | None:
        """What stands there by this name, None for nothing."""
        try:
            return self._run("rev-parse", "--verify", "--quiet", ref).decode().strip()
        except (GitError, OSError):
            return None

    def advertised(self, *names: str) -> Mapping[str, str]:
        """What the server says that the full names stand for; without those that it has not."""
        self._make()
        words = ("ls-remote", "--quiet", "--end-of-options", self._url, *names)
        rows = self._run(*words, network=True, timeout=SECONDS).decode(errors="replace").splitlines()
        # It also lists what only ends so.
        return {name: sha for sha, _, name in (row.partition("\t") for row in rows) if name in names}

    def fetch(self, source: str, ref: str) -> None:
        """What the server has by the name `source`, as `ref`; into a new clone where this one is damaged."""
        is_new = self._make()
        try:
            self._fetch(source, ref)
        except GitError:
            if is_new or self._is_whole():
                raise
            self.remove()
            self._make()
            self._fetch(source, ref)

    def tree(self, ref: str) -> tuple[Tree, int]:
        """Its tree, and the size of the texts in it.

        Raises InputError for one that is too large, GitError for one that is not all there.
        """
        sha = self._run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").decode().strip()
        entries, size = _entries(self._listing(sha), self._url)
        return GitTree(self._path, sha, listing=lambda: entries), size

    def remove(self) -> None:
        """Away with it."""
        shutil.rmtree(self._path, ignore_errors=True)

    def _make(self) -> bool:
        """Make the clone, whole or not at all. False if it was there."""
        if self._path.is_dir():
            return False
        made = Path(tempfile.mkdtemp(dir=self._path.parent))
        try:
            run(made, "init", "--quiet", "--bare", "--template=")
            os.rename(made, self._path)
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return True

    def _fetch(self, source: str, ref: str) -> None:
        for left in (found for pattern in _LEFT for found in self._path.glob(pattern)):
            left.unlink(missing_ok=True)
        words = ("fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--end-of-options", self._url)
        self._run(*words, f"+{source}:{ref}", network=True, timeout=FETCH_SECONDS, bounds=BOUNDS)

    def _is_whole(self) -> bool:
        try:
            self._run("rev-list", "--objects", "--quiet", "--all", "--")
        except GitError:
            return False
        return True

    def _run(
        self, *words: str, network: bool = False, timeout: float = FETCH_SECONDS, bounds: Bounds | None = None
    ) -> bytes:
        # By its name, so that git looks for no other repository above a damaged one.
        extra = {"GIT_DIR": str(self._path), **(_environment(self._url, self._host) if network else {})}
        return run(self._path.parent, *words, extra=extra, timeout=timeout, bounds=bounds)

    def _listing(self, sha: str) -> bytes:
        """What `ls-tree` says, with sizes. Raises InputError for a list without end: a tree may hold one many times."""
        with subprocess.Popen(
            command(self._path, "ls-tree", "-r", "-l", "-z", "--full-tree", sha),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment({"GIT_DIR": str(self._path)}),
        ) as process:
            assert process.stdout is not None  # noqa: S101 - it was started with one
            clock = threading.Timer(FETCH_SECONDS, process.kill)
            clock.start()
            found = process.stdout.read(MOST_LISTED + 1)
            clock.cancel()
            if len(found) > MOST_LISTED:
                process.kill()
        if len(found) > MOST_LISTED:
            raise InputError(f"{self._url} holds too many files", help=_SMALLER)
        if process.returncode != 0:
            raise GitError("the tree is not all there")
        return found


def short(text: str) -> str:
    """A name for files and refs that no other text has."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]


def _entries(listing: bytes, url: str) -> tuple[Mapping[str, TreeEntry], int]:
    """From `ls-tree -l`, with the size of the texts, which all are looked into.

    Raises InputError where a file or all of them together are too large to be read.
    """
    entries, total, texts = {}, 0, 0
    for row in listing.decode(errors="surrogateescape").split("\0"):
        if row:
            about, _, path = row.partition("\t")
            mode, _, blob, size = about.split()
            entries[path] = TreeEntry(path, mode, blob)
            number = int(size) if size != "-" else 0
            total, texts = total + number, texts + (number if path.endswith(TEXTS) else 0)
            if number > MOST_IN_A_FILE:
                raise InputError(f"{url} holds a file of more than {MOST_IN_A_FILE >> 20} MiB: {path}", help=_SMALLER)
    if total > MOST_IN_ALL:
        raise InputError(f"{url} holds more than {MOST_IN_ALL >> 20} MiB", help=_SMALLER)
    return entries, texts


def _environment(url: str, host: RemoteHost) -> dict[str, str]:
    """Settings by the environment, so that no password stands in an argument or a file."""
    parts = urlsplit(url)
    address = address_of(parts.hostname or "", host)
    address = f"[{address}]" if ":" in address else address
    settings = {
        "http.followRedirects": "false",
        # The very address that was looked at.
        "http.curloptResolve": f"{parts.hostname}:{parts.port or PORTS[parts.scheme]}:{address}",
        "protocol.allow": "never",
        "protocol.https.allow": "always",
        # Packs are streamed to a file, within its bounds; single objects would be built in memory.
        "fetch.unpackLimit": "1",
        "core.bigFileThreshold": "32m",
        "pack.threads": "1",
    }
    if host.plain_http:
        settings["protocol.http.allow"] = "always"
    if host.password:
        pair = base64.b64encode(f"{host.username}:{host.password}".encode()).decode()
        settings["http.extraHeader"] = f"Authorization: Basic {pair}"
    # No ~/.netrc.
    found = {"HOME": os.devnull, "GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found
