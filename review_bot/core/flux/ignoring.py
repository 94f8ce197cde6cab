"""What source-controller leaves out of an artifact: `.sourceignore` files, `spec.ignore`, or its defaults.

The patterns are those of .gitignore.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from review_bot.core.closure import Files, folder_of

# The defaults of source-controller (docs/spec: excluding files) that can be YAML.
DEFAULTS = """\
.github/
.circleci/
.travis.yml
.gitlab-ci.yml
appveyor.yml
.drone.yml
cloudbuild.yaml
codeship-services.yml
codeship-steps.yml
**/.goreleaser.yml
**/.sops.yaml
**/.flux.yaml
"""


@dataclass(frozen=True)
class Ignoring:
    """The patterns of one source, each with the folder that it is about; the last that matches decides."""

    patterns: tuple[tuple[str, str], ...] = ()

    def leaves_out(self, path: str) -> bool:
        """Is the file, or a folder above it, not in the artifact?"""
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            if self._matches("/".join(parts[:end]), end < len(parts)):
                return True
        return False

    def _matches(self, path: str, is_folder: bool) -> bool:
        out = False
        for pattern, folder in self.patterns:
            inner = path if folder == "." else path.removeprefix(f"{folder}/")
            if folder != "." and inner == path:
                continue
            negated = pattern.startswith("!")
            body = pattern[1:] if negated else pattern
            if body.endswith("/") and not is_folder:
                continue
            if _fits(_tokens(body.rstrip("/")), inner):
                out = not negated
        return out


def of_source(files: Files, root: str, ignore: str | None) -> Ignoring:
    """Those of a source whose files lie below `root`; `ignore` is the object's field, None where it has none."""
    patterns = [(row, root) for row in _rows(DEFAULTS if ignore is None else ignore)]
    for path in files.below(root):
        if path.endswith(".sourceignore"):
            data = files.tree.read(path) or b""
            patterns += [(row, folder_of(path)) for row in _rows(data.decode(errors="replace"))]
    return Ignoring(tuple(patterns))


def _rows(text: str) -> Sequence[str]:
    return [row.rstrip() for row in text.splitlines() if row.strip() and not row.startswith("#")]


@lru_cache(maxsize=1024)
def _tokens(pattern: str) -> tuple[str, ...]:
    """A pattern with a slash before its end is anchored at its folder; any other matches at each depth."""
    rest = pattern.removeprefix("/")
    found: list[str] = [] if "/" in pattern else ["**/"]
    position = 0
    while position < len(rest):
        if rest.startswith(("**/", "**"), position):
            token = "**/" if rest.startswith("**/", position) else "**"
        elif rest[position] == "[" and (end := rest.find("]", position + 2)) > 0:
            token = rest[position : end + 1]
        else:
            token = rest[position]
        found.append(token)
        position += len(token)
    return tuple(found)


def _fits(tokens: tuple[str, ...], text: str) -> bool:
    """All states of the match side by side: a hostile pattern costs no more than its length for each letter."""
    states = _onward({0}, tokens)
    for number, letter in enumerate(text):
        after = set()
        for at in states:
            piece = tokens[at] if at < len(tokens) else ""
            if piece in ("*", "**", "**/"):
                after |= {at} if piece != "*" or letter != "/" else set()
                after |= {at + 1} if piece == "**/" and letter == "/" else set()
            elif piece == letter or (letter != "/" and (piece == "?" or _is_in(piece, letter))):
                after.add(at + 1)
        # `**/` ends only where a folder does.
        states = _onward(after, tokens, starts=text[number] == "/")
    return len(tokens) in states


def _onward(states: set[int], tokens: tuple[str, ...], starts: bool = True) -> set[int]:
    """The states with those behind what may match nothing."""
    found, pending = set(states), list(states)
    while pending:
        at = pending.pop()
        piece = tokens[at] if at < len(tokens) else ""
        if (piece in ("*", "**") or (piece == "**/" and starts)) and at + 1 not in found:
            found.add(at + 1)
            pending.append(at + 1)
    return found


def _is_in(token: str, letter: str) -> bool:
    if len(token) < 3 or token[0] != "[":
        return False
    inside, negated = token[1:-1], token[1] in "!^"
    inside = inside[1:] if negated else inside
    ranges = zip(inside, inside[2:], strict=False) if "-" in inside[1:-1] else ()
    within = any(inside[n + 1] == "-" and low <= letter <= high for n, (low, high) in enumerate(ranges))
    return (within or letter in inside) is not negated
