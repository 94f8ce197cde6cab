"""Where a rendered object comes from: find its document in the source file."""

from __future__ import annotations

from functools import lru_cache

from review_bot.core.errors import YamlError
from review_bot.core.model import Resource, Source, Tree
from review_bot.core.resources import from_documents
from review_bot.core.yaml_reader import parse


class Origins:
    """Documents of one tree's files, parsed at most once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._of = lru_cache(maxsize=512)(self._parse)

    def located(self, resource: Resource, path: str) -> Resource:
        """The resource with the place and lines of its document in `path`; prefixes and suffixes do not matter."""
        candidates = [r for r in self._of(path) if r.id.kind == resource.id.kind]
        if not candidates:
            return Resource(resource.id, resource.manifest, Source(path, None), {}, resource.patched_by)
        best = max(candidates, key=lambda r: _likeness(r.id.name, resource.id.name))
        return Resource(resource.id, resource.manifest, best.source, best.lines, resource.patched_by)

    def _parse(self, path: str) -> tuple[Resource, ...]:
        data = self._tree.read(path)
        try:
            return from_documents(parse(data, path=path, strict=False), path=path)[0] if data is not None else ()
        except YamlError:
            return ()


def _likeness(source: str, rendered: str) -> tuple[bool, int]:
    return (source == rendered, len(source) if source in rendered else 0)
