"""Which folders a change can concern, so that planning looks into those and not into the whole repository.

Discovery of the folders found here gives, for every target that the change touches, makes or ends, what discovery of
everything would give; the rest is the same on both sides. That holds because of three steps, repeated until nothing
is added:

1. Who reads what is asked about? A kustomization that reaches a path must spell, in its text, the path's names from
   where the two part. Where no such name stands in its bytes it is not even parsed.
2. A kustomization found so is asked about in turn, since others may refer to it.
3. What it refers to on one side only may become a target of its own, or be one no longer. So is asked about too.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from review_bot.core import kustomization
from review_bot.core.closure import Files, folder_of, helm_reads, join, kustomize_reads, normal, outside
from review_bot.core.configuration import Config
from review_bot.core.discovery import Discovery, Scope, manifests, may_be_plain, uses
from review_bot.core.model import FileChange
from review_bot.core.terraform.modules import concerned

# Names that YAML writes in one way only, unless there are escapes.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.+@~=-]+\Z")
# Text that may spell a name in another way (escapes, tags, charts' names made of numbers, UTF-16), and references that
# end in dots: they name a folder above without its name.
_LOOSE = re.compile(rb"""\\|!|helmCharts|\x00|(?:\A|[\s"'\[{,:/=])\.{1,2}/*(?=[\s"',\]}]|\Z)""")


def scope_of(
    base: Files, head: Files, changes: Sequence[FileChange], config: Config, also: frozenset[str] = frozenset()
) -> Scope:
    """The folders that the changed files, and the files `also` asked about, can concern on either side."""
    changed = {path for change in changes for path in (change.path, change.previous_path) if path}
    if any(posixpath.basename(p) == "Chart.yaml" and (p in base.entries) != (p in head.entries) for p in changed):
        # A chart speaks for everything below its folder: much may become something else.
        return Scope()
    return _Search((base, head), config).run(changed, also)


class _Search:
    def __init__(self, sides: tuple[Files, Files], config: Config) -> None:
        self._sides = sides
        self._same_reads = sides[0].closures is sides[1].closures
        self._config = config
        self._asked: set[str] = set()
        # For each folder above what is asked about, the names that lead there.
        self._ways: dict[str, set[bytes]] = defaultdict(set)
        self._any_name = False
        self._kustomizations: set[str] = set()
        self._charts: set[str] = set()
        self._plain: set[str] = set()
        self._texts = _texts(sides)
        links = {posixpath.basename(link) for side in sides for link in side.links}
        self._links = [name.encode(errors="surrogateescape") for name in links]
        self._link_is_odd = any(not _PLAIN_NAME.match(name) for name in links)
        self._loose_charts = {folder for side in sides for folder in _loose_charts(side)}

    def run(self, changed: set[str], also: frozenset[str]) -> Scope:
        self._ask(changed | also)
        self._ask_plain(also)
        self._ask_plain(changed, always=True)
        defined = [{p for t in Discovery(side, self._config).defined() for p in t.reads or ()} for side in self._sides]
        # A chart that a release speaks for on one side only is a target of its own on the other.
        self._ask(defined[0] ^ defined[1])
        self._ask_plain(defined[0] ^ defined[1])
        size = -1
        while size != (size := len(self._asked) + len(self._kustomizations) + len(self._charts)):
            for folder in self._new_charts():
                self._charts.add(folder)
                self._ask([folder])
                self._ask_plain(path for side in self._sides for path in helm_reads(side, folder))
            for folder in self._new_kustomizations():
                self._kustomizations.add(folder)
                self._ask([folder])
                if not self._same_reads:
                    self._ask_what_differs(folder)
        modules = concerned(self._sides, changed)
        return Scope(frozenset(self._kustomizations), frozenset(self._charts), frozenset(self._plain), modules)

    def _ask(self, paths: Iterable[str]) -> None:
        for path in paths:
            if path in self._asked or outside(path):
                continue
            self._asked.add(path)
            while path not in ("", "."):
                above, _, name = path.rpartition("/")
                self._any_name = self._any_name or not _PLAIN_NAME.match(name)
                self._ways[above or "."].add(name.encode(errors="surrogateescape"))
                path = above

    def _ask_plain(self, paths: Iterable[str], always: bool = False) -> None:
        """Ask about folders of plain YAML whose files are or were among these; `always`: even where none is left."""
        for path in paths:
            folder = folder_of(path)
            if folder in self._plain or not any(always or path in side.entries for side in self._sides):
                continue
            if any(may_be_plain(side, folder) for side in self._sides):
                self._plain.add(folder)
                self._ask(path for side in self._sides for path in manifests(side, folder, self._config))

    def _new_charts(self) -> list[str]:
        known = {folder_of(entry) for side in self._sides for entry in side.charts}
        return sorted(f for f in known - self._charts if self._concerns(f) or f in self._loose_charts)

    def _concerns(self, folder: str) -> bool:
        """Is the folder asked about, or something in it?"""
        return folder in self._asked or folder in self._ways

    def _new_kustomizations(self) -> list[str]:
        found = []
        for folder, texts in self._texts.items():
            if folder not in self._kustomizations and self._may_refer(folder, texts) and self._refers(folder):
                found.append(folder)
        return found

    def _may_refer(self, folder: str, texts: Sequence[bytes]) -> bool:
        if self._any_name or self._link_is_odd or self._concerns(folder):
            return True
        names = set(self._names_towards(folder))
        return any(
            any(name in text for name in names)
            or any(link in text for link in self._links)
            or _LOOSE.search(text) is not None
            or text[:2] in (b"\xff\xfe", b"\xfe\xff")
            for text in texts
        )

    def _names_towards(self, folder: str) -> Iterator[bytes]:
        """Names of which a path from the folder to what is asked about, or to a folder of it, must hold one.

        Such a path leaves the folder's own one somewhere, and goes on with a name that is asked about there; it may
        also go up and come back down by the same names.
        """
        while folder not in ("", "."):
            folder = folder_of(folder)
            yield from self._ways.get(folder, ())

    def _refers(self, folder: str) -> bool:
        """Does the kustomization, on either side, refer to what is asked about, or is it asked about itself?"""
        if folder in self._asked:
            return True
        for side in self._sides:
            for entry in _entries(side, folder):
                if entry in self._asked or (side.parsed(entry) is None and folder in self._ways):
                    return True
                if any(self._concerns(path) for path in _named(side, entry)):
                    return True
        return False

    def _ask_what_differs(self, folder: str) -> None:
        """What the kustomization refers to or reads on one side only, and what that reads."""
        used = [{p for entry in _entries(side, folder) for p in uses(side, entry)} for side in self._sides]
        reads = [kustomize_reads(side, folder) for side in self._sides]
        kinds = [[(e, (side.parsed(e) or {}).get("kind")) for e in _entries(side, folder)] for side in self._sides]
        freed = set(reads[0] ^ reads[1]) if kinds[0] == kinds[1] else set(reads[0] | reads[1])
        differing = used[0] ^ used[1]
        for path in differing:
            for side in self._sides:
                freed |= kustomize_reads(side, path)
        self._ask(differing)
        self._ask_plain(freed)


def _texts(sides: Sequence[Files]) -> dict[str, list[bytes]]:
    """What the kustomization files of each folder say, on either side."""
    found: dict[str, list[bytes]] = defaultdict(list)
    seen: set[tuple[str, str]] = set()
    for side in sides:
        contents = side.tree.read_many(side.kustomizations)
        for path, data in contents.items():
            if (path, side.entries[path].blob) not in seen:
                seen.add((path, side.entries[path].blob))
                found[folder_of(path)].append(data)
    return found


def _loose_charts(side: Files) -> Iterator[str]:
    """Charts that may read files outside of their folder: by links, or as dependencies."""
    asked = [p for entry in side.charts for p in (entry, join(folder_of(entry), "requirements.yaml"))]
    for path, data in side.tree.read_many([p for p in asked if p in side.entries]).items():
        if b"file:" in data or b"\\" in data or b"!" in data:
            yield folder_of(path)
    charts = {folder_of(entry) for entry in side.charts} if side.links else set()
    for link in side.links:
        # A chart reads what lies in the charts within it too.
        yield from charts.intersection(_folders_above(link))


def _folders_above(path: str) -> Iterator[str]:
    while path != ".":
        path = folder_of(path)
        yield path


def _entries(side: Files, folder: str) -> list[str]:
    return [p for name in kustomization.NAMES if (p := join(folder, name)) in side.entries]


def _named(side: Files, entry: str) -> Iterator[str]:
    for reference in side.kustomization(entry).local:
        path = normal(join(folder_of(entry), reference))
        resolved, links = side.through_links(path)
        yield from (path, resolved, *links)
