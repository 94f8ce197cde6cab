"""The globs of Argo CD, which are of four kinds, as regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache


def crossing(pattern: str, text: str) -> bool:
    """Directory include and exclude (gobwas/glob without separators): `*` crosses `/`, `{a,b}` is a choice."""
    return _compiled(pattern, stops=False, braces=True).fullmatch(text) is not None


def of_directories(pattern: str, text: str) -> bool:
    """Git directories (Go's path.Match): `*` stops at `/`, and `**` is no more than `*`."""
    return _compiled(pattern, stops=True, braces=False).fullmatch(text) is not None


def of_files(pattern: str, text: str) -> bool:
    """Git files (a git pathspec): `*` crosses `/`; a folder means all that lies below it."""
    below = pattern.rstrip("/")
    if text == pattern or text.startswith(f"{below}/"):
        return True
    return _compiled(pattern, stops=False, braces=False).fullmatch(text) is not None


def of_values(pattern: str, text: str) -> bool:
    """Helm value files (doublestar): `*` stops at `/`, `**` crosses it, `{a,b}` is a choice."""
    return _compiled(pattern, stops=True, braces=True, double=True).fullmatch(text) is not None


def has_wildcards(pattern: str) -> bool:
    return any(c in pattern for c in "*?[{")


@lru_cache(maxsize=1024)
def _compiled(pattern: str, stops: bool, braces: bool, double: bool = False) -> re.Pattern[str]:
    try:
        return re.compile("".join(_parts(pattern, stops, braces, double)), re.DOTALL)
    except re.error:
        # A pattern that is none matches itself at best.
        return re.compile(re.escape(pattern))


def _parts(pattern: str, stops: bool, braces: bool, double: bool) -> Iterator[str]:
    one = "[^/]" if stops else "."
    position, depth = 0, 0
    while position < len(pattern):
        char, rest = pattern[position], pattern[position:]
        position += 1
        if double and rest.startswith("**/"):
            position += 2
            yield "(?:.*/)?"
        elif double and rest.startswith("**"):
            position += 1
            yield ".*"
        elif char == "*":
            yield f"{one}*"
        elif char == "?":
            yield one
        elif char == "\\" and len(rest) > 1:
            position += 1
            yield re.escape(rest[1])
        elif char == "[" and (end := rest.find("]", 2)) > 0:
            position += end
            yield _set(rest[1:end])
        elif braces and char == "{":
            depth += 1
            yield "(?:"
        elif braces and char == "}" and depth:
            depth -= 1
            yield ")"
        elif char == "," and depth:
            yield "|"
        else:
            yield re.escape(char)


def _set(inner: str) -> str:
    negated = inner[:1] in ("!", "^")
    escaped = re.sub(r"([\\\[\]&~|^])", r"\\\1", inner[1:] if negated else inner)
    return f"[{'^' if negated else ''}{escaped}]"
