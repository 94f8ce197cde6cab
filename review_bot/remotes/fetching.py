"""One door to everything that lies elsewhere."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from review_bot.core.archives import unpacked, without_top
from review_bot.core.errors import InputError
from review_bot.core.files_tree import FilesTree
from review_bot.core.model import Remote, RemoteKind, Tree
from review_bot.core.remote_hosts import RemoteHosts
from review_bot.remotes import charts, oci, repositories
from review_bot.remotes.folders import Kept
from review_bot.remotes.web import Web

_EXACT = re.compile(r"v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?\Z")
_NOT_PINNED = "name one version: what a range means changes with what lies there, and so would this review"


class Remotes:
    """Fetches once what one revision names. Safe to use from several threads."""

    def __init__(self, hosts: RemoteHosts, folder: Path) -> None:
        self._web = Web(hosts)
        self._folder = folder
        self._kept = Kept(folder / "archives")
        self._locks: dict[Remote, threading.Lock] = {}
        self._guard = threading.Lock()

    def fetch(self, remote: Remote) -> Tree:
        """What lies there. Raises InputError with the cause and what operator or author can do."""
        with self._guard:
            lock = self._locks.setdefault(remote, threading.Lock())
        with lock:
            if remote.kind is RemoteKind.GIT:
                return repositories.tree(remote, self._web, self._folder / "git")
            return self._unpacked(remote)

    def _unpacked(self, remote: Remote) -> Tree:
        what = f"{remote.name or remote.url} {remote.revision}"
        # Allowed once is not allowed for ever.
        if remote.kind is RemoteKind.HELM:
            self._web.allowed(remote.url)
            pinned = _EXACT.match(remote.revision) is not None
        else:
            self._web.named(oci.address(remote))
            pinned = oci.pinned(remote.revision)
        if not pinned:
            named = remote.name or remote.url
            raise InputError(f"{named}: {remote.revision or 'no version'} is not one version", help=_NOT_PINNED)
        key = (str(remote.kind), remote.url, remote.name, remote.revision)
        data = self._kept.get(*key)
        if data is None:
            data = (charts if remote.kind is RemoteKind.HELM else oci).archive(remote, self._web)
            files = unpacked(data, what)
            self._kept.put(data, *key)
        else:
            files = unpacked(data, what)
        top = without_top(files)
        return FilesTree(what, top if "Chart.yaml" in top else files)
