"""Label selectors, which ApplicationSets use for clusters and for the parameters of any generator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from review_bot.core.argocd import values
from review_bot.core.argocd.problems import Trouble
from review_bot.core.model import FieldPath

# What Kubernetes allows for the value of a label.
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?\Z")
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def is_empty(selector: Mapping[str, Any]) -> bool:
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def check(selector: Mapping[str, Any], at: FieldPath, *, of_objects: bool = False) -> None:
    """Raises Trouble where Argo CD would refuse it. `of_objects`: it chooses by labels, whose values have a form."""
    for key, value in values.mapping(selector.get("matchLabels"), "matchLabels", at).items():
        if of_objects and not _LABEL.match(values.text(value, f"matchLabels.{key}", at)):
            raise Trouble(f"{value!r} is no value of a label", at=at, rule="selector", help="correct matchLabels")
    for row in values.rows(selector.get("matchExpressions"), "matchExpressions", at):
        operator, listed = row.get("operator"), values.texts(row.get("values"), "values", at)
        if operator not in OPERATORS:
            raise Trouble(
                f"{operator!r} is no operator of a selector", at=at, rule="selector", help=f"use {', '.join(OPERATORS)}"
            )
        if bool(listed) is (operator in ("Exists", "DoesNotExist")):
            wrong = "takes no values" if listed else "needs values"
            raise Trouble(f"the operator {operator} {wrong}", at=at, rule="selector", help="correct matchExpressions")


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Do the labels meet all of a selector that was checked?"""
    wanted = selector.get("matchLabels") or {}
    rows = selector.get("matchExpressions") or []
    return all(labels.get(key) == value for key, value in wanted.items()) and all(_meets(row, labels) for row in rows)


def _meets(row: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    operator, value, listed = row["operator"], labels.get(str(row.get("key"))), row.get("values") or []
    if operator == "In":
        return value in listed
    if operator == "NotIn":
        return value not in listed
    return (value is not None) is (operator == "Exists")
