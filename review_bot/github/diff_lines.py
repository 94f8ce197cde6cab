"""Which lines of which files a pull request's diff shows on its new side: pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(r'\\([0-7]{3}|["\\abfnrtv])')
_NAMED = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}


@dataclass(frozen=True, slots=True)
class Hunk:
    """New-side lines `first` to `last`; `changed` is the first one that was added or stands after a removal."""

    first: int
    last: int
    changed: int


class DiffLines:
    """The hunks of each file, by its new path. A file that only lost its name or mode has none."""

    def __init__(self, hunks: Mapping[str, tuple[Hunk, ...]]) -> None:
        self._hunks = hunks

    def __contains__(self, path: str) -> bool:
        return bool(self._hunks.get(path))

    def shown(self, path: str, line: int) -> bool:
        return any(h.first <= line <= h.last for h in self._hunks.get(path, ()))

    def nearest(self, path: str, line: int | None) -> int | None:
        """The line itself where the diff shows it, else the nearest changed one; None if nothing is shown."""
        hunks = self._hunks.get(path, ())
        if not hunks or (line is not None and self.shown(path, line)):
            return line if hunks else None
        return min((h.changed for h in hunks), key=lambda n: abs(n - (line or 0)))

    def paths(self) -> Iterator[str]:
        return (path for path, hunks in self._hunks.items() if hunks)


def parse(patch: str) -> DiffLines:
    """From `git diff -p`'s text."""
    found: dict[str, list[Hunk]] = {}
    path: str | None = None
    lines = iter(patch.split("\n"))
    for row in lines:
        if row.startswith("diff --git "):
            path = None
        elif row.startswith("+++ "):
            path = _path(row[4:])
        elif path is not None and (match := _HUNK.match(row)):
            hunk = _hunk(int(match.group(1)), int(match.group(2) or 1), lines)
            if hunk is not None:
                found.setdefault(path, []).append(hunk)
    return DiffLines({name: tuple(hunks) for name, hunks in found.items()})


def _hunk(start: int, count: int, lines: Iterator[str]) -> Hunk | None:
    """Walk the hunk's rows so that a row such as `+++ x` is never taken for a header."""
    left, line, changed = count, start, None
    while left > 0:
        row = next(lines, None)
        if row is None:
            break
        if row.startswith(("-", "\\")):
            changed = changed or (line if row.startswith("-") else None)
            continue
        if row.startswith("+"):
            changed = changed or line
        line, left = line + 1, left - 1
    last = start + count - 1
    return Hunk(start, last, min(changed or start, last)) if count else None


def _path(text: str) -> str | None:
    text = text.split("\t", 1)[0] if not text.startswith('"') else text
    if text == "/dev/null":
        return None
    if text.startswith('"'):
        text = _unquoted(text.rstrip("\t").strip('"'))
    return text.removeprefix("b/")


def _unquoted(text: str) -> str:
    def byte(match: re.Match[str]) -> str:
        word = match.group(1)
        return chr(int(word, 8) if word.isdigit() else _NAMED[word])

    raw = _ESCAPE.sub(byte, text.encode().decode("latin-1"))
    return raw.encode("latin-1", errors="replace").decode(errors="surrogateescape")
