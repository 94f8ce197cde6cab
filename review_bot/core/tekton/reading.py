"""Places in an object, by path and as people write them, and safe ways to walk what a pull request wrote there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from review_bot.core.model import FieldPath


@dataclass(frozen=True)
class At:
    """A place: `path` from the object's root, `field` with names in place of numbers where items have one.

    Names stay when items are added before them, so that a finding is known again.
    """

    path: FieldPath = ()
    field: str = ""

    def key(self, name: str) -> At:
        return At((*self.path, name), f"{self.field}.{name}" if self.field else name)

    def item(self, index: int, name: object = "") -> At:
        return At((*self.path, index), f"{self.field}[{name if isinstance(name, str) and name else index}]")


# How many names a sentence lists.
MOST_NAMES = 20


def listed(names: Iterable[str]) -> str:
    """Names in order, as a sentence has room for them."""
    found = sorted(names)
    more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
    return f"{', '.join(found[:MOST_NAMES])}{more}" if found else "none"


def items(value: Any, at: At) -> Iterator[tuple[dict[str, Any], At]]:
    """The mappings of a list, each with its place."""
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict):
            yield item, at.item(index, item.get("name"))


def texts(value: Any, at: At) -> Iterator[tuple[str, At]]:
    """Every text within, with its place."""
    if isinstance(value, str):
        yield value, at
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, at.key(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, at.item(index, item.get("name") if isinstance(item, dict) else ""))
