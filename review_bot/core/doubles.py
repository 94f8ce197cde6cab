"""What the schema check and the cluster both say is shown once. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from review_bot.core.model import CheckName, Finding

# The rules of the dry run that a schema can know too.
SHARED = frozenset(["dry-run-invalid", "dry-run-unknown-kind"])
AGREES = {
    CheckName.SCHEMA: "The cluster's API server refuses it too.",
    CheckName.DRY_RUN: "The schema check finds it too.",
}


def once(findings: Sequence[Finding]) -> list[Finding]:
    """The findings in their order, without those that another check has on the same field of the same object.

    The one with a line stays, the schema's if both have one, for it tells the value. Only findings that weigh alike are
    the same: a waiver of the one must not hide the other.
    """
    of_cluster = {
        _key(f): f for f in reversed(findings) if f.check is CheckName.DRY_RUN and f.rule in SHARED and f.field
    }
    of_schema = {_key(f): f for f in reversed(findings) if f.check is CheckName.SCHEMA}
    kept: dict[int, Finding | None] = {}
    for key, theirs in of_cluster.items():
        ours = of_schema.get(key)
        if ours is not None:
            stays, goes = (ours, theirs) if ours.line is not None or theirs.line is None else (theirs, ours)
            kept[id(stays)] = replace(stays, help=f"{_sentence(stays.help)}{AGREES[stays.check]}")
            kept[id(goes)] = None
    return [f for finding in findings if (f := kept.get(id(finding), finding)) is not None]


def _key(finding: Finding) -> Hashable:
    weight = (finding.severity, finding.introduced, finding.waived)
    return (finding.target, finding.resource, finding.field, weight)


def _sentence(text: str) -> str:
    return f"{text.rstrip('.')}. " if text else ""
