"""Reading what may be anything: a manifest's field if it is what it should be, something empty if it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def at(value: Any, *path: str | int) -> Any:
    """What stands below, over any number of mappings; None where nothing does."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def mapping(value: Any, *path: str) -> Mapping[str, Any]:
    """The mapping, or that which stands below; an empty one where something else does."""
    found = at(value, *path)
    return found if isinstance(found, Mapping) else {}


def items(value: Any) -> list[Any]:
    """The list, an empty one for anything else."""
    return value if isinstance(value, list) else []


def rows(value: Any, *path: str) -> list[Mapping[str, Any]]:
    """The mappings of the list, or of that which stands below."""
    return [row for row in items(at(value, *path)) if isinstance(row, Mapping)]


def text(value: Any) -> str:
    """The text as it is, "" for anything else."""
    return value if isinstance(value, str) else ""
