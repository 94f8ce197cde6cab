"""The dry run: what the target's cluster itself says of each change, by a server-side apply that is not stored.

A cluster that can't be asked is one finding, heavy or light as the operator says; it is never a pass.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from review_bot.checks.context import CheckContext, CheckOutcome
from review_bot.checks.dry_run_words import Rule
from review_bot.core.clusters import ClusterSettings
from review_bot.core.model import CheckName, CheckState, Finding, RendererName, ResourceChange, Severity, Target


class DryRunCheck:
    """Asks every cluster that a touched target belongs to, all at once."""

    name = CheckName.DRY_RUN

    async def run(self, changes: Sequence[ResourceChange], context: CheckContext) -> CheckOutcome:
        if context.clusters is None:
            return CheckOutcome(CheckState.NOT_CONFIGURED)
        groups: dict[ClusterSettings, list[ResourceChange]] = defaultdict(list)
        settings = {id: context.clusters.of(target) for id, target in context.targets.items()}
        for change in changes:
            one = settings.get(change.target)
            if one is not None:
                groups[one].append(change)
        if not groups:
            state = CheckState.SUCCESS if any(settings.values()) else CheckState.NOT_CONFIGURED
            return CheckOutcome(state, tuple(_unknown(settings, context)))
        # Imported when a cluster is asked: HTTP and TLS cost a small review as much as its rendering.
        from review_bot.checks.dry_run_cluster import ClusterReview
        from review_bot.checks.dry_run_ignores import ignores

        ignored = ignores(context.base, context.targets.values())
        asked = [asyncio.to_thread(ClusterReview(one, context, ignored).review, group) for one, group in groups.items()]
        outcomes = await asyncio.gather(*asked)
        return CheckOutcome(
            CheckState.SUCCESS,
            (*_unknown(settings, context), *(f for outcome in outcomes for f in outcome.head)),
            tuple(f for outcome in outcomes for f in outcome.base),
            tuple(c for outcome in outcomes for c in outcome.live),
        )


def _unknown(settings: Mapping[str, ClusterSettings | None], context: CheckContext) -> Iterator[Finding]:
    """Clusters that the repository names and the operator does not: said, since silence would look like a pass."""
    missing: dict[str, list[Target]] = defaultdict(list)
    for id, one in settings.items():
        target = context.targets[id]
        if one is None and target.cluster and target.renderer is not RendererName.TERRAFORM:
            missing[target.cluster].append(target)
    for name, targets in sorted(missing.items()):
        count = f"{len(targets)} targets are" if len(targets) > 1 else f"{targets[0].id} is"
        yield Finding(
            check=CheckName.DRY_RUN,
            rule=Rule.CLUSTER,
            severity=Severity.NOTICE,
            message=f"the operator's file has no cluster {name}, so {count} not asked about there",
            path=targets[0].entry,
            help="add it under clusters in the operator's file",
        )
