"""The demo's outcome as a table for people, and as JSON for whoever checks it."""

from __future__ import annotations

from typing import Any

from review_bot.cli.demo_outcome import Outcome
from review_bot.core.sanitise import terminal

MARKS = {"success": "✓", "neutral": "✓", "failure": "✗", "action_required": "…"}
MOST_PROBLEMS = 3


def table(outcomes: list[Outcome]) -> str:
    """A block of lines a pull request: what the bot says, what people said, and how it ended."""
    blocks = ["\n".join(terminal(line) for line in _block(outcome)) for outcome in outcomes]
    merged = ", ".join(f"#{o.number}" for o in outcomes if o.merged)
    return "\n\n".join([*blocks, f"Merged: {merged}. Everything else was refused, each for the reason above."])


def _block(outcome: Outcome) -> list[str]:
    scenario = outcome.scenario
    who = f"{scenario.author}, from a fork" if scenario.fork else scenario.author
    lines = [
        f"#{outcome.number} {scenario.title} · {who} · {outcome.url}",
        f"    verdict    {_run(outcome.verdict)}",
        *(f"               {problem}" for problem in outcome.problems[:MOST_PROBLEMS]),
        f"    at first   {outcome.waiting}",
        f"    people     {', '.join(outcome.said)}",
        *(f"    {'then' if index == 0 else '':<10} {line}" for index, line in enumerate(outcome.then)),
    ]
    lines.append(f"    approvals  {_run(outcome.approvals or {})}")
    lines.append(f"    merge      {'✓ merged' if outcome.merged else f'✗ refused: {outcome.refusal}'}")
    return lines


def _run(run: dict[str, Any]) -> str:
    return f"{MARKS.get(str(run.get('conclusion')), '?')} {(run.get('output') or {}).get('title') or ''}"


def to_json(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    return [
        {
            "branch": o.scenario.branch,
            "number": o.number,
            "url": o.url,
            "verdict": o.verdict["conclusion"],
            "problems": o.problems,
            "approvals": (o.approvals or {}).get("conclusion"),
            "approvals_title": (o.approvals or {}).get("output", {}).get("title"),
            "merged": o.merged,
            "refusal": o.refusal,
        }
        for o in outcomes
    ]
