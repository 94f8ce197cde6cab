"""Label selectors, which ApplicationSets use for clusters and for the parameters of any generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from review_bot.core.argocd import values
from review_bot.core.argocd.problems import Trouble
from review_bot.core.model import FieldPath

OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def is_empty(selector: Mapping[str, Any]) -> bool:
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def matches(selector: Mapping[str, Any], labels: Mapping[str, str], at: FieldPath) -> bool:
    """Do the labels meet all of it? Raises Trouble for an operator that there is not."""
    wanted = values.mapping(selector.get("matchLabels"), "matchLabels", at)
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    rows = values.rows(selector.get("matchExpressions"), "matchExpressions", at)
    return all(_meets(row, labels, at) for row in rows)


def _meets(row: Mapping[str, Any], labels: Mapping[str, str], at: FieldPath) -> bool:
    operator, value = row.get("operator"), labels.get(str(row.get("key")))
    listed = values.texts(row.get("values"), "values", at)
    if operator not in OPERATORS:
        raise Trouble(
            f"{operator!r} is no operator of a selector", at=at, rule="selector", help=f"use {', '.join(OPERATORS)}"
        )
    if operator == "In":
        return value in listed
    if operator == "NotIn":
        return value not in listed
    return (value is not None) is (operator == "Exists")
