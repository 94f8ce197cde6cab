"""What a pull request changes: files with status, counts and patch text, and the lines that a diff shows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from review_bot.demo.github.git import Git

_STATUS = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "C": "copied", "T": "changed"}
# GitHub leaves out the patch of a file that is larger.
_MOST_LINES = 20_000
_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True)
class FileChange:
    path: str
    status: str
    sha: str
    previous: str | None
    additions: int
    deletions: int
    patch: str | None


@dataclass(frozen=True)
class Line:
    """A line of a patch: its numbers on both sides, and its position (1 is the line under the first @@)."""

    position: int
    old: int | None
    new: int | None
    text: str


class Diffs:
    """Diffs of commits, kept by their ids."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._kept: dict[tuple[str, str], list[FileChange]] = {}

    async def between(self, old: str, new: str) -> list[FileChange]:
        key = (old, new)
        if key not in self._kept:
            self._kept[key] = await self._read(old, new)
        return self._kept[key]

    async def _read(self, old: str, new: str) -> list[FileChange]:
        flags = ("-r", "-M", "--no-ext-diff", "--no-textconv", "--full-index", "--diff-algorithm=histogram")
        raw = await self._git.run("diff-tree", *flags, "--raw", "--numstat", "-z", old, new)
        text = await self._git.run("diff-tree", *flags, "-p", old, new)
        heads, counts = _tables(raw.decode(errors="replace"))
        patches = _patches(text.decode(errors="replace"))
        found: list[FileChange] = []
        for path, status, sha, previous in heads:
            patch = patches.pop(0)
            if status == "changed" and len(patches) >= len(heads) - len(found):
                patches.pop(0)  # a file that became a link is printed as a removal and an addition
            found.append(FileChange(path, status, sha, previous, *counts.get(path, (0, 0)), patch))
        return found


def _tables(
    raw: str,
) -> tuple[list[tuple[str, str, str, str | None]], dict[str, tuple[int, int]]]:
    parts = raw.split("\0")
    heads: list[tuple[str, str, str, str | None]] = []
    counts: dict[str, tuple[int, int]] = {}
    at = 0
    while at < len(parts) and parts[at]:
        if parts[at].startswith(":"):
            _, _, old, new, letter = parts[at].split(" ")
            status = _STATUS.get(letter[0], "changed")
            renamed = letter[0] in "RC"
            path = parts[at + 2] if renamed else parts[at + 1]
            heads.append((path, status, old if status == "removed" else new, parts[at + 1] if renamed else None))
            at += 3 if renamed else 2
        else:
            added, removed, path = parts[at].split("\t")
            numbers = (int(added) if added != "-" else 0, int(removed) if removed != "-" else 0)
            counts[path or parts[at + 2]] = numbers
            at += 1 if path else 3
    return heads, counts


def _patches(text: str) -> list[str | None]:
    """The hunks of each file, None where there are none (a pure rename, a binary file) or too many."""
    found: list[str | None] = []
    for part in re.split(r"(?m)^diff --git ", text)[1:]:
        start = re.search(r"(?m)^@@ ", part)
        small = start and part.count("\n") <= _MOST_LINES
        found.append(part[start.start() :].rstrip("\n") if start and small else None)
    return found


def lines(patch: str | None) -> list[Line]:
    """The lines of a patch with their numbers, hunk headers left out."""
    found: list[Line] = []
    old = new = 0
    for position, text in enumerate((patch or "").split("\n")):
        hunk = _HUNK.match(text)
        if hunk:
            old, new = int(hunk[1]), int(hunk[2])
        elif text.startswith("+"):
            found.append(Line(position, None, new, text))
            new += 1
        elif text.startswith("-"):
            found.append(Line(position, old, None, text))
            old += 1
        elif text.startswith(" "):
            found.append(Line(position, old, new, text))
            old, new = old + 1, new + 1
    return found


def hunk_of(patch: str | None, position: int) -> str:
    """The hunk up to a position, as review comments carry it."""
    rows = (patch or "").split("\n")[: position + 1]
    starts = [i for i, row in enumerate(rows) if _HUNK.match(row)]
    return "\n".join(rows[starts[-1] :] if starts else rows)
