"""The variables that Tekton replaces, found in texts: `$(params.x)`, `$(tasks.x.results.y)` and their like."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

_NAME = r"[_a-zA-Z][_a-zA-Z0-9.-]*"
# A name after a dot, or between brackets and quotes; then an index or all of a list.
_NAMED = rf"""(?:\.({_NAME})|\["([^"\]]+)"\]|\['([^'\]]+)'\])"""
_INDEX = r"(\[(?:\*|\d+)\])?"
_PARAM = re.compile(rf"\$\((inputs\.)?params{_NAMED}{_INDEX}\)")
_RESULT = re.compile(rf"\$\((tasks|finally)\.([a-zA-Z0-9_-]+)\.results{_NAMED}{_INDEX}\)")
_OWN_RESULT = re.compile(rf"\$\((step\.)?results{_NAMED}(?:\.path)?\)")
_WORKSPACE = re.compile(r"""\$\(workspaces(?:\.([a-zA-Z0-9_-]+)|\["([^"\]]+)"\]|\['([^'\]]+)'\])\.[a-z]+\)""")
_STATUS = re.compile(r"\$\(tasks(?:\.([a-zA-Z0-9_-]+))?\.(status|reason)\)")
_STEP_RESULT = re.compile(r"\$\(steps\.([a-zA-Z0-9_-]+)\.results\.[^)]*\)")
_CONTEXT = re.compile(r"\$\((context\.[a-zA-Z]+)\.([a-zA-Z0-9_-]+)\)")
_TRIGGER = re.compile(rf"\$\(tt\.params\.({_NAME})\)")


@dataclass(frozen=True, slots=True)
class Variable:
    """A use of a variable: `written` as it stands, `name` in full, `index` is "", "[*]" or "[0]".

    `dotted`: the name stands behind a dot, so one with a dot in it is that of a key: `x.y` is y of x.
    """

    written: str
    name: str
    index: str = ""
    task: str = ""
    section: str = ""
    dotted: bool = True

    @property
    def first(self) -> str:
        """The name without a key."""
        return self.name.partition(".")[0] if self.dotted else self.name

    @property
    def key(self) -> str:
        return self.name.partition(".")[2] if self.dotted else ""

    def among(self, names: Container[str]) -> str | None:
        """Which of the names is meant, read with goodwill; None if none is."""
        return next((n for n in (self.name, self.first) if n in names), None)


def params(text: str) -> Iterator[Variable]:
    for match in _PARAM.finditer(text):
        # `inputs.` is the spelling of Tekton's first versions; nobody checks it.
        section = "inputs" if match[1] else ""
        yield Variable(match[0], match[2] or match[3] or match[4], match[5] or "", "", section, bool(match[2]))


def results(text: str) -> Iterator[Variable]:
    """Results of a pipeline's tasks."""
    for match in _RESULT.finditer(text):
        yield Variable(
            match[0], match[3] or match[4] or match[5], match[6] or "", match[2], match[1], dotted=bool(match[3])
        )


def own_results(text: str) -> Iterator[Variable]:
    """Results that a Task writes, `$(results.x.path)`, or, with the section `step`, one of its steps."""
    for match in _OWN_RESULT.finditer(text):
        name = (match[2] or match[3] or match[4]).removesuffix(".path")
        yield Variable(match[0], name, section="step" if match[1] else "", dotted=bool(match[2]))


def step_results(text: str) -> Iterator[Variable]:
    """Results of steps that ran before, named by the step."""
    for match in _STEP_RESULT.finditer(text):
        yield Variable(match[0], match[1])


def contexts(text: str) -> Iterator[Variable]:
    """What Tekton knows of the run; the section is such as context.taskRun."""
    for match in _CONTEXT.finditer(text):
        yield Variable(match[0], match[2], section=match[1])


def workspaces(text: str) -> Iterator[Variable]:
    for match in _WORKSPACE.finditer(text):
        yield Variable(match[0], match[1] or match[2] or match[3])


def statuses(text: str) -> Iterator[Variable]:
    """States of a pipeline's tasks and their reasons; the name is "" where that of all is meant."""
    for match in _STATUS.finditer(text):
        yield Variable(match[0], match[1] or "")


def trigger_params(text: str) -> Iterator[Variable]:
    for match in _TRIGGER.finditer(text):
        yield Variable(match[0], match[1])


def has_any(text: str) -> bool:
    """May the text be another one when it is used?"""
    return "$(" in text or "{{" in text
