"""`/waive RULE UNTIL REASON`: read and checked, pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

LONGEST = timedelta(days=366)
SHORTEST_REASON = 5
_EXPECTED = "expected is `/waive RULE UNTIL REASON`, UNTIL as 2026-12-31"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


@dataclass(frozen=True, slots=True)
class Waive:
    """An exception that somebody asks for; `until` is its last day."""

    rule: str
    until: date
    reason: str


def read(argument: str, today: date, rules: frozenset[str]) -> Waive | str:
    """What is asked for, or a sentence that says what was expected. `rules` are those that something breaks here."""
    rule, _, rest = argument.strip().partition(" ")
    until, _, reason = rest.strip().partition(" ")
    day = _day(until)
    if day is None:
        return f"there is no date after the rule; {_EXPECTED}"
    if day < today:
        return f"{until} is over; expected is a day from {today} on"
    if day > today + LONGEST:
        return f"{until} is too far away; expected is a day up to {today + LONGEST}, after which somebody looks again"
    if len(reason.strip()) < SHORTEST_REASON:
        return f"a reason is missing; {_EXPECTED}"
    if rule not in rules:
        names = ", ".join(sorted(rules)[:10])
        expected = f"expected is one of {names}" if names else "nothing that could be waived is found here"
        return f"no object here breaks the rule {rule[:80]}; {expected}"
    return Waive(rule, day, reason.strip())


def _day(text: str) -> date | None:
    if not _DATE.match(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
