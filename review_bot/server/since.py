"""What changed since somebody approved: for the details of the gate's check run."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from review_bot.core.sanitise import code, fence
from review_bot.gate.facts import Facts
from review_bot.gate.stale import Shown, Step, effect_of, stale, steps

MOST_STEPS = 20
MOST_LINES = 60
MOST_TEXT = 40_000


@dataclass(frozen=True, slots=True)
class Since:
    """Markdown: a sentence a person, for the summary, and the differences, for the details; "" if nobody's is stale."""

    line: str = ""
    text: str = ""


def dump(shown: Sequence[Mapping[str, str]]) -> str:
    return json.dumps(list(shown))


def since(facts: Facts, known: Mapping[str, str], present: Sequence[Mapping[str, str]]) -> Since:
    """`known` has the effects that were published, by digest, as `dump` wrote them; `present` is the present one."""
    now = [Shown(**row) for row in present]
    lines, parts, seen = [], [], set[str]()
    for approval in stale(facts):
        digest = effect_of(approval, facts)
        where = f" at {approval.sha[:7]}" if approval.sha else ""
        lines.append(f"- ↻ {code(approval.user)} approved another effect{where}: what changed since is in the details.")
        if digest in known and digest not in seen:
            before = [Shown(**row) for row in json.loads(known[digest])]
            parts.append(f"### Since {code(approval.user)} approved{where}\n{_differences(steps(before, now))}")
        seen.add(digest)
    text = "\n\n".join(parts)
    if len(text) > MOST_TEXT:
        text = f"### Since the last approvals\nToo much changed to show it here ({len(text)} characters)."
    return Since("\n".join(lines), text)


def _differences(found: Sequence[Step]) -> str:
    if not found:
        return "Nothing that can be shown: a value of a Secret, or what did not render."
    shown = "\n\n".join(_step(step) for step in found[:MOST_STEPS])
    more = f"\n\n… and {len(found) - MOST_STEPS} more objects" if len(found) > MOST_STEPS else ""
    return shown + more


def _step(step: Step) -> str:
    if step.before is None and step.now is not None:
        return f"{code(step.name)} is new here ({step.now.action})\n{_cut(step.now.diff.splitlines())}"
    if step.now is None:
        return f"{code(step.name)} is not touched any more"
    before = step.before.diff if step.before is not None else ""
    now = step.now.diff.splitlines()
    lines = list(difflib.unified_diff(before.splitlines(), now, "approved", "now", n=2, lineterm=""))
    return f"{code(step.name)} changes otherwise (the difference of the two differences)\n{_cut(lines)}"


def _cut(lines: Sequence[str]) -> str:
    more = [f"… {len(lines) - MOST_LINES} more lines"] if len(lines) > MOST_LINES else []
    return fence("\n".join([*lines[:MOST_LINES], *more]), "diff")


def rows(changes: Sequence[Shown]) -> tuple[Mapping[str, str], ...]:
    return tuple(asdict(change) for change in changes)
