"""The variables that Tekton replaces, found in texts: `$(params.x)`, `$(tasks.x.results.y)` and their like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NAME = r"[_a-zA-Z][_a-zA-Z0-9.-]*"
# A name after a dot, or between brackets and quotes; then an index or all of a list.
_NAMED = rf"""(?:\.({_NAME})|\["([^"\]]+)"\]|\['([^'\]]+)'\])"""
_INDEX = r"(\[(?:\*|\d+)\])?"
_PARAM = re.compile(rf"\$\(params{_NAMED}{_INDEX}\)")
_RESULT = re.compile(rf"\$\((tasks|finally)\.([a-zA-Z0-9_-]+)\.results{_NAMED}{_INDEX}\)")
_OWN_RESULT = re.compile(rf"\$\(results{_NAMED}(?:\.path)?\)")
_WORKSPACE = re.compile(r"""\$\(workspaces(?:\.([a-zA-Z0-9_-]+)|\["([^"\]]+)"\]|\['([^'\]]+)'\])\.[a-z]+\)""")
_STATUS = re.compile(r"\$\(tasks(?:\.([a-zA-Z0-9_-]+))?\.status\)")
_TRIGGER = re.compile(rf"\$\(tt\.params\.({_NAME})\)")


@dataclass(frozen=True, slots=True)
class Variable:
    """A use of a variable: `written` as it stands, `name` in full, `index` is "", "[*]" or "[0]".

    A name with dots may be one of a field: `x.y` is named x.y, or is the key y of x.
    """

    written: str
    name: str
    index: str = ""
    task: str = ""
    section: str = ""

    def among(self, names: object) -> str | None:
        """Which of the names is meant; None if none is."""
        first = self.name.partition(".")[0]
        return next((n for n in (self.name, first) if n in names), None)  # type: ignore[operator]


def params(text: str) -> Iterator[Variable]:
    for match in _PARAM.finditer(text):
        yield Variable(match[0], match[1] or match[2] or match[3], match[4] or "")


def results(text: str) -> Iterator[Variable]:
    """Results of a pipeline's tasks."""
    for match in _RESULT.finditer(text):
        yield Variable(match[0], match[3] or match[4] or match[5], match[6] or "", match[2], match[1])


def own_results(text: str) -> Iterator[Variable]:
    """Results that a Task writes: `$(results.x.path)`."""
    for match in _OWN_RESULT.finditer(text):
        yield Variable(match[0], (match[1] or match[2] or match[3]).removesuffix(".path"))


def workspaces(text: str) -> Iterator[Variable]:
    for match in _WORKSPACE.finditer(text):
        yield Variable(match[0], match[1] or match[2] or match[3])


def statuses(text: str) -> Iterator[Variable]:
    """States of a pipeline's tasks; the name is "" where that of all is meant."""
    for match in _STATUS.finditer(text):
        yield Variable(match[0], match[1] or "")


def trigger_params(text: str) -> Iterator[Variable]:
    for match in _TRIGGER.finditer(text):
        yield Variable(match[0], match[1])


def has_any(text: str) -> bool:
    """May the text be another one when it is used?"""
    return "$(" in text or "{{" in text
