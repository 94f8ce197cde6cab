"""Conditions: what the webhook asks of each."""

from __future__ import annotations

from typing import Any

from review_bot.core.tekton.reading import At, items
from review_bot.core.tekton.report import Report, Rule

OPERATORS = ("in", "notin")


def judge_when(report: Report, value: Any, at: At) -> None:
    """Each is an expression in CEL (which is not looked into), or an input, an operator and values."""
    for one, place in items(value, at):
        if one.get("cel"):
            continue
        operator = one.get("operator")
        if isinstance(operator, str) and operator not in OPERATORS:
            message = f"{operator or 'nothing'} is no operator"
            report.say(place.key("operator"), Rule.TASK, message, f"write {' or '.join(OPERATORS)}")
        if one.get("values") == []:
            report.say(place.key("values"), Rule.TASK, "there are no values to compare with", "add one")
