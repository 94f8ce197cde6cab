"""What a check is given and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from review_bot.core.clusters import Clusters, LiveChange
from review_bot.core.model import CheckName, CheckState, Config, Finding, Resource, ResourceChange, Target, Tree


@dataclass(frozen=True)
class CheckContext:
    """`base` is the base branch's tip (policies and schemas come from it), `targets` the touched ones by id.

    `policy_dirs` replace the base's policies; `crds` are the definitions known for custom kinds; `clusters` those that
    the operator lets the bot ask, None if there are none.
    """

    config: Config
    base: Tree
    head: Tree
    policy_dirs: tuple[Path, ...] | None = None
    targets: Mapping[str, Target] = field(default_factory=dict)
    crds: tuple[Resource, ...] = ()
    clusters: Clusters | None = None


@dataclass(frozen=True)
class CheckOutcome:
    """Findings on the changed resources as they will be (`head`) and as they are (`base`); `live`: what runs now."""

    state: CheckState
    head: tuple[Finding, ...] = ()
    base: tuple[Finding, ...] = ()
    live: tuple[LiveChange, ...] = ()


class Check(Protocol):
    """A check is made once a review."""

    name: CheckName

    async def run(self, changes: Sequence[ResourceChange], context: CheckContext) -> CheckOutcome:
        """Judge the changed resources. Never raises for what a pull request holds."""
        ...
