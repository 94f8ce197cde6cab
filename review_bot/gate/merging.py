"""Whether a pull request may be merged now: pure, from the decision and from how GitHub sees it right before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from review_bot.gate.decision import Decision

FINE = ("success", "neutral", "skipped")
# GitHub's mergeable_state where nothing stands against a merge.
CLEAN = ("clean", "has_hooks")
# GitHub has not worked it out yet.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """A check run or status of the head, by whomever; `state` is pending, failing or passing."""

    name: str
    state: str


@dataclass(frozen=True)
class Standing:
    """The pull request as GitHub has it right before the merge; `tip` is its base branch's commit."""

    open: bool
    draft: bool
    head: str
    base_ref: str
    tip: str
    state: str
    checks: tuple[Check, ...] = ()


def asked_by(decision: Decision, head: str) -> str | None:
    """Who has the newest `/merge` that holds: given on this head, and not taken back."""
    user = None
    for spoken in decision.commands:
        name, _, argument = spoken.command.partition(" ")
        if name == "/merge" and spoken.accepted:
            if argument.strip() == "cancel":
                user = None
            elif spoken.sha == head:
                user = spoken.user
    return user


def not_yet(decision: Decision, verdict: str, gate: str) -> tuple[str, ...]:
    """What stands against a merge by what the bot itself has published."""
    reasons = [] if verdict in ("success", "neutral") else ["the check review-bot, which is not green"]
    if gate != "success":
        reasons.append(f"the gate: {decision.summary.rstrip('.')}")
    return tuple(reasons)


def hindrances(standing: Standing, head: str, base_ref: str, tip: str) -> tuple[str, ...]:
    """What stands against a merge by what GitHub says now, compared with what was decided on."""
    if not standing.open:
        return ("it is not open any more",)
    moved = []
    if standing.head != head:
        moved.append("a look at the newest commit")
    if (standing.base_ref, standing.tip) != (base_ref, tip):
        moved.append("a look at the base branch, which has moved")
    if standing.draft:
        moved.append("the draft to be ready for review")
    return tuple(moved) or _checks(standing)


def _checks(standing: Standing) -> tuple[str, ...]:
    pending = _names(standing.checks, "pending")
    failing = _names(standing.checks, "failing")
    reasons = [f"checks under way: {pending}"] if pending else []
    if failing:
        reasons.append(f"checks that fail: {failing}")
    if standing.state in CLEAN or reasons:
        return tuple(reasons)
    return (_STATES.get(standing.state, f"GitHub, which calls it {standing.state or 'not mergeable'}"),)


_STATES = {
    UNKNOWN: "GitHub, which is still working out whether it can be merged",
    "dirty": "a conflict with the base branch to be settled",
    "behind": "the branch to be brought up to date with its base",
    "blocked": "what the branch's protection asks for beyond this (required checks or reviews)",
    "unstable": "a check that has not passed",
    "draft": "the draft to be ready for review",
}


def _names(checks: Sequence[Check], state: str) -> str:
    names = sorted({c.name for c in checks if c.state == state})
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
