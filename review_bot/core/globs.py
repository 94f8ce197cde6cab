"""Globs of paths and names: `*` and `?` stay within a level, `**` crosses levels."""

from __future__ import annotations

import re
from functools import lru_cache


def matches(pattern: str, text: str, *, separator: str = "/") -> bool:
    """Does the whole text match? `a/**` also matches `a` itself. Levels are divided by `separator`."""
    return _compiled(pattern, separator).match(text) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str, separator: str) -> re.Pattern[str]:
    sep = re.escape(separator)
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        rest = pattern[position:]
        if rest == f"{separator}**" and position:
            parts.append(f"(?:{sep}.*)?")
            position += 3
        elif rest.startswith(f"**{separator}"):
            parts.append(f"(?:.*{sep})?")
            position += 3
        elif rest.startswith("**"):
            parts.append(".*")
            position += 2
        elif rest[0] == "*":
            parts.append(f"[^{sep}]*")
            position += 1
        elif rest[0] == "?":
            parts.append(f"[^{sep}]")
            position += 1
        else:
            parts.append(re.escape(rest[0]))
            position += 1
    return re.compile("".join(parts) + r"\Z", re.DOTALL)
