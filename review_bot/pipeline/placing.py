"""Where a finding is shown: on what the change did, rather than on a base file that it left alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from review_bot.core.model import FileChange, Finding, ResourceChange
from review_bot.github.diff_lines import DiffLines
from review_bot.github.workspace import Repository
from review_bot.pipeline.sides import Planned


def placed(
    findings: Sequence[Finding],
    before: Sequence[Finding],
    changes: Sequence[ResourceChange],
    files: Sequence[FileChange],
    lines: Callable[[], DiffLines],
) -> list[Finding]:
    """New findings on a file that the change left alone move to the patch or overlay that it did touch.

    They get the line that was changed there; `lines` is asked only if there is one to move.
    """
    changed = {f.path for f in files}
    known = {(f.rule, f.message, f.target, f.resource) for f in before}
    patched = {(c.target, c.id): c.head.patched_by for c in changes if c.head is not None}
    moved = []
    for finding in findings:
        own = patched.get((finding.target or "", finding.resource), ()) if finding.resource else ()
        old = (finding.rule, finding.message, finding.target, finding.resource) in known
        better = None if old or finding.path in changed else next((p for p in own if p in changed), None)
        moved.append(replace(finding, path=better, line=lines().nearest(better, None)) if better else finding)
    return moved


def shown(repository: Repository, planned: Planned) -> DiffLines:
    """The lines that the change's diff shows; none for a work tree, which git can't compare in the same way."""
    head = planned.sides.head.sha
    return DiffLines({}) if head == "worktree" else repository.shown(planned.sides.base.sha, head)
