"""A tree with files that are not in it: what a delivery tool would generate, copy or fetch before it renders.

Renderers and planning see one tree and need not know. What was generated is known again by `original`, so that a
finding is shown where its cause stands in the repository.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from review_bot.core.blobs import blob_of
from review_bot.core.errors import InputError
from review_bot.core.model import Remote, Source, Tree, TreeEntry


class Graft:
    """One side of a review as delivery tools see it; it only grows. Is a `Tree`."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._entries = dict(tree.entries())
        self._contents: dict[str, bytes] = {}
        self._others: dict[str, tuple[Tree, str]] = {}
        self._copies: dict[str, str] = {}
        self._places: dict[str, Source] = {}
        # Files as they are with their references to elsewhere led to what was fetched; and as they were.
        self._led: dict[str, tuple[bytes, TreeEntry]] = {}
        # What was not fetched, by the file and the reference in it, and why.
        self.refused: dict[tuple[str, str], InputError] = {}
        # Folders that were filled with what lies elsewhere, and with what.
        self.filled: dict[str, Remote] = {}
        # The folders that were made by copying or mounting.
        self.made: set[str] = set()

    @property
    def sha(self) -> str:
        return self._tree.sha

    @cached_property
    def own(self) -> Sequence[str]:
        """The files of the tree itself, in order."""
        return sorted(self._tree.entries())

    @cached_property
    def folders(self) -> Sequence[str]:
        """The folders of the tree itself, in order; the root is none."""
        return folders_of(self.own)

    def entries(self) -> Mapping[str, TreeEntry]:
        return self._entries

    def read(self, path: str) -> bytes | None:
        return self.read_many([path]).get(path)

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        generated = {p: self._led[p][0] if p in self._led else self._contents[p] for p in paths if self._is_at_hand(p)}
        rest = [p for p in paths if p not in generated]
        mounted = {p: self._others[p] for p in rest if p in self._others}
        own = {p: self._copies.get(p, p) for p in rest if p not in mounted}
        contents = self._tree.read_many(list(own.values()))
        found = {p: contents[origin] for p, origin in own.items() if origin in contents}
        fetched = {p: data for p, (tree, inner) in mounted.items() if (data := tree.read(inner)) is not None}
        return {**generated, **found, **fetched}

    def _is_at_hand(self, path: str) -> bool:
        return path in self._led or path in self._contents

    def lead(self, path: str, data: bytes) -> None:
        """The same file with references that are led elsewhere: it stays what it is, and whose it is."""
        before = self._led[path][1] if path in self._led else self._entries[path]
        self._led[path] = data, before
        self._entries[path] = TreeEntry(path, before.mode, blob_of(data))

    def write(self, path: str, data: bytes, source: Source) -> None:
        """A generated file; `source` is where the words that made it stand."""
        self._copies.pop(path, None)
        self._led.pop(path, None)
        self._contents[path] = data
        self._places[path] = source
        self._entries[path] = TreeEntry(path, "100644", blob_of(data))

    @property
    def generated(self) -> Mapping[str, bytes]:
        """The generated files' contents."""
        return self._contents

    def copy(self, paths: Sequence[str], folder: str, to: str) -> list[str]:
        """Files below `folder` once more below `to`, a folder of the bot's own; their new paths. Raises InputError."""
        self._claim(to)
        added = []
        for path in paths:
            copied = to + (f"/{path}" if folder == "." else path[len(folder) :])
            for known in (self._contents, self._others):
                if path in known:
                    known[copied] = known[path]  # type: ignore[assignment]
                    break
            else:
                self._copies[copied] = self._copies.get(path, path)
            self._led.pop(copied, None)
            self._places[copied] = self.original(path)
            # From elsewhere the references lead another way.
            entry = self._led[path][1] if path in self._led else self._entries[path]
            self._entries[copied] = TreeEntry(copied, entry.mode, entry.blob)
            added.append(copied)
        return added

    def mount(self, tree: Tree, to: str, source: Source) -> list[str]:
        """Another tree below `to`, a folder of the bot's own; the new paths. Raises InputError."""
        self._claim(to)
        added = []
        for path, entry in tree.entries().items():
            mounted = f"{to}/{path}"
            self._others[mounted] = (tree, path)
            self._places[mounted] = source
            self._entries[mounted] = TreeEntry(mounted, entry.mode, entry.blob)
            added.append(mounted)
        return added

    def _claim(self, to: str) -> None:
        """Make the folder. Raises InputError where the tree has one, whose files would be taken for what was made."""
        if to not in self.made:
            at, entries = bisect_left(self.own, f"{to}/"), self._tree.entries()
            is_there = at < len(self.own) and self.own[at].startswith(f"{to}/")
            if is_there or any(to[:end] in entries for end in (*(n for n, c in enumerate(to) if c == "/"), len(to))):
                raise InputError(f"{to} is a name that the bot keeps for itself", path=to, help="rename what has it")
            self.made.add(to)

    def is_made(self, path: str) -> bool:
        """Was the file copied, mounted or generated?"""
        return path in self._places

    def copied_from(self, path: str) -> str | None:
        """The file of the tree itself that this one is a copy of, None if it is none."""
        return self._copies.get(path)

    def original(self, path: str, line: int | None = None) -> Source:
        """Where a file's words stand in the repository: the file itself, that which it copies, or what asked for it."""
        place = self._places.get(path)
        if place is None:
            return Source(path, line)
        return place if place.line is not None or path in self._contents else Source(place.path, line)


def folders_of(paths: Iterable[str]) -> list[str]:
    """All folders above the files, in order; the root is none."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return sorted(found)


def is_shadowed(graft: Graft, path: str, folder: str) -> bool:
    """Is the file, which lies below the folder, there only because something was copied or generated within it?"""
    inner = path if folder == "." else path[len(folder) + 1 :]
    return graft.is_made(path) and "~" in inner.rpartition("/")[0]
