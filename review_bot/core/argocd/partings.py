"""What stays behind in a cluster when an Application goes or moves; that takes both sides of a change to see."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from review_bot.core.argocd.application import FINALIZERS, TOOL
from review_bot.core.model import CheckName, Delivery, Finding, PlannedTarget, Severity


def partings(planned: Sequence[PlannedTarget]) -> list[Finding]:
    """A finding for each Application that leaves its objects where they are."""
    found = []
    for one in planned:
        before = one.base.delivery if one.base is not None else None
        if before is None or before.tool != TOOL or before.object.kind != "Application":
            continue
        after = one.head.delivery if one.head is not None else None
        if after is None and one.head is None and not _settings(before)["finalizer"]:
            found.append(_orphans(one.id, before))
        elif after is not None and _cluster(before) != _cluster(after):
            found.append(_moved(one.id, before, after))
    return found


def _orphans(target: str, before: Delivery) -> Finding:
    return Finding(
        check=CheckName.RENDER,
        rule="objects-stay",
        severity=Severity.NOTICE,
        message=f"Application {before.object.name} goes and its objects stay in {before.destination}: "
        "it has no finalizer that deletes them",
        target=target,
        resource=before.object,
        path=before.source.path,
        help=f"if they should go, first merge metadata.finalizers: [{FINALIZERS[0]}], or delete them by hand",
    )


def _moved(target: str, before: Delivery, after: Delivery) -> Finding:
    return Finding(
        check=CheckName.RENDER,
        rule="objects-stay",
        severity=Severity.WARNING,
        message=f"Application {after.object.name} moves from {before.destination} to {after.destination}: "
        f"what it deployed to {_cluster(before)} stays there",
        target=target,
        resource=after.object,
        path=after.source.path,
        line=after.source.line,
        help="Argo CD deletes nothing in the cluster that an Application leaves: plan to do it by hand",
    )


def _settings(delivery: Delivery) -> Any:
    return json.loads(delivery.settings)


def _cluster(delivery: Delivery) -> str:
    return str(_settings(delivery)["cluster"])
