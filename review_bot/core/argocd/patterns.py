"""The globs of Argo CD, which are of four kinds. No pattern, however hostile, takes long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

# A choice of choices multiplies; a pattern with more alternatives matches nothing.
MOST_ALTERNATIVES = 256
# Steps that a regular expression may take when it goes back; above that all ways are followed at once.
MOST_STEPS = 1_000_000
_CHOICE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class _Kind:
    """`stops`: `*` stops at `/`; `double`: `**` does not; `folders`: `**/` may be none; `choices`: `{a,b}` is one."""

    stops: bool
    double: bool = False
    folders: bool = False
    choices: bool = False


@dataclass(frozen=True, slots=True)
class _Token:
    """One character (a regular expression), with `many` any number of them; `skip`: the next two may be left out."""

    one: str = ""
    many: bool = False
    skip: bool = False


def crossing(pattern: str, text: str) -> bool:
    """Directory include and exclude (gobwas/glob without separators): `*` crosses `/`, `{a,b}` is a choice."""
    return _matches(pattern, text, _Kind(stops=False, choices=True))


def of_directories(pattern: str, text: str) -> bool:
    """Git directories (Go's path.Match): `*` stops at `/`, and `**` is no more than `*`."""
    return _matches(pattern, text, _Kind(stops=True))


def of_files(pattern: str, text: str) -> bool:
    """Git files (a git pathspec): `*` crosses `/`; a folder means all that lies below it."""
    if text == pattern or text.startswith(f"{pattern.rstrip('/')}/"):
        return True
    return _matches(pattern, text, _Kind(stops=False))


def of_values(pattern: str, text: str) -> bool:
    """Helm value files (doublestar): `*` stops at `/`, `**` crosses it, `{a,b}` is a choice."""
    return _matches(pattern, text, _Kind(stops=True, double=True, folders=True, choices=True))


def between_slashes(pattern: str, text: str) -> bool:
    """Addresses of a project (gobwas/glob, divided at `/`): `*` stops at `/`, `**` crosses it, `{a,b}` is a choice."""
    return _matches(pattern, text, _Kind(stops=True, double=True, choices=True))


def of_names(pattern: str, text: str) -> bool:
    """Namespaces of Applications: a glob. A regular expression between slashes fits all: one can take for ever."""
    return (len(pattern) > 1 and pattern[0] == pattern[-1] == "/") or crossing(pattern, text)


def fixed(pattern: str) -> str:
    """What everything begins with that the pattern matches."""
    return re.split(r"[*?\[{\\]", pattern, maxsplit=1)[0]


def has_wildcards(pattern: str) -> bool:
    """Are value files looked for? Choices alone are none."""
    return any(c in pattern for c in "*?[")


def _matches(pattern: str, text: str, kind: _Kind) -> bool:
    start, alternatives, regex = _compiled(pattern, kind)
    if not text.startswith(start):
        return False
    stars = pattern.count("*")
    if len(text) ** stars <= MOST_STEPS:
        return regex.fullmatch(text) is not None
    return any(follows(tokens, text) for tokens in alternatives)


@lru_cache(maxsize=1024)
def _compiled(pattern: str, kind: _Kind) -> tuple[str, tuple[tuple[_Token, ...], ...], re.Pattern[str]]:
    texts = _alternatives(pattern) if kind.choices else [pattern]
    found = tuple(tuple(_tokens(text, kind)) for text in texts)
    regex = "|".join("".join(_expression(tokens)) for tokens in found) if found else r"(?!)"
    return fixed(pattern), found, re.compile(regex, re.DOTALL)


def _alternatives(pattern: str) -> list[str]:
    """The patterns that its choices stand for, the inner ones first."""
    pending, done = [pattern], []
    while pending:
        text = pending.pop()
        choice = _CHOICE.search(text)
        if choice is None:
            done.append(text)
        else:
            pending += [text[: choice.start()] + part + text[choice.end() :] for part in choice[1].split(",")]
        if len(pending) + len(done) > MOST_ALTERNATIVES:
            return []
    return done


def _tokens(pattern: str, kind: _Kind) -> Iterator[_Token]:
    one = "[^/]" if kind.stops else "."
    position = 0
    while position < len(pattern):
        char, rest = pattern[position], pattern[position:]
        position += 1
        if kind.folders and rest.startswith("**/"):
            position += 2
            yield from (_Token(skip=True), _Token(".", many=True), _Token("/"))
        elif kind.double and rest.startswith("**"):
            position += 1
            yield _Token(".", many=True)
        elif char == "*":
            yield _Token(one, many=True)
        elif char == "?":
            yield _Token(one)
        elif char == "\\" and len(rest) > 1:
            position += 1
            yield _Token(re.escape(rest[1]))
        elif char == "[" and (end := rest.find("]", 2)) > 0:
            position += end
            yield _Token(_set(rest[1:end]))
        else:
            yield _Token(re.escape(char))


def _set(inner: str) -> str:
    negated = inner[:1] in ("!", "^")
    escaped = re.sub(r"([\\\[\]&~|^])", r"\\\1", inner[1:] if negated else inner)
    text = f"[{'^' if negated else ''}{escaped}]"
    try:
        re.compile(text)
    except re.error:
        return r"(?!)"
    return text


def _expression(tokens: tuple[_Token, ...]) -> Iterator[str]:
    for number, token in enumerate(tokens):
        yield "(?:" if token.skip else f"{token.one}*" if token.many else token.one
        if number > 1 and tokens[number - 2].skip:
            yield ")?"


def follows(tokens: tuple[_Token, ...], text: str) -> bool:
    """The same as the regular expression says, in steps that only grow with the text and the pattern."""
    accepts = [re.compile(token.one, re.DOTALL) for token in tokens]
    current = _reached({0}, tokens)
    for char in text:
        moved = set[int]()
        for state in current:
            if state < len(tokens) and tokens[state].one and accepts[state].match(char):
                moved.add(state if tokens[state].many else state + 1)
        current = _reached(moved, tokens)
        if not current:
            return False
    return len(tokens) in current


def _reached(states: set[int], tokens: tuple[_Token, ...]) -> set[int]:
    """The states, and those behind what may be left out."""
    pending, found = list(states), set(states)
    while pending:
        state = pending.pop()
        token = tokens[state] if state < len(tokens) else None
        further = [state + 1] if token and (token.many or token.skip) else []
        further += [state + 3] if token and token.skip else []
        for one in further:
            if one not in found:
                found.add(one)
                pending.append(one)
    return found
