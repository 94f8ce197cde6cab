"""One door to everything that lies elsewhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from review_bot.core.archives import unpacked, without_top
from review_bot.core.errors import InputError
from review_bot.core.files_tree import FilesTree
from review_bot.core.model import Remote, RemoteKind, Tree
from review_bot.core.remote_hosts import RemoteHosts
from review_bot.core.repo_urls import without_secrets
from review_bot.core.version_ranges import is_exact
from review_bot.remotes import charts, oci, repositories, single_files, versions
from review_bot.remotes.budget import Budget, make_room
from review_bot.remotes.folders import Kept
from review_bot.remotes.registry import Api
from review_bot.remotes.web import Unreachable, Web

_NOT_PINNED = "name one version: what a range means changes with what lies there, and so would this review"

_T = TypeVar("_T")


class Remotes:
    """What lies elsewhere, for one review: both of its sides see the same, whatever is moved meanwhile.

    Safe to use from several threads.
    """

    def __init__(self, hosts: RemoteHosts, folder: Path) -> None:
        self._hosts = hosts
        self._folder = folder
        self._kept = Kept(folder / "archives")
        self._known: dict[Remote, Tree | InputError] = {}
        self._listed: dict[Remote, tuple[str, ...] | InputError] = {}
        self._locks: dict[Remote, threading.Lock] = {}
        self._guard = threading.Lock()
        self._budget = Budget()

    def fetch(self, remote: Remote) -> Tree:
        """What lies there. Raises InputError with the cause and what operator or author can do."""
        return self._once(remote, self._known, self._tree)

    def versions(self, remote: Remote) -> tuple[str, ...]:
        """In which versions it lies there now, whatever revision is asked for. Raises InputError."""
        return self._once(replace(remote, revision="", floating=True), self._listed, versions.listed)

    def _once(self, remote: Remote, known: dict[Remote, _T | InputError], ask: Callable[[Remote, Web], _T]) -> _T:
        """A host that does not answer is waited for once, too."""
        with self._guard:
            lock = self._locks.setdefault(remote, threading.Lock())
        with lock:
            if remote not in known:
                known[remote] = self._asked(remote, ask)
            found = known[remote]
        if isinstance(found, InputError):
            raise InputError(found.message, help=found.help)
        return found

    def _asked(self, remote: Remote, ask: Callable[[Remote, Web], _T]) -> _T | InputError:
        try:
            with self._budget.waiting():
                return ask(remote, Web(self._hosts))
        except InputError as error:
            # Addresses may hold a password, and so may what git says of them.
            return InputError(without_secrets(error.message), help=without_secrets(error.help))

    def _tree(self, remote: Remote, web: Web) -> Tree:
        if remote.kind is not RemoteKind.GIT:
            return self._unpacked(remote, web)
        tree, size = repositories.tree(remote, web, self._folder / "git", self._make_room)
        self._budget.hold(size)
        return tree

    def _make_room(self) -> None:
        make_room(self._folder / "git", self._folder / "archives")

    def _unpacked(self, remote: Remote, web: Web) -> Tree:
        what = f"{remote.name or remote.url} {remote.revision}".strip()
        # Allowed once is not allowed for ever.
        row = web.named(oci.address(remote)) if remote.kind is RemoteKind.OCI else web.allowed(remote.url)
        if not _is_pinned(remote):
            named = remote.name or remote.url
            raise InputError(f"{named}: {remote.revision or 'no version'} is not one version", help=_NOT_PINNED)
        revision, ask = self._sought(remote, web, row.terms)
        key = (str(remote.kind), remote.url, remote.name, revision, row.terms)
        kept = self._allowed_still(web, *key)
        if kept is None:
            self._make_room()
        data = kept if kept is not None else ask()
        files = single_files.as_folder(remote, data) if remote.kind is RemoteKind.FILE else unpacked(data, what)
        if kept is None:
            through = json.dumps([without_secrets(url) for url in web.through])
            self._kept.put(through.encode() + b"\n" + data, *key)
        self._budget.hold(sum(map(len, files.values())))
        top = without_top(files)
        return FilesTree(what, top if "Chart.yaml" in top else files)

    def _sought(self, remote: Remote, web: Web, terms: str) -> tuple[str, Callable[[], bytes]]:
        """What it is kept by, and how it is fetched: of an artifact the layer that its tag stands for now."""
        if remote.kind is not RemoteKind.OCI:
            return remote.revision, lambda: _FETCHED_BY[remote.kind](remote, web)
        api = oci.api_of(remote, web)
        digest = oci.layer(self._manifest(remote, api, terms), remote)
        return digest, lambda: oci.archive(digest, remote, api)

    def _manifest(self, remote: Remote, api: Api, terms: str) -> bytes:
        """As it is now, or as it was where the registry does not answer; by its digest it needs not be asked for."""
        key = ("manifest", remote.url, remote.name, remote.revision, terms)
        known = self._kept.get(*key)
        if known is not None and oci.DIGEST.match(remote.revision):
            return known
        try:
            found = oci.manifest(remote, api)
        except Unreachable:
            if known is None:
                raise
            return known
        if found != known:
            self._kept.put(found, *key)
        return found

    def _allowed_still(self, web: Web, *key: str) -> bytes | None:
        """What was kept, if all that it came through may still be asked."""
        through, _, data = (self._kept.get(*key) or b"").partition(b"\n")
        try:
            return data if all(web.hosts.find(url) for url in json.loads(through)) else None
        except (ValueError, TypeError):
            return None


def _is_pinned(remote: Remote) -> bool:
    # A chart's name comes with a version, which helm would take for a range if it is not a whole one.
    if remote.kind is RemoteKind.HELM or remote.name:
        return is_exact(remote.revision) and not remote.floating
    # A single file's address says it itself (core.remote_bases).
    return remote.kind is RemoteKind.FILE or (oci.pinned(remote.revision) and not remote.floating)


_FETCHED_BY = {RemoteKind.HELM: charts.archive, RemoteKind.FILE: single_files.content}
