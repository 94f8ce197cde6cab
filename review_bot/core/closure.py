"""Everything that rendering a target reads, found by following references through one tree."""

from __future__ import annotations

import contextlib
import os
import posixpath
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from review_bot.core import kustomization
from review_bot.core.errors import YamlError
from review_bot.core.kustomization import Kustomization
from review_bot.core.model import Tree
from review_bot.core.terraform.scan import Scan
from review_bot.core.yaml_reader import load


class Files:
    """A tree with the questions that planning asks, each answered without walking the whole tree."""

    def __init__(self, tree: Tree, other: Files | None = None, *, same_reads: bool = False) -> None:
        """`other` is the other side of a change, `same_reads` that nothing changed which leads to further files."""
        self.tree = tree
        self.entries = tree.entries()
        self._sorted = sorted(self.entries)
        # By blob: two sides of a change share nearly all of them.
        self._parsed: dict[str, Kustomization] = other._parsed if other else {}
        # Terraform files by blob and whether they are JSON.
        self.scans: dict[tuple[str, bool], Scan] = other.scans if other else {}
        self.closures: dict[str, frozenset[str]] = other.closures if other and same_reads else {}
        # Kustomizations and charts in closures that name what lies elsewhere.
        self.away: set[str] = other.away if other and same_reads else set()

    def add(self, paths: Sequence[str]) -> None:
        """Files were added to the tree."""
        known = self.__dict__
        for path in paths:
            insort(self._sorted, path)
            if "kustomizations" in known and _name(path) in kustomization.NAMES:
                insort(known["kustomizations"], path)
            if "charts" in known and _name(path) == "Chart.yaml":
                insort(known["charts"], path)
            if "links" in known and self.entries[path].mode == "120000":
                insort(known["links"], path)

    @cached_property
    def kustomizations(self) -> Sequence[str]:
        """The kustomization files, in order."""
        return [p for p in self._sorted if p.endswith(kustomization.NAMES) and _name(p) in kustomization.NAMES]

    @cached_property
    def charts(self) -> Sequence[str]:
        """The charts' Chart.yaml, in order."""
        return [p for p in self._sorted if p.endswith("Chart.yaml") and _name(p) == "Chart.yaml"]

    @cached_property
    def links(self) -> Sequence[str]:
        """The symbolic links."""
        return [p for p in self._sorted if self.entries[p].mode == "120000"]

    def below(self, folder: str) -> Iterator[str]:
        """Every file below the folder, "." for all."""
        prefix = "" if folder == "." else f"{folder}/"
        for index in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            if not self._sorted[index].startswith(prefix):
                return
            yield self._sorted[index]

    def is_folder(self, path: str) -> bool:
        return path == "." or next(self.below(path), None) is not None

    def kustomization_of(self, folder: str) -> str | None:
        """The folder's kustomization file, None if it has none."""
        return next((p for n in kustomization.NAMES if (p := join(folder, n)) in self.entries), None)

    def parsed(self, path: str) -> Mapping[str, Any] | None:
        """A kustomization's or chart's mapping, None if it can't be read."""
        return self.kustomization(path).content

    def kustomization(self, path: str) -> Kustomization:
        """A kustomization file with what it refers to; one without content where there is none."""
        entry = self.entries.get(path)
        if entry is None:
            return Kustomization(None)
        found = self._parsed.get(entry.blob)
        if found is None:
            content = None
            with contextlib.suppress(YamlError):
                data = self.tree.read(path)
                content = kustomization.read(data, path) if data is not None else None
            found = self._parsed[entry.blob] = Kustomization(content)
        return found

    def replaced(self, path: str) -> None:
        """The file has another content now, and may lead elsewhere."""
        self.closures = {key: reads for key, reads in self.closures.items() if path not in reads}

    def preload(self, paths: list[str]) -> None:
        """Read many files in one go; later reads are answered from memory."""
        self.tree.read_many([p for p in paths if self.entries[p].blob not in self._parsed])

    def through_links(self, path: str) -> tuple[str, set[str]]:
        """The path with symbolic links followed inside the tree, and the links that were met."""
        met: set[str] = set()
        for _ in range(40):
            if not self.links:
                break
            link = next((p for p in _prefixes(path) if (e := self.entries.get(p)) and e.mode == "120000"), None)
            if link is None or link in met:
                break
            met.add(link)
            target = os.fsdecode(self.tree.read(link) or b"")
            path = normal(posixpath.join(posixpath.dirname(link), target) + path[len(link) :])
        return path, met


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def join(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def normal(path: str) -> str:
    return posixpath.normpath(path)


def folder_of(path: str) -> str:
    return path.rpartition("/")[0] or "."


def outside(path: str) -> bool:
    return path == ".." or path.startswith(("../", "/"))


def is_below(path: str, root: str) -> bool:
    """Does the path lie in the folder, or is it that itself? The repository's root is "."."""
    return not outside(path) and (root == "." or path == root or path.startswith(f"{root}/"))


def kustomize_reads(files: Files, folder: str) -> frozenset[str]:
    """The closure of a kustomization; of a part that can't be read all may belong to it that lies below."""
    known = files.closures.get(folder)
    if known is None:
        known = files.closures[folder] = frozenset(_kustomize_reads(files, folder))
    return known


def _kustomize_reads(files: Files, folder: str) -> set[str]:
    reads: set[str] = set()
    pending, seen = [folder], set[str]()
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        entry = files.kustomization_of(current)
        if entry is None:
            continue
        reads.add(entry)
        found = files.kustomization(entry)
        if found.content is None:
            reads.update(files.below(current))
        if found.leads_away:
            files.away.add(entry)
        for reference in found.local:
            _follow(files, join(current, reference), reads, pending)
    return reads


def _follow(files: Files, reference: str, reads: set[str], pending: list[str]) -> None:
    path = normal(reference)
    if outside(path):
        return
    resolved, links = files.through_links(path)
    reads |= links
    if outside(resolved):
        return
    for candidate in {path, resolved}:
        if files.kustomization_of(candidate):
            pending.append(candidate)
        elif join(candidate, "Chart.yaml") in files.entries:
            reads |= helm_reads(files, candidate)
        elif candidate in files.entries:
            reads.add(candidate)
        elif files.is_folder(candidate):
            reads.update(files.below(candidate))
        else:
            # What is missing today may be added tomorrow: as a file, or as a folder with a kustomization.
            reads.update({candidate, *(join(candidate, name) for name in kustomization.NAMES)})


def helm_reads(files: Files, chart: str, values: tuple[str, ...] = ()) -> frozenset[str]:
    """The chart's whole folder, its local dependencies' folders, and the value files."""
    # No folder of a repository has such a name.
    key = f"/{chart}"
    known = files.closures.get(key)
    if known is None:
        known = files.closures[key] = frozenset(_chart_reads(files, chart))
    return _linked(files, {*known, *values}) if values and files.links else known.union(values)


def _chart_reads(files: Files, chart: str) -> set[str]:
    reads: set[str] = set()
    pending, seen = [chart], set[str]()
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        reads.update({*files.below(current), join(current, "Chart.yaml")})
        pending += local_dependencies(files, current)
        if _lacks_dependencies(files, current):
            files.away.add(join(current, "Chart.yaml"))
    return set(_linked(files, reads))


def _linked(files: Files, reads: set[str]) -> frozenset[str]:
    """The files, and what is read in their place where links stand."""
    for path in list(reads) if files.links else ():
        resolved, links = files.through_links(path)
        if links and not outside(resolved):
            reads |= {*links, resolved, *files.below(resolved)}
    return frozenset(reads)


def local_dependencies(files: Files, chart: str) -> list[str]:
    """Folders that the chart's `file://` dependencies name."""
    content = _chart_file(files, join(chart, "Chart.yaml")) | _chart_file(files, join(chart, "requirements.yaml"))
    found = []
    dependencies = content.get("dependencies")
    for dependency in dependencies if isinstance(dependencies, list) else []:
        repository = dependency.get("repository") if isinstance(dependency, dict) else None
        if isinstance(repository, str) and repository.startswith("file://"):
            path = normal(join(chart, repository.removeprefix("file://")))
            if not outside(path):
                found.append(path)
    return found


def _lacks_dependencies(files: Files, chart: str) -> bool:
    """Does a dependency lie elsewhere, and nothing of its name in the chart's charts/?"""
    content = files.parsed(join(chart, "Chart.yaml")) or {}
    found = content.get("dependencies")
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    names = {str(r.get("name")) for r in rows if "://" in (u := str(r.get("repository") or "")) and u[:7] != "file://"}
    prefix = len(join(chart, "charts/"))
    there = {path[prefix:].partition("/")[0] for path in files.below(join(chart, "charts"))} if names else set[str]()
    return any(not any(own == name or own.startswith(f"{name}-") for own in there) for name in names)


def _chart_file(files: Files, path: str) -> dict[str, Any]:
    data = files.tree.read(path) if path in files.entries else None
    try:
        value = load(data, path=path) if data is not None else None
    except YamlError:
        return {}
    return value if isinstance(value, dict) else {}


def _prefixes(path: str) -> Iterator[str]:
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        yield "/".join(parts[:end])
