"""A helmfile's text: its documents put together, its bases, and where a field stands."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from review_bot.core.model import Source, Tree
from review_bot.core.yaml_reader import Document, parse

MOST_KEPT = 1 << 16
# Between the documents of a template, which helmfile renders one after the other.
DIVIDER = "\n---\n"
# What a base that is followed may not bring: whose places could no longer be told.
_OF_A_BASE = frozenset(["environments", "helmDefaults", "values", "commonLabels", "repositories", "templates"])


@dataclass(frozen=True)
class HelmfileText:
    """A helmfile: its documents put together, the later one winning, and where a field stands.

    `bases` are the files whose settings are among its own; `templated`: were fields of an environment filled in?
    """

    path: str
    content: Mapping[str, Any]
    documents: tuple[Document, ...] = ()
    bases: tuple[str, ...] = ()
    templated: bool = False

    def at(self, *path: str | int) -> Source:
        for document in reversed(self.documents):
            if path in document.lines:
                return Source(self.path, document.lines[path])
        return Source(self.path, 1)

    def beside(self, reference: str) -> str:
        """The path from the repository's root of what the file names."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.path), reference))

    def listed(self, key: str) -> Iterator[tuple[int, Any]]:
        value = self.content.get(key)
        yield from enumerate(value if isinstance(value, list) else ())


def parsed(data: bytes, path: str) -> HelmfileText:
    """Raises YamlError."""
    # Read again and again, by planning and by what follows; what is large is not worth keeping.
    return _remembered(data, path) if len(data) < MOST_KEPT else _put_together(data, path)


def with_bases(tree: Tree, file: HelmfileText) -> HelmfileText | None:
    """The file with what its bases bring, None if one is elsewhere, a template or brings more than settings.

    Raises YamlError.
    """
    content: dict[str, Any] = {}
    bases = tuple(file.beside(base) for base in _bases(file))
    for path in bases:
        data = tree.read(path) if posixpath.dirname(path) == posixpath.dirname(file.path) else None
        if data is None or b"{{" in data:
            return None
        found = parsed(data, path).content
        if not _OF_A_BASE.issuperset(found):
            return None
        # helmfile puts lists of several files together by rules of its own.
        if _clash(content, found):
            return None
        content = merged(content, found)
    return None if _clash(content, file.content) else replace(file, content=merged(content, file.content), bases=bases)


def _bases(file: HelmfileText) -> list[str]:
    bases = file.content.get("bases")
    return [str(base) for base in bases] if isinstance(bases, list) else []


def _clash(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Do both have a list at the same place?"""
    for key in old.keys() & new.keys():
        before, after = old[key], new[key]
        if isinstance(before, list) and isinstance(after, list):
            return True
        if isinstance(before, dict) and isinstance(after, dict) and _clash(before, after):
            return True
    return False


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Values under later ones, as helm and helmfile put them together: mappings are merged, all else replaced."""
    found = dict(old)
    for key, value in new.items():
        before = found.get(key)
        found[key] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return found


@lru_cache(maxsize=256)
def _remembered(data: bytes, path: str) -> HelmfileText:
    return _put_together(data, path)


def _put_together(data: bytes, path: str) -> HelmfileText:
    documents = parse(data, path=path)
    content: dict[str, Any] = {}
    for document in documents:
        if isinstance(document.value, dict):
            content |= document.value
    return HelmfileText(path, content, documents)
