"""The verdict as markdown: the sticky comment and the check run's summary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from review_bot.core.clusters import LiveAction
from review_bot.core.model import Action, CheckName, CheckState, Finding, ResourceChange, TargetResult, Verdict
from review_bot.core.report_text import counts, danger_text, live_by_cluster, live_counts, plural
from review_bot.core.sanitise import code, fence, markdown
from review_bot.core.verdict import blocks

LIMIT = 60_000
MOST_ROWS = 50
MARKS = {CheckState.SUCCESS: "✓", CheckState.FAILURE: "✗", CheckState.NOT_CONFIGURED: "not configured"}
NOT_ASKED = "not in full"
VERBS = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}


def render(verdict: Verdict, *, limit: int = LIMIT, approvals: str = "") -> str:
    """At most `limit` characters: whole sections are left out, and named, rather than one cut in the middle.

    `approvals` is a finished line of markdown that stands above the footer.
    """
    parts = [headline(verdict), *_table(verdict), *_problems(verdict), *_dangers(verdict), *_remarks(verdict)]
    tail = [f"**Approvals:** {approvals}"] if approvals else []
    tail.append(_footer(verdict))
    used = sum(len(p) + 2 for p in [*parts, *tail])
    kept, left_out = [], []
    for title, section in _details(verdict):
        if used + len(section) + 2 <= limit - 500:
            kept.append(section)
            used += len(section) + 2
        else:
            left_out.append(title)
    if left_out:
        kept.append(_left_out(left_out))
    return "\n\n".join([*parts, *kept, *tail])


def headline(verdict: Verdict) -> str:
    """The first line: it alone tells whether to act."""
    problems, _ = counts(verdict)
    if problems:
        return f"### ❌ {plural(problems, 'problem')} to fix · {_where(verdict)}"
    if not verdict.targets:
        return "### ✅ Nothing to deploy changes"
    return f"### ✅ Nothing blocks · {_where(verdict)}"


def _where(verdict: Verdict) -> str:
    environments: dict[str, int] = defaultdict(int)
    of = {t.target.id: t.target.environment for t in verdict.targets}
    for change in verdict.changes:
        environments[of.get(change.target) or ""] += 1
    if not environments:
        return "no change in the cluster"
    parts = [
        f"{plural(n, 'change')} in {markdown(e)}" if e else plural(n, "change") for e, n in sorted(environments.items())
    ]
    return ", ".join(parts)


def _table(verdict: Verdict) -> list[str]:
    if not verdict.targets:
        return []
    rows = ["| | target | changes | checks |", "|---|---|---|---|"]
    for result in verdict.targets[:MOST_ROWS]:
        rows.append(_row(result, [f for f in verdict.findings if f.target == result.target.id], verdict))
    if len(verdict.targets) > MOST_ROWS:
        rows.append(f"| | … and {len(verdict.targets) - MOST_ROWS} more targets | | |")
    return ["\n".join(rows)]


def _row(result: TargetResult, findings: Sequence[Finding], verdict: Verdict) -> str:
    failing = {f.check for f in findings if blocks(f)}
    numbers = ((result.created, "created"), (result.updated, "updated"), (result.deleted, "deleted"))
    changes = ", ".join(f"{n} {word}" for n, word in numbers if n) or "none"
    cluster = f" → cluster **{markdown(result.target.cluster)}**" if result.target.cluster else ""
    environment = f" ({markdown(result.target.environment)})" if result.target.environment else ""
    if result.error is not None:
        checks, changes = "render ✗", "unknown"
    else:
        checks = " · ".join(
            f"{name} {_mark(name, state, result, failing, verdict)}"
            for name, state in verdict.checks.items()
            if name is not CheckName.RENDER
        )
    return f"| {'❌' if failing else '✅'} | {code(result.target.id)}{environment}{cluster} | {changes} | {checks} |"


def _mark(name: CheckName, state: CheckState, result: TargetResult, failing: set[CheckName], verdict: Verdict) -> str:
    if name in failing or state is CheckState.NOT_CONFIGURED:
        return MARKS[CheckState.FAILURE if name in failing else state]
    # Some targets may have a cluster and others none: what was not asked has not passed.
    changes = result.created + result.updated + result.deleted
    asked = sum(c.target == result.target.id for c in verdict.live)
    return NOT_ASKED if name is CheckName.DRY_RUN and asked < changes else MARKS[CheckState.SUCCESS]


def _problems(verdict: Verdict) -> list[str]:
    grouped = _grouped([f for f in verdict.findings if blocks(f)])
    if not grouped:
        return []
    rows = [f"{number}. {_finding(same)}" for number, same in enumerate(grouped[:MOST_ROWS], 1)]
    if len(grouped) > MOST_ROWS:
        rows.append(f"\n… and {len(grouped) - MOST_ROWS} more, all in the check run's annotations")
    return ["**Fix before merging**\n" + "\n".join(rows)]


def _dangers(verdict: Verdict) -> list[str]:
    if not verdict.dangers:
        return []
    rows = [
        f"- {markdown(danger_text(d))} · {code(f'{d.path}:{d.line}' if d.line else d.path)}" for d in verdict.dangers
    ]
    more = [f"- … and {len(rows) - MOST_ROWS} more"] if len(rows) > MOST_ROWS else []
    return ["**Danger: this can't be undone**\n" + "\n".join([*rows[:MOST_ROWS], *more])]


def _remarks(verdict: Verdict) -> list[str]:
    grouped = _grouped([f for f in verdict.findings if not blocks(f)])
    if not grouped:
        return []
    rows = "\n".join(f"- {_finding(same)}" for same in grouped[:MOST_ROWS])
    more = f"\n- … and {len(grouped) - MOST_ROWS} more" if len(grouped) > MOST_ROWS else ""
    title = f"Worth a look: {plural(len(grouped), 'remark')}"
    return [f"<details><summary>{title}</summary>\n\n{rows}{more}\n\n</details>"]


def _grouped(findings: Sequence[Finding]) -> list[list[Finding]]:
    """What is the same in many targets is shown once."""
    groups: dict[tuple[object, ...], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[(finding.rule, finding.message, finding.path, finding.line)].append(finding)
    return list(groups.values())


def _finding(same: Sequence[Finding]) -> str:
    first = same[0]
    place = code(f"{first.path}:{first.line}" if first.line else first.path) if first.path else ""
    parts = [f"{code(first.rule)}: {markdown(first.message)}"]
    parts += [f"<br>{place}"] if place else []
    parts += [f" · {markdown(first.help)}"] if first.help else []
    parts += [f" · also in {plural(len(same) - 1, 'more target')}"] if len(same) > 1 else []
    if first.waived:
        parts.append(f" · waived: {markdown(first.waived)}")
    elif not first.introduced:
        parts.append(" · already on the base")
    return "".join(parts)


def _details(verdict: Verdict) -> list[tuple[str, str]]:
    groups: dict[tuple[str, str], list[ResourceChange]] = defaultdict(list)
    for change in verdict.changes:
        groups[(str(change.action), change.diff)].append(change)
    return [_detail(same) for same in groups.values()] + _live(verdict)


def _live(verdict: Verdict) -> list[tuple[str, str]]:
    """What differs from what runs now, a section a cluster: only updates have a diff that the others do not."""
    found = []
    for cluster, changes in live_by_cluster(verdict).items():
        title = f"Against what runs in {cluster}: {live_counts(changes)}"
        diffs = "\n".join(c.diff for c in changes if c.action is LiveAction.UPDATE)
        body = fence(diffs, "diff") if diffs else "No object that runs now is changed."
        found.append((title, f"<details><summary>{markdown(title)}</summary>\n\n{body}\n\n</details>"))
    return found


def _detail(same: Sequence[ResourceChange]) -> tuple[str, str]:
    first = same[0]
    namespace = f"{first.id.namespace}/" if first.id.namespace else ""
    name = f"{first.id.kind} {namespace}{first.id.name} {VERBS[first.action]}"
    more = f" (the same change in {plural(len(same) - 1, 'more target')})" if len(same) > 1 else ""
    title = f"{first.target}: {name}{more}"
    body = fence(first.diff, "diff")
    return title, f"<details><summary>{markdown(title)}</summary>\n\n{body}\n\n</details>"


def _left_out(titles: Sequence[str]) -> str:
    shown = "\n".join(f"- {markdown(t)}" for t in titles[:3])
    more = f"\n- and {len(titles) - 3} more" if len(titles) > 3 else ""
    title = f"**Left out for length:** {plural(len(titles), 'diff')}; `review-bot check` shows them all"
    return f"{title}\n{shown[:400]}{more}"


def _footer(verdict: Verdict) -> str:
    effect = verdict.effect_digest.removeprefix("sha256:")[:6]
    seconds = f"{verdict.duration_ms / 1000:.1f} s"
    return f"<sub>effect {effect} · base {verdict.base[:7]} · head {verdict.head[:7]} · {seconds}</sub>"
