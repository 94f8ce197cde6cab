"""What source-controller leaves out of an artifact: `.sourceignore` files, `spec.ignore`, its defaults, and links.

Follows fluxcd/pkg/sourceignore, whose patterns are nearly those of .gitignore: each file is matched by itself, so that
one can be taken back out of a folder that is left out, and `[^a]` negates where git has `[!a]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from review_bot.core.closure import Files, folder_of

# They count only where a source has no patterns of its own (docs/spec: excluding files).
DEFAULTS = (
    "*.jpg,*.jpeg,*.gif,*.png,*.wmv,*.flv,*.tar.gz,*.zip,"
    ".github/,.circleci/,.travis.yml,.gitlab-ci.yml,appveyor.yml,.drone.yml,cloudbuild.yaml,codeship-services.yml,"
    "codeship-steps.yml,**/.goreleaser.yml,**/.sops.yaml,**/.flux.yaml"
).split(",")
FILE = ".sourceignore"


@dataclass(frozen=True)
class Ignoring:
    """The patterns of one source, each with the folder that it is about; the last that matches decides.

    `links` are the symbolic links of the tree, which are in no artifact.
    """

    patterns: tuple[tuple[str, str], ...] = ()
    links: frozenset[str] = frozenset()

    def leaves_out(self, path: str) -> bool:
        """Is the file not in the artifact?"""
        return self.why(path) != ""

    def why(self, path: str) -> str:
        """What leaves the file out, in words; "" for one that is in the artifact."""
        if path in self.links:
            return "it is a symbolic link, and Flux leaves links out of what it fetches"
        for pattern, folder in reversed(self.patterns):
            if folder != "." and not path.startswith(f"{folder}/"):
                continue
            if _parsed(pattern).fits(path if folder == "." else path[len(folder) + 1 :]):
                return "" if pattern.startswith("!") else f"`{pattern}` keeps it out of what Flux fetches"
        return ""


def of_source(files: Files, root: str, ignore: str | None) -> Ignoring:
    """That of a source whose files lie below `root`; `ignore` is the object's field, None where it has none."""
    own = sorted((p for p in files.below(root) if p.rpartition("/")[2] == FILE), key=lambda p: p.count("/"))
    patterns = []
    for path in own:
        data = files.tree.read(path) or b""
        patterns += [(row, folder_of(path)) for row in _rows(data.decode(errors="replace"))]
    patterns += [(row, root) for row in _rows(ignore or "")]
    return Ignoring(tuple(patterns or ((row, root) for row in DEFAULTS)), frozenset(files.links))


def _rows(text: str) -> Sequence[str]:
    return [row for row in text.splitlines() if row.strip() and not row.startswith("#")]


@lru_cache(maxsize=1024)
def _parsed(pattern: str) -> _Pattern:
    body = pattern.removeprefix("!")
    if not body.endswith("\\ "):
        body = body.rstrip(" ")
    return _Pattern(tuple(body.removesuffix("/").split("/")), body.endswith("/"))


@dataclass(frozen=True)
class _Pattern:
    """`parts` are what stands between its slashes."""

    parts: tuple[str, ...]
    only_folders: bool

    def fits(self, path: str) -> bool:
        names = path.split("/")
        if len(self.parts) > 1:
            return self._fits_from_the_top(names)
        at = next((n for n, name in enumerate(names) if matched(self.parts[0], name)), None)
        return at is not None and not (self.only_folders and at == len(names) - 1)

    def _fits_from_the_top(self, names: list[str]) -> bool:
        """A pattern with a slash is anchored; `**` skips to the first name that fits what follows, and stays there."""
        has_matched = skips = False
        for number, part in enumerate(self.parts):
            if part == "":
                skips = False
            elif part == "**":
                if number == len(self.parts) - 1:
                    break
                skips = True
            elif "**" in part or not names:
                return False
            else:
                if skips:
                    at = next((n for n, name in enumerate(names) if matched(part, name)), None)
                    has_matched = at is not None
                    names = names[at + 1 :] if at is not None else []
                elif matched(part, names[0]):
                    has_matched, names = True, names[1:]
                else:
                    return False
                skips = False
        return has_matched and not (self.only_folders and not names)


@lru_cache(maxsize=1 << 15)
def matched(pattern: str, name: str) -> bool:
    """Go's filepath.Match within one name: all its states side by side, so that no pattern is expensive."""
    head, star, tail = pattern.partition("*")
    if not _SPECIAL.intersection(head + tail):
        # Nearly all patterns: a plain name, or one star.
        return name == pattern if not star else _has_ends(name, head, tail)
    pieces = _pieces(pattern)
    if pieces is None:
        return False
    states = _onward({0}, pieces)
    for letter in name:
        after = {at for at in states if at < len(pieces) and pieces[at] == "*"}
        after |= {at + 1 for at in states if at < len(pieces) and _takes(pieces[at], letter)}
        states = _onward(after, pieces)
    return len(pieces) in states


def _has_ends(name: str, head: str, tail: str) -> bool:
    return len(name) >= len(head) + len(tail) and name.startswith(head) and name.endswith(tail)


_SPECIAL = frozenset("*?[\\")
_Piece = str | tuple[bool, tuple[tuple[str, str], ...]]


@lru_cache(maxsize=1024)
def _pieces(pattern: str) -> tuple[_Piece, ...] | None:
    r"""`*`, `?`, `\x` for a letter x, or a class: is it negated, and its ranges. None for a malformed pattern."""
    found: list[_Piece] = []
    at = 0
    while at < len(pattern):
        if pattern[at] == "[":
            klass, at = _class(pattern, at + 1)
            if klass is None:
                return None
            found.append(klass)
        elif pattern[at] in "*?":
            found.append(pattern[at])
            at += 1
        else:
            letter, at = _letter(pattern, at)
            if letter is None:
                return None
            found.append(f"\\{letter}")
    return tuple(found)


def _class(pattern: str, at: int) -> tuple[_Piece | None, int]:
    negated = pattern[at : at + 1] == "^"
    at += negated
    ranges: list[tuple[str, str]] = []
    while pattern[at : at + 1] != "]" or not ranges:
        low, at = (None, at) if pattern[at : at + 1] in ("-", "]") else _letter(pattern, at)
        high = low
        if low is not None and pattern[at : at + 1] == "-":
            high, at = (None, at) if pattern[at + 1 : at + 2] in ("-", "]") else _letter(pattern, at + 1)
        if low is None or high is None:
            return None, at
        ranges.append((low, high))
    return (negated, tuple(ranges)), at + 1


def _letter(pattern: str, at: int) -> tuple[str | None, int]:
    at += pattern[at : at + 1] == "\\"
    return (pattern[at], at + 1) if at < len(pattern) else (None, at)


def _takes(piece: _Piece, letter: str) -> bool:
    if isinstance(piece, tuple):
        negated, ranges = piece
        return any(low <= letter <= high for low, high in ranges) is not negated
    return piece == "?" or piece == f"\\{letter}"


def _onward(states: set[int], pieces: tuple[_Piece, ...]) -> set[int]:
    """The states with those behind a `*`, which may match nothing."""
    found = set(states)
    for at in sorted(states):
        while at < len(pieces) and pieces[at] == "*":
            at += 1
            found.add(at)
    return found
