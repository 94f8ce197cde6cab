"""CODEOWNERS, matched as GitHub does: last match wins, and only the first file found counts.

GitHub skips a line that it can't read, so that an earlier, weaker one applies. Here such a line is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from review_bot.core.errors import InputError

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
LARGEST = 3 * 1024 * 1024
_OWNER = re.compile(r"@[A-Za-z0-9](?:[A-Za-z0-9-]*)(?:/[A-Za-z0-9_.-]+)?\Z|[^@\s]+@[^@\s]+\Z")


@dataclass(frozen=True)
class Line:
    number: int
    pattern: re.Pattern[str]
    owners: tuple[str, ...]


@dataclass(frozen=True)
class CodeOwners:
    """`path` is the file's own; `lines` in its order."""

    path: str
    lines: tuple[Line, ...]

    def owners_of(self, path: str) -> Line | None:
        """The last line that matches; its owners may be none."""
        return next((line for line in reversed(self.lines) if line.pattern.match(path)), None)


def find(tree: Mapping[str, str]) -> CodeOwners | None:
    """The one that counts, None if there is none. Raises InputError with path and line."""
    path = next((p for p in PLACES if p in tree), None)
    return None if path is None else parse(tree[path], path)


def parse(text: str, path: str) -> CodeOwners:
    """Every rule of the file. Raises InputError for one that GitHub would skip."""
    if len(text.encode(errors="replace")) > LARGEST:
        raise InputError("the file is over 3 MB, and GitHub ignores it", path=path, help="shorten it")
    lines = []
    for number, row in enumerate(text.splitlines(), 1):
        words = _words(row)
        if words:
            lines.append(Line(number, _pattern(words[0], path, number), _owners(words[1:], path, number)))
    return CodeOwners(path, tuple(lines))


def _words(row: str) -> list[str]:
    """Words divided by white space; a backslash keeps the next character, `#` ends the line."""
    words: list[str] = []
    current = ""
    escaped = False
    for character in row:
        if escaped:
            current += character if character in " #\\" else f"\\{character}"
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "#" and not current:
            break
        elif character.isspace():
            words += [current] if current else []
            current = ""
        else:
            current += character
    return words + ([current] if current else [])


def _owners(words: list[str], path: str, number: int) -> tuple[str, ...]:
    for word in words:
        if not _OWNER.match(word):
            raise InputError(
                f"{word!r} is no owner", path=path, line=number, help="write @login, @org/team or an e-mail address"
            )
    return tuple(words)


def _pattern(text: str, path: str, number: int) -> re.Pattern[str]:
    if text.startswith("!"):
        raise InputError("a pattern can't be negated", path=path, line=number, help="list what has other owners below")
    if "***" in text or "[" in text or "]" in text:
        raise InputError(f"GitHub does not understand {text!r}", path=path, line=number, help="use * and ** only")
    anchored = "/" in text.rstrip("/")
    folder = text.endswith("/")
    body = text.strip("/")
    if not body:
        return re.compile(r".*\Z", re.S)
    expression = _translated(body)
    start = "" if anchored else "(?:.*/)?"
    if folder:
        end = "/.*"
    elif body.endswith("/*") or (body == "*" and anchored):
        end = ""  # `docs/*` is one level
    else:
        end = "(?:/.*)?"
    return re.compile(f"{start}{expression}{end}\\Z", re.S)


def _translated(body: str) -> str:
    parts, position = [], 0
    while position < len(body):
        rest = body[position:]
        if rest.startswith("**/"):
            parts.append("(?:.*/)?")
            position += 3
        elif rest.startswith("/**") and len(rest) == 3:
            parts.append("/.*")
            position += 3
        elif rest.startswith("**"):
            parts.append(".*")
            position += 2
        elif rest[0] in "*?":
            parts.append("[^/]*" if rest[0] == "*" else "[^/]")
            position += 1
        else:
            parts.append(re.escape(rest[0]))
            position += 1
    return "".join(parts)
