"""The verdict for a terminal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from review_bot.core.clusters import LiveAction, LiveChange
from review_bot.core.danger import Danger
from review_bot.core.highlights import highlights
from review_bot.core.model import CheckName, CheckState, Finding, ResourceId, Severity
from review_bot.core.outcome import TargetResult, Verdict
from review_bot.core.sanitise import terminal
from review_bot.core.terraform import API_VERSION as TERRAFORM
from review_bot.core.verdict import blocks

UNKNOWN_KIND = "schema-unknown-kind"
_COLOURS = {"red": "31", "yellow": "33", "green": "32", "dim": "2", "bold": "1"}


def render(verdict: Verdict, *, colour: bool = False) -> str:
    """A line a target and a finding, problems first, and one closing line that says it all."""
    lines = [_target_line(t, colour) for t in verdict.targets]
    for one in highlights(verdict):
        where = f" in {', '.join(one.where)}" if one.where else ""
        lines.append(_paint(f" · {terminal(f'{one.subject} {one.what}{where}')}", "bold", colour))
    for danger in verdict.dangers:
        lines.append(_danger_line(danger, colour))
    for same in grouped(verdict.findings):
        lines += _finding_lines(same, colour)
    lines += [_live_line(cluster, rows) for cluster, rows in live_by_cluster(verdict).items()]
    for name, state in verdict.checks.items():
        if state is CheckState.NOT_CONFIGURED:
            lines.append(_paint(f" - {name}: {_why_not(name)}", "dim", colour))
    return "\n".join([*lines, _closing(verdict, colour)]) + "\n"


def grouped(findings: Sequence[Finding]) -> list[list[Finding]]:
    """What is the same in many targets is shown once, and so is that a custom kind has no schema."""
    groups: dict[tuple[object, ...], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[_gist(finding)].append(finding)
    return list(groups.values())


def _gist(finding: Finding) -> tuple[object, ...]:
    id = finding.resource
    if finding.rule == UNKNOWN_KIND and finding.severity is Severity.WARNING and id is not None:
        return finding.rule, id.api_version, id.kind, finding.introduced, finding.waived
    return finding.rule, finding.message, finding.path, finding.line


def repeated(same: Sequence[Finding]) -> str:
    """Where else the first one's words hold, "" if nowhere."""
    others = {f.resource for f in same} - {same[0].resource}
    if others:
        return f"and so for {plural(len(others), 'more object')}"
    return f"also in {plural(len(same) - 1, 'more target')}" if len(same) > 1 else ""


def counts(verdict: Verdict) -> tuple[int, int]:
    """How many problems block, and how many remarks do not; the same in many targets counts once."""
    groups = grouped(verdict.findings)
    problems = sum(any(blocks(f) for f in same) for same in groups)
    return problems, len(groups) - problems


def live_by_cluster(verdict: Verdict) -> dict[str, list[LiveChange]]:
    """What the clusters said, by their names."""
    found: dict[str, list[LiveChange]] = {}
    for change in verdict.live:
        found.setdefault(change.cluster, []).append(change)
    return found


def live_counts(changes: Sequence[LiveChange]) -> str:
    """How many live objects would be created, updated, deleted, and how many are as they will be."""
    numbers = Counter(c.action for c in changes)
    words = {
        LiveAction.CREATE: "created",
        LiveAction.UPDATE: "updated",
        LiveAction.DELETE: "deleted",
        LiveAction.UNCHANGED: "unchanged",
    }
    return ", ".join(f"{numbers[action]} {word}" for action, word in words.items() if numbers[action])


def danger_text(danger: Danger, most: int = 5) -> str:
    """One sentence, with what goes with it."""
    shown = ", ".join(danger.goes_with[:most])
    more = f" and {len(danger.goes_with) - most} more" if len(danger.goes_with) > most else ""
    with_it = f" (now there: {shown}{more})" if shown else ""
    return f"{named(danger.id)} {danger.what}{with_it}"


def named(id: ResourceId) -> str:
    """An object as people call it; an address of Terraform says what it is by itself."""
    if id.api_version == TERRAFORM:
        return id.name
    return f"{id.kind} {id.namespace}/{id.name}" if id.namespace else f"{id.kind} {id.name}"


def plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def short(revision: str) -> str:
    """A commit as people write it; a work tree keeps its name."""
    return revision[:7] if len(revision) >= 40 else revision


def _target_line(one: TargetResult, colour: bool) -> str:
    id = terminal(one.target.id)
    if one.error is not None:
        return f" {_paint('✗', 'red', colour)} {id}  does not render"
    counted = ((one.created, "created"), (one.updated, "updated"), (one.deleted, "deleted"))
    parts = [f"{n} {word}" for n, word in counted if n]
    nothing = "what it deploys is not seen" if one.target.unseen else "no change in the effect"
    return f"   {id}  {', '.join(parts) or nothing}"


def _danger_line(danger: Danger, colour: bool) -> str:
    place = f"{danger.path}:{danger.line}" if danger.line else danger.path
    return f" {_paint('▲', 'red', colour)} {terminal(f'{place}  danger  {danger_text(danger)}')}"


def _live_line(cluster: str, changes: Sequence[LiveChange]) -> str:
    return f"   cluster {terminal(cluster)}: {live_counts(changes)}"


def _finding_lines(same: Sequence[Finding], colour: bool) -> list[str]:
    finding = same[0]
    mark, shade = ("✗", "red") if blocks(finding) else ("!", "yellow")
    if finding.severity is Severity.NOTICE:
        mark, shade = "i", "dim"
    place = f"{finding.path}:{finding.line}" if finding.path and finding.line else finding.path or ""
    note = f" (waived: {finding.waived})" if finding.waived else "" if finding.introduced else " (already on the base)"
    more = f" ({also})" if (also := repeated(same)) else ""
    text = f"{place}  {finding.rule}  {finding.message}{note}{more}"
    lines = [f" {_paint(mark, shade, colour)} {terminal(text)}"]
    if finding.advice and finding.waived is None:
        lines.append(_paint(f"     → {terminal(finding.advice)}", "dim", colour))
    return lines


def _why_not(name: CheckName) -> str:
    if name is CheckName.DRY_RUN:
        return "no cluster configured (clusters: in the operator's file)"
    if name is CheckName.IMAGES:
        return "no registry was asked (images: and remotes: in the operator's file)"
    if name is CheckName.POLICY:
        return "not configured (the base has no policies folder)"
    return "not configured"


def _closing(verdict: Verdict, colour: bool) -> str:
    problems, others = counts(verdict)
    shade = "red" if problems else "green"
    said = plural(problems, "problem") if problems else "nothing blocks"
    more = f", {plural(others, 'remark')}" if others else ""
    effect = verdict.effect_digest.removeprefix("sha256:")[:6]
    seconds = f"{verdict.duration_ms / 1000:.1f} s"
    changes = plural(len(verdict.changes), "change")
    return f"{_paint(said + more, shade, colour)} · {changes} · effect {effect} · {seconds}"


def _paint(text: str, shade: str, colour: bool) -> str:
    return f"\x1b[{_COLOURS[shade]}m{text}\x1b[0m" if colour else text
