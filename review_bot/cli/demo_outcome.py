"""How one pull request of the demo fared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from review_bot.demo.scenarios import Scenario


@dataclass
class Outcome:
    """One pull request's story, filled in as it goes."""

    scenario: Scenario
    number: int
    head: str
    url: str
    verdict: dict[str, Any]
    problems: list[str]
    waiting: str = ""
    approvals: dict[str, Any] | None = None
    merged: bool = False
    refusal: str = ""
    said: tuple[str, ...] = ()
    # What happened after that, a line each.
    then: tuple[str, ...] = ()
