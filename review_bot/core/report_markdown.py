"""The verdict as markdown: the sticky comment and the check run's summary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from review_bot.core.clusters import LiveAction
from review_bot.core.highlights import VERSIONS, highlights
from review_bot.core.model import Action, CheckName, CheckState, Finding, RendererName, ResourceChange
from review_bot.core.outcome import TargetResult, Verdict
from review_bot.core.report_text import (
    counts,
    danger_text,
    grouped,
    live_by_cluster,
    live_counts,
    named,
    plural,
    repeated,
    short,
)
from review_bot.core.sanitise import code, fence, markdown
from review_bot.core.terraform.environments import environment_of
from review_bot.core.verdict import blocks
from review_bot.core.versions.moves import Move, overall

LIMIT = 60_000
# Room for naming what was left out.
NAMED_BYTES = 700
MOST_ROWS = 50
MOST_MESSAGE = 600
MOST_MOVES = 20
SHOWN = (CheckName.POLICY, CheckName.SCHEMA, CheckName.DRY_RUN)
MARKS = {CheckState.SUCCESS: "✓", CheckState.FAILURE: "✗", CheckState.NOT_CONFIGURED: "not configured"}
NOT_ASKED = "not in full"
UNASKED = "No registry was asked whether these images exist."
VERBS = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}


def render(verdict: Verdict, *, limit: int = LIMIT) -> str:
    """The whole report in at most `limit` bytes."""
    return f"{body(verdict, limit=limit - 200)}\n\n{footer(verdict)}"


def body(verdict: Verdict, *, limit: int = LIMIT) -> str:
    """The sticky comment without its footer, in at most `limit` bytes: problems first, then each diff folded."""
    parts = [headline(verdict), *_highlights(verdict), *_overview(verdict)]
    first = _fitted(parts, limit)
    return "\n\n".join(p for p in (first, details(verdict, limit=limit - size(first) - 2)) if p)


def summary(verdict: Verdict, *, limit: int = LIMIT) -> str:
    """What a check run says first, without its footer: the table, problems and remarks."""
    return _fitted([*_highlights(verdict), *_overview(verdict)], limit)


def details(verdict: Verdict, *, limit: int = LIMIT) -> str:
    """The diffs: whole ones are left out, and named, rather than one cut in the middle."""
    kept: list[str] = []
    left_out: list[str] = []
    used = 0
    for title, section in _details(verdict):
        cost = size(section) + 2
        if used + cost <= limit - NAMED_BYTES:
            kept.append(section)
            used += cost
        else:
            left_out.append(title)
    if left_out:
        kept.append(_left_out(left_out))
    return "\n\n".join(kept)


def title(verdict: Verdict) -> str:
    """The first line as plain text, for a check run's title."""
    problems, _ = counts(verdict)
    if problems:
        return f"{plural(problems, 'problem')} to fix"
    changes = plural(len(verdict.changes), "change")
    return f"Nothing blocks: {changes} in {plural(len(verdict.targets), 'target')}" if verdict.targets else "No change"


def size(text: str) -> int:
    """In bytes: GitHub counts characters in some places and bytes in others."""
    return len(text.encode(errors="replace"))


def _overview(verdict: Verdict) -> list[str]:
    return [*_table(verdict), *_versions(verdict), *_problems(verdict), *_dangers(verdict), *_remarks(verdict)]


def _fitted(parts: Sequence[str], limit: int) -> str:
    """As many whole parts as fit; what did not is said."""
    kept, used = [], 0
    for part in parts:
        if used + size(part) + 2 > limit - NAMED_BYTES:
            kept.append("**Left out for length:** a part of this report; `review-bot check` shows all of it")
            break
        kept.append(part)
        used += size(part) + 2
    return "\n\n".join(kept)


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
    of = {t.target.id: t.target for t in verdict.targets}
    for change in verdict.changes:
        environments[environment_of(change, of.get(change.target)) or ""] += 1
    if not environments:
        return "no change in the cluster"
    parts = [
        f"{plural(n, 'change')} in {markdown(e)}" if e else plural(n, "change") for e, n in sorted(environments.items())
    ]
    return ", ".join(parts)


def _highlights(verdict: Verdict) -> list[str]:
    parts = []
    for one in highlights(verdict):
        where = f" in {', '.join(markdown(w) for w in one.where)}" if one.where else ""
        parts.append(f"**{markdown(one.subject)}** {markdown(one.what)}{where}")
    return [" · ".join(parts)] if parts else []


def _versions(verdict: Verdict) -> list[str]:
    """What moves, and what is new with a flag; one move alone is said in the first line already."""
    moves = [m for m in verdict.versions if m.old is not None or {"latest", "no-tag"} & set(m.flags)]
    if len(moves) < 2 and not any(m.flags or m.notes or m.kind not in VERSIONS for m in moves):
        return []
    label = overall(verdict.versions)
    rows = ["| version | from | to | step | where |", "|---|---|---|---|---|"]
    for move in moves[:MOST_MOVES]:
        where = ", ".join(move.environments or move.targets)
        step = " · ".join([str(move.step), *(f.replace("-", " ") for f in move.flags)])
        cells = code(f"{move.name} ({move.kind})"), code(move.old or "—"), _new(move), step, markdown(where[:200])
        rows.append(f"| {' | '.join(cells)} |")
    if len(moves) > MOST_MOVES:
        rows.append(f"| … and {len(moves) - MOST_MOVES} more | | | | |")
    title = f"Versions: {plural(len(moves), 'move')}{f', {label}' if label else ''}"
    asked = [] if _asked(verdict) or all(m.kind != "image" for m in moves) else [f"\n{UNASKED}\n"]
    return [f"<details><summary>{title}</summary>\n\n" + "\n".join([*rows, *asked]) + "\n</details>"]


