"""What lies elsewhere, made part of one side's tree: fetched, mounted, and the references of kustomizations led there.

Whoever reads the tree then needs to know nothing of it, and renders without network.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from review_bot.core import kustomization
from review_bot.core.charts import home_of, in_sync, remote_dependencies
from review_bot.core.closure import Files, folder_of, is_below, join, kustomize_reads, normal
from review_bot.core.errors import InputError, YamlError
from review_bot.core.graft import Graft
from review_bot.core.kustomization import BASES, MOUNTS
from review_bot.core.lenient import items
from review_bot.core.model import Remote, RemoteKind, Source, Tree
from review_bot.core.remote_bases import base_of

# On one side. Each may keep its host waiting, and the review with it.
MOST_PLACES = 500


class Elsewhere:
    """Mounts what lies elsewhere in one `graft`, each once.

    `tree_of` fetches; it raises InputError. `mounted` is told the paths of what was.
    """

    def __init__(
        self,
        graft: Graft,
        files: Files,
        tree_of: Callable[[Remote], Tree],
        mounted: Callable[[Sequence[str]], None] = lambda _paths: None,
    ) -> None:
        self._graft, self._files = graft, files
        self._tree_of, self._mounted = tree_of, mounted
        self._refused: dict[Remote, InputError] = {}
        self._asked = 0

    def fetched(self, remote: Remote, source: Source) -> str:
        """The folder under which it lies; `source` is where it is asked for. Raises InputError."""
        if remote in self._refused:
            raise self._refused[remote]
        folder = _folder_of(remote)
        if folder not in self._graft.made:
            self._asked += 1
            try:
                if self._asked > MOST_PLACES:
                    raise InputError(
                        f"more than {MOST_PLACES} places elsewhere are named", help="commit what they hold"
                    )
                tree = self._tree_of(remote)
            except InputError as error:
                self._refused[remote] = error
                raise
            added = self._graft.mount(tree, folder, source)
            self._files.add(added)
            self._mounted(added)
        return folder

    def complete(self, folder: str, *, charts: bool) -> None:
        """Lead all that the kustomization in the folder reaches to what lies elsewhere, with `charts` to those too.

        What can't be had stays as it is, and the graft knows why.
        """
        seen = set[str]()
        while found := (kustomize_reads(self._files, folder) & self._files.away) - seen:
            for entry in sorted(found):
                seen.add(entry)
                self._lead(entry)
                if charts:
                    self._pull(entry)
        for entry in kustomize_reads(self._files, folder) if seen else ():
            if entry.startswith(f"{MOUNTS}/") and posixpath.basename(entry) in kustomization.NAMES:
                self._keep_inside(entry)

    def complete_chart(self, folder: str) -> None:
        """Fill the charts/ of a chart as `helm dependency build` would; the graft knows why where it can't be done."""
        entry, lock = join(folder, "Chart.yaml"), join(folder, "Chart.lock")
        whole = in_sync(folder, self._files)
        for remote in list(remote_dependencies(folder, self._files)):
            try:
                if not whole:
                    raise InputError(
                        f"{lock} is out of sync with Chart.yaml", help=f"run `helm dependency update {folder}`"
                    )
                self._fill(normal(home_of(remote, folder)), folder, remote, self._place(entry, remote.name))
            except InputError as error:
                self._graft.refused[entry, remote.name] = error
        self._files.replaced(entry)

    def _lead(self, entry: str) -> None:
        content = self._files.parsed(entry) or {}
        found = {}
        for reference in dict.fromkeys(kustomization.references(content)):
            way = self._way(entry, reference, content)
            if way is not None and way != reference:
                found[reference] = way
        if found:
            data = _with(self._graft.read(entry) or b"", content, found, entry)
            self._graft.lead(entry, data)
            self._files.replaced(entry)

    def _way(self, entry: str, reference: str, content: Mapping[str, Any]) -> str | None:
        """The reference to what was fetched for it, None where nothing is to be."""
        if MOUNTS in reference and not kustomization.is_remote(reference):
            # Taken from a folder from which it was another way.
            start = reference.index(MOUNTS)
            return _relative(reference[start:], entry) if set(reference[:start].split("/")) <= {"..", ""} else None
        if not kustomization.is_remote(reference):
            return None
        try:
            if not any(reference in items(content.get(field)) for field in BASES):
                raise InputError("only resources and components are fetched", help="commit what it holds")
            base = base_of(reference)
            folder = normal(join(self.fetched(base.remote, self._place(entry, reference)), base.folder))
            if self._files.kustomization_of(folder) is None:
                raise InputError(f"there is no kustomization in {base.folder}", help="correct the folder")
            self._graft.refused.pop((entry, reference), None)
            return _relative(folder, entry)
        except InputError as error:
            self._graft.refused[entry, reference] = error
            return None

    def _pull(self, entry: str) -> None:
        """Charts that kustomize would pull, to where it looks for them first."""
        content = self._files.parsed(entry) or {}
        for chart in kustomization.helm_charts(content):
            to = normal(join(folder_of(entry), kustomization.chart_folder(content, chart)))
            repository, name = chart.get("repo"), str(chart["name"])
            if not isinstance(repository, str):
                continue
            kind = RemoteKind.OCI if repository.startswith("oci://") else RemoteKind.HELM
            remote = Remote(kind, repository, name, str(chart.get("version") or ""))
            try:
                self._fill(to, folder_of(entry), remote, self._place(entry, name))
                self._files.replaced(entry)
            except InputError as error:
                self._graft.refused[entry, name] = error

    def _fill(self, to: str, home: str, remote: Remote, source: Source) -> None:
        """Raises InputError. What lies in the folder already stays, if nothing else was fetched into it."""
        if not is_below(to, home):
            raise InputError(f"{to} is not below {home}", help="correct the chart's name, or chartHome")
        known = self._graft.filled.get(to, remote)
        if known != remote:
            raise InputError(
                f"{known.url} has filled {to} already, for another kustomization",
                help="give each a helmGlobals.chartHome of its own",
            )
        if not self._files.is_folder(to):
            folder = self.fetched(remote, source)
            self._files.add(self._graft.copy(list(self._files.below(folder)), folder, to))
            self._graft.filled[to] = remote

    def _keep_inside(self, entry: str) -> None:
        """What was fetched refers to what was fetched, and not to who asked for it."""
        for reference in self._files.kustomization(entry).local:
            if not normal(join(folder_of(entry), reference)).startswith(f"{MOUNTS}/"):
                self._graft.refused[entry, reference] = InputError("leads out of its repository")

    def _place(self, entry: str, text: str) -> Source:
        rows = (self._graft.read(entry) or b"").decode(errors="replace").splitlines()
        line = next((number for number, row in enumerate(rows, 1) if text in row), None)
        return Source(self._graft.original(entry).path, line)


