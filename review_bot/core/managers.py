"""Who set a field of a live object, and when, by its managedFields."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.core.model import FieldPath, Manifest


@dataclass(frozen=True, slots=True)
class Owner:
    """`field` is the dotted path; `since` the time of the manager's last write in UTC, None if it is not told."""

    field: str
    manager: str
    since: str | None


def owner(live: Manifest, field: str, path: FieldPath) -> Owner | None:
    """The manager that wrote the field last, None if nobody owns it: a default, or a field that is not there."""
    found = [
        Owner(field, str(row.get("manager")), row.get("time"))
        for row in _rows(live)
        if _holds(row.get("fieldsV1"), live, path)
    ]
    return max(found, key=lambda o: o.since or "", default=None)


def _rows(live: Manifest) -> Iterator[Mapping[str, Any]]:
    metadata = live.get("metadata")
    rows = metadata.get("managedFields") if isinstance(metadata, Mapping) else None
    yield from (r for r in rows or () if isinstance(r, Mapping))


def _holds(node: Any, value: Any, path: FieldPath) -> bool:
    """Is the field in the set, or one that it is part of and that is owned as a whole?"""
    for step in path:
        if not isinstance(node, Mapping):
            return False
        if not node:
            return True
        below = value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else None
        if isinstance(value, Mapping):
            below = value.get(str(step))
        node = node.get(f"f:{step}") if isinstance(step, str) else _item(node, below)
        value = below
    return isinstance(node, Mapping)


def _item(node: Mapping[str, Any], item: Any) -> Any:
    """The set of a list's item, which is named by its keys (`k:`) or its value (`v:`)."""
    for name, below in node.items():
        prefix, _, text = name.partition(":")
        if prefix not in ("k", "v"):
            continue
        wanted = json.loads(text)
        if prefix == "v" and wanted == item:
            return below
        if prefix == "k" and isinstance(item, Mapping) and all(item.get(k) == v for k, v in wanted.items()):
            return below
    return None
