"""Applications that deploy each other in a circle. Following them ends, but people should know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from review_bot.core.argocd.application import TOOL
from review_bot.core.model import CheckName, Finding, Severity, Target

# So many are named.
MOST_NAMED = 8


def circle(told: Iterable[Target], known: Mapping[str, Target]) -> list[Finding]:
    """A notice on those that stand in a circle; one that deploys itself is as usual. `told` may tell of one twice."""
    edges = {(t.delivery.parent.partition("@")[0], t.id) for t in told if t.delivery is not None}
    edges = {(parent, child) for parent, child in edges if parent != child and parent.startswith(f"{TOOL}:")}
    before = None
    while before != edges:
        # What nothing leads to, or leads nowhere, stands in none.
        before = edges
        inner = {parent for parent, _ in edges} & {child for _, child in edges}
        edges = {edge for edge in edges if edge[0] in inner and edge[1] in inner}
    names = sorted({parent for parent, _ in edges} & known.keys())
    delivery = known[names[0]].delivery if names else None
    if delivery is None:
        return []
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return [
        Finding(
            check=CheckName.RENDER,
            rule="circle",
            severity=Severity.NOTICE,
            message=f"these deploy each other in a circle: {', '.join(names[:MOST_NAMED])}{more}",
            target=names[0],
            resource=delivery.object,
            path=delivery.source.path,
            line=delivery.source.line,
            help="take one of them out of the folder of another, unless that is meant",
        )
    ]