def _with(data: bytes, content: Mapping[str, Any], ways: Mapping[str, str], entry: str) -> bytes:
    """The kustomization with other references; line by line the same where its text allows that."""
    new = dict(content)
    for field in BASES:
        if field in new:
            new[field] = list(_led(items(new[field]), ways))
    text = data.decode(errors="replace")
    for reference, way in sorted(ways.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(reference, way)
    try:
        if kustomization.read(text.encode(), entry) == new:
            return text.encode()
    except YamlError:
        pass
    return json.dumps(new).encode()


def _led(references: Sequence[Any], ways: Mapping[str, str]) -> Iterator[Any]:
    yield from (ways.get(reference, reference) if isinstance(reference, str) else reference for reference in references)


def _relative(folder: str, entry: str) -> str:
    return posixpath.relpath(folder, posixpath.dirname(entry) or ".")


def _folder_of(remote: Remote) -> str:
    """A name in the tree for what lies elsewhere; no two have the same."""
    words = [remote.url.partition("://")[2] or remote.url, remote.name, remote.revision]
    safe = ["".join(c if c.isalnum() or c in "._-" else "-" for c in word).strip(".-") for word in words]
    own = hashlib.sha256(repr(remote).encode(errors="surrogateescape")).hexdigest()[:8]
    return "/".join((MOUNTS, *(word for word in safe if word), own))
