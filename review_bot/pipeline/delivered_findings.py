"""What is to be said of what delivery tools are told, by the ids that are shown, and what of it is news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from review_bot.core.flux.artifacts import with_names
from review_bot.core.model import CheckName, Finding, Severity
from review_bot.pipeline.delivered_ids import Pair, hidden
from review_bot.pipeline.delivered_side import DeliveredSide


def shown(findings: Sequence[Finding], ids: Mapping[str, str]) -> tuple[Finding, ...]:
    named = (replace(f, message=with_names(f.message), help=with_names(f.help)) for f in findings)
    return tuple(replace(f, target=ids.get(f.target or "", f.target)) for f in named)


def new(head: Sequence[Finding], base: Sequence[Finding], about: set[str]) -> list[Finding]:
    """What is said of the head and concerns the change: of a touched target, or not said of the base."""
    known = {(f.rule, f.message, f.target, f.path) for f in base}
    return [f for f in head if f.target in about or (f.rule, f.message, f.target, f.path) not in known]


def hidden_ones(pairs: Sequence[Pair], base: DeliveredSide, head: DeliveredSide) -> list[Finding]:
    """What was rendered before and can't be seen any more: nobody could tell that from its end."""
    tools = {reader.name for reader in head.readers}
    # What is broken is told by itself.
    gone = [p.base for p in pairs if p.base is not None and p.head is None and hidden(p.base, base, head)]
    lost = [target for target in gone if base.realm_of(target) in head.incomplete - head.failed]
    told = {f.target for f in head.findings if f.severity is Severity.ERROR}
    for pair in pairs:
        if pair.base is not None and pair.base.parts and pair.head is not None and not pair.head.parts:
            if pair.head.delivery is not None and pair.head.delivery.tool in tools and pair.head.id not in told:
                lost.append(pair.head)
    return [
        Finding(
            CheckName.RENDER,
            "hidden",
            Severity.ERROR,
            f"{target.name or target.id} was rendered before this change, and whether it goes or changes can't be seen",
            path=target.entry,
            help="keep what decides about it in the repository, and free of what only a machine can answer",
        )
        for target in lost
    ]


def too_deep(side: DeliveredSide, rounds: int) -> Finding:
    last = next(iter(side.leading()), None)
    return Finding(
        CheckName.RENDER,
        "too-deep",
        Severity.ERROR,
        f"after {rounds} rounds of rendering there is still more to deploy",
        path=last.entry if last else None,
        help="look for an application that deploys ever new ones of itself",
    )
