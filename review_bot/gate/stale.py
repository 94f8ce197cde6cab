"""Approvals that held for an earlier effect, and what lies between that one and the present: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from review_bot.gate.facts import Facts
from review_bot.gate.people import Approval, contributors, listen


@dataclass(frozen=True, slots=True)
class Shown:
    """A change as it was shown to people: `mark` stands for all of its diff, `diff` may be cut."""

    name: str
    action: str
    mark: str
    diff: str


@dataclass(frozen=True, slots=True)
class Step:
    """What an object was going to have done to it, and what it is now; None: nothing."""

    name: str
    before: Shown | None
    now: Shown | None


def stale(facts: Facts) -> tuple[Approval, ...]:
    """Approvals that were not taken back and are of another effect than the present one."""
    current = facts.effects.get(facts.head_sha)
    given = listen(facts, contributors(facts)).approvals.values()
    return tuple(a for a in given if _effect(a, facts) not in (None, current))


def effect_of(approval: Approval, facts: Facts) -> str:
    """The digest of the effect that was approved, "" where it is not known."""
    return _effect(approval, facts) or ""


def _effect(approval: Approval, facts: Facts) -> str | None:
    return approval.effect or (facts.effects.get(approval.sha) if approval.sha else None)


def steps(before: Sequence[Shown], now: Sequence[Shown]) -> tuple[Step, ...]:
    """Where two effects differ, in the order of the present one, what is gone last."""
    old, new = _by_name(before), _by_name(now)
    names = [*new, *(name for name in old if name not in new)]
    found = (Step(name, old.get(name), new.get(name)) for name in names)
    return tuple(s for s in found if s.before is None or s.now is None or s.before.mark != s.now.mark)


def _by_name(rows: Sequence[Shown]) -> Mapping[str, Shown]:
    return {row.name: row for row in rows}