def _new(move: Move) -> str:
    return f"{code(move.new)} ([notes]({move.notes}))" if move.notes else code(move.new)


def _table(verdict: Verdict) -> list[str]:
    if not verdict.targets:
        return []
    rows = ["| | target | changes | checks |", "|---|---|---|---|"]
    for result in verdict.targets[:MOST_ROWS]:
        rows.append(_row(result, verdict))
    if len(verdict.targets) > MOST_ROWS:
        rows.append(f"| | … and {len(verdict.targets) - MOST_ROWS} more targets | | |")
    return ["\n".join(rows)]


def _row(result: TargetResult, verdict: Verdict) -> str:
    # What concerns no single target, such as a policy that failed, was not passed by any.
    failing = {f.check for f in verdict.findings if f.target in (None, result.target.id) and blocks(f)}
    numbers = ((result.created, "created"), (result.updated, "updated"), (result.deleted, "deleted"))
    changes = ", ".join(f"{n} {word}" for n, word in numbers if n) or "none"
    cluster = f" → cluster **{markdown(result.target.cluster)}**" if result.target.cluster else ""
    environment = f" ({markdown(result.target.environment)})" if result.target.environment else ""
    if result.error is not None:
        checks, changes = "render ✗", "unknown"
    else:
        # Of Terraform's objects Kubernetes' schemas and clusters know nothing.
        shown = (CheckName.POLICY,) if result.target.renderer is RendererName.TERRAFORM else SHOWN + _asked(verdict)
        checks = " · ".join(f"{name} {_mark(name, result, failing, verdict)}" for name in shown)
    return f"| {'❌' if failing else '✅'} | {code(result.target.id)}{environment}{cluster} | {changes} | {checks} |"


def _asked(verdict: Verdict) -> tuple[CheckName, ...]:
    """Registries are asked only where the operator wants it; a column for each other team would be noise."""
    state = verdict.checks.get(CheckName.IMAGES, CheckState.NOT_CONFIGURED)
    return () if state is CheckState.NOT_CONFIGURED else (CheckName.IMAGES,)


def _mark(name: CheckName, result: TargetResult, failing: set[CheckName], verdict: Verdict) -> str:
    if name in failing:
        return MARKS[CheckState.FAILURE]
    if verdict.checks.get(name, CheckState.NOT_CONFIGURED) is CheckState.NOT_CONFIGURED:
        return MARKS[CheckState.NOT_CONFIGURED]
    # Some targets may have a cluster and others none: what was not asked has not passed.
    if result.target.id in verdict.in_part.get(name, ()):
        return NOT_ASKED
    changes = result.created + result.updated + result.deleted
    asked = sum(c.target == result.target.id for c in verdict.live)
    return NOT_ASKED if name is CheckName.DRY_RUN and asked < changes else MARKS[CheckState.SUCCESS]


def _problems(verdict: Verdict) -> list[str]:
    problems = grouped([f for f in verdict.findings if blocks(f)])
    if not problems:
        return []
    rows = [f"{number}. {_finding(same)}" for number, same in enumerate(problems[:MOST_ROWS], 1)]
    if len(problems) > MOST_ROWS:
        rows.append(f"\n… and {len(problems) - MOST_ROWS} more, all in the check run's annotations")
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
    remarks = grouped([f for f in verdict.findings if not blocks(f)])
    if not remarks:
        return []
    rows = "\n".join(f"- {_finding(same)}" for same in remarks[:MOST_ROWS])
    more = f"\n- … and {len(remarks) - MOST_ROWS} more" if len(remarks) > MOST_ROWS else ""
    title = f"Worth a look: {plural(len(remarks), 'remark')}"
    return [f"<details><summary>{title}</summary>\n\n{rows}{more}\n\n</details>"]


def _finding(same: Sequence[Finding]) -> str:
    first = same[0]
    place = code(f"{first.path}:{first.line}" if first.line else first.path) if first.path else ""
    parts = [f"{code(first.rule)}: {markdown(_short(first.message))}"]
    parts += [f"<br>{place}"] if place else []
    parts += [f" · {markdown(first.help)}"] if first.help else []
    parts += [f" ([why]({first.link}))"] if first.link else []
    parts += [f" · {also}"] if (also := repeated(same)) else []
    if first.waived:
        parts.append(f" · waived: {markdown(first.waived)}")
    elif not first.introduced:
        parts.append(" · already on the base")
    return "".join(parts)


def _short(text: str) -> str:
    """A policy may say as much as it likes; the whole of it stands in the annotation."""
    return text if len(text) <= MOST_MESSAGE else f"{text[:MOST_MESSAGE]}…"


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
    name = f"{named(first.id)} {VERBS[first.action]}"
    more = f" (the same change in {plural(len(same) - 1, 'more target')})" if len(same) > 1 else ""
    title = f"{first.target}: {name}{more}"
    body = fence(first.diff, "diff")
    return title, f"<details><summary>{markdown(title)}</summary>\n\n{body}\n\n</details>"


def _left_out(titles: Sequence[str]) -> str:
    shown = "\n".join(f"- {markdown(t)}" for t in titles[:3])
    more = f"\n- and {len(titles) - 3} more" if len(titles) > 3 else ""
    title = f"**Left out for length:** {plural(len(titles), 'diff')}; `review-bot check` shows them all"
    return f"{title}\n{shown[:400]}{more}"


def footer(verdict: Verdict) -> str:
    """Which effect, of which commits, and how long it took."""
    effect = verdict.effect_digest.removeprefix("sha256:")[:6]
    seconds = f"{verdict.duration_ms / 1000:.1f} s"
    return f"<sub>effect {effect} · base {short(verdict.base)} · head {short(verdict.head)} · {seconds}</sub>"
