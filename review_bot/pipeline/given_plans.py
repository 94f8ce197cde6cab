"""Terraform's plans that someone else made, such as a pipeline that knows the state, put in their targets' places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from review_bot.core.configuration import Config
from review_bot.core.errors import UsageError
from review_bot.core.model import PlannedTarget, RendererName
from review_bot.core.planning import discover
from review_bot.core.terraform.plan_notices import notices, of_other_files
from review_bot.pipeline.rendering import RenderedSides
from review_bot.pipeline.sides import Sides

Plans = Mapping[str, Mapping[str, Any]]


def also_planned(
    planned: Sequence[PlannedTarget], plans: Plans, sides: Sides, config: Config
) -> tuple[PlannedTarget, ...]:
    """The touched targets, and the modules for which a plan is given: that it exists says that something may change.

    Raises UsageError for a plan of a folder that is no root module of the head.
    """
    ids = {f"{RendererName.TERRAFORM}:{path}": path for path in plans}
    missing = ids.keys() - {p.id for p in planned if p.head is not None}
    if not missing:
        return tuple(planned)
    before, after = ({t.id: t for t in discover(tree, config)} for tree in (sides.base, sides.head))
    for id in sorted(missing):
        if id not in after:
            known = ", ".join(t.path for t in after.values() if t.renderer is RendererName.TERRAFORM) or "there is none"
            raise UsageError(
                f"--terraform-plan: {ids[id]} is no root module of Terraform here", help=f"root modules: {known}"
            )
    more = [PlannedTarget(id, "a plan is given for it", before.get(id), after[id]) for id in missing]
    return tuple(sorted([*planned, *more], key=lambda p: p.id))


def with_plans(rendered: RenderedSides, plans: Plans) -> RenderedSides:
    """The head's targets with the plans that are given for them, and what is to be said of all plans.

    What a plan shows need not be said to be unseen.
    """
    head, said = dict(rendered.head), list(rendered.loose)
    for path, document in plans.items():
        id = f"{RendererName.TERRAFORM}:{path}"
        if id in head:
            one = head[id]
            findings = tuple(f for f in one.findings if f.rule != "terraform-module-elsewhere")
            head[id] = replace(one, plan=document, findings=findings)
            said += () if one.failed else of_other_files(document, one.target, one.resources)
    # Not a part of what is rendered: the changes are shown all the same.
    said += [f for one in head.values() if one.plan is not None for f in notices(one.plan, one.target)]
    return replace(rendered, head=head, loose=tuple(said))
