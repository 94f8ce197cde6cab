"""Commands in comments: at the start of a line, outside quotes, code and HTML comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

NAMES = ("approve", "lgtm", "hold", "unhold", "review", "explain", "merge", "rollback", "override", "waive")
_COMMAND = re.compile(r"/([a-z]+)(?:[ \t]+(.*\S))?[ \t]*\Z")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Command:
    """`name` without its slash, `argument` the rest of the line."""

    name: str
    argument: str

    @property
    def text(self) -> str:
        return f"/{self.name} {self.argument}".rstrip()


def commands(body: str) -> Iterator[Command]:
    """The commands that a person gives; what is quoted, shown as code or hidden is none."""
    for line in _spoken(_without_comments(body.replace("\r\n", "\n").replace("\r", "\n"))):
        match = _COMMAND.match(line)
        if match and match.group(1) in NAMES:
            yield Command(match.group(1), match.group(2) or "")


def _without_comments(body: str) -> str:
    # A comment that is never closed hides all that follows, as it does on GitHub's page.
    return re.sub(r"<!--.*?(?:-->|\Z)", lambda m: "\n" * m.group().count("\n") + "\x00", body, flags=re.S)


def _spoken(body: str) -> Iterator[str]:
    fence = ""
    paragraph_quoted = False
    ticks = 0
    for line in body.split("\n"):
        marker = _FENCE.match(line)
        if fence:
            if marker and marker.group(1).startswith(fence) and not line.strip(" `~"):
                fence = ""
            continue
        if marker:
            fence = marker.group(1)
            continue
        if not line.strip():
            paragraph_quoted, ticks = False, 0
            continue
        if line.lstrip().startswith(">"):
            paragraph_quoted = True
            continue
        # A line right below a quote still belongs to it, and one within a code span opened above to that.
        inside_span = ticks % 2 == 1
        ticks += line.count("`")
        if not paragraph_quoted and not inside_span:
            yield line
