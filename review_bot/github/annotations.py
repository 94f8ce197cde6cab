"""Findings as annotations of a check run, each on a line that people see: pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from review_bot.core.configuration import CONFIG_PATH
from review_bot.core.model import CheckName, Finding, Severity
from review_bot.core.sanitise import visible
from review_bot.core.verdict import blocks
from review_bot.github.diff_lines import DiffLines

# GitHub's limits: 64 KB a message, 255 characters a title; far less is ever read.
MOST_MESSAGE, MOST_TITLE = 4_000, 255
MOST = 500
LEVELS = {Severity.ERROR: "failure", Severity.WARNING: "warning", Severity.NOTICE: "notice"}
_MENTION = re.compile(r"@(?=[A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Annotation:
    """One remark on one line of one file."""

    path: str
    line: int
    level: str
    title: str
    message: str

    def to_json(self) -> dict[str, object]:
        """GitHub's object."""
        return {
            "path": self.path,
            "start_line": self.line,
            "end_line": self.line,
            "annotation_level": self.level,
            "title": self.title,
            "message": self.message,
        }


def annotate(
    findings: Sequence[Finding], shown: DiffLines, read_by: Mapping[str, Iterable[str]]
) -> tuple[Annotation, ...]:
    """What is new or blocks: the same finding in many targets once, problems first, at most `MOST`.

    What stands on the base already and does not block would only distract here; the summary has it.
    `read_by` names, by target id, the changed files that the target reads: where a finding's own file is not part of
    the diff, it lies on the change that led to it.
    """
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        if not (finding.introduced or blocks(finding)):
            continue
        groups.setdefault((finding.rule, finding.message, finding.path, finding.line), []).append(finding)
    return tuple(_annotation(same, shown, read_by) for same in list(groups.values())[:MOST])


def _annotation(same: Sequence[Finding], shown: DiffLines, read_by: Mapping[str, Iterable[str]]) -> Annotation:
    first = same[0]
    path, line = _place(first, shown, tuple(read_by.get(first.target or "", ())))
    parts = [first.message]
    if (path, line) != (first.path, first.line or line) and first.path:
        parts.append(f"Found in {first.path}{f':{first.line}' if first.line else ''}.")
    parts += [f"→ {first.advice}"] if first.advice else []
    parts += [f"Also in {len(same) - 1} more targets."] if len(same) > 1 else []
    parts += [f"Waived: {first.waived}"] if first.waived else []
    level = LEVELS[first.severity] if blocks(first) or first.severity is not Severity.ERROR else "warning"
    return Annotation(path, line, level, _plain(first.rule)[:MOST_TITLE], _plain("\n".join(parts))[:MOST_MESSAGE])


def _place(finding: Finding, shown: DiffLines, changed: tuple[str, ...]) -> tuple[str, int]:
    own = finding.path or next(iter(changed), None) or next(shown.paths(), None) or CONFIG_PATH
    if finding.check is CheckName.RENDER:
        # A render failure stays on the file that does not render, which is where it will be mended.
        return own, shown.nearest(own, finding.line) or finding.line or 1
    for path in (own, *changed):
        line = shown.nearest(path, finding.line if path == own else None)
        if line is not None:
            return path, line
    return own, finding.line or 1


def _plain(text: str) -> str:
    """Annotations show text as it is, but for mentions and characters that nobody can see."""
    return _MENTION.sub("@\u200b", visible(text, keep="\n"))
