"""What a check is given and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from review_bot.core.clusters import Clusters, LiveChange
from review_bot.core.configuration import Config
from review_bot.core.model import (
    CheckName,
    CheckState,
    Demand,
    Finding,
    RendererName,
    Resource,
    ResourceChange,
    Target,
    Tree,
)

if TYPE_CHECKING:
    from review_bot.core.versions.moves import ByChange
    from review_bot.core.versions.registries import Registries


class NoAnswer(Exception):
    """A policy engine that stays up could not answer; a one-shot OPA can, or says why."""


class PolicyEngine(Protocol):
    """An OPA that stays up (see checks.opa_server)."""

    async def query(self, files: Sequence[Path], package: str, document: Any) -> Any:
        """The value of a package under these policies for an input document. Raises NoAnswer."""
        ...


class Ran(Protocol):
    """How a program in a jail ended: `trouble` says why it was stopped, "" if it ended by itself."""

    @property
    def status(self) -> int: ...
    @property
    def stdout(self) -> bytes: ...
    @property
    def stderr(self) -> str: ...
    @property
    def trouble(self) -> str: ...


class Jail(Protocol):
    """Runs a program that sees one folder and nothing else (see render.sandbox): for policies that nobody agreed to."""

    async def run(self, tool: Path, words: Sequence[str], checkout: Path) -> Ran: ...


@dataclass(frozen=True)
class CheckContext:
    """`base` is the base branch's tip (policies and schemas come from it), `targets` the touched ones by id.

    `policy_dirs` replace the base's policies; `crds` are the definitions known for custom kinds; `clusters` those that
    the operator lets the bot ask, None if there are none; `moved` are the versions that move, by change; `registries`
    are asked about images, None if nobody wants that.
    """

    config: Config
    base: Tree
    head: Tree
    policy_dirs: tuple[Path, ...] | None = None
    targets: Mapping[str, Target] = field(default_factory=dict)
    crds: tuple[Resource, ...] = ()
    engine: PolicyEngine | None = None
    jail: Jail | None = None
    clusters: Clusters | None = None
    moved: ByChange = field(default_factory=dict)
    registries: Registries | None = None

    def for_clusters(self, changes: Sequence[ResourceChange]) -> list[ResourceChange]:
        """The changes that a cluster would get: what Terraform is told of goes elsewhere."""
        others = {id for id, target in self.targets.items() if target.renderer is RendererName.TERRAFORM}
        return [change for change in changes if change.target not in others]


@dataclass(frozen=True)
class CheckOutcome:
    """Findings on the changed resources as they will be (`head`) and as they are (`base`); `live`: what runs now.

    `demands` are approvals that policies ask for; `notes` addresses of release notes, by an image's place and version;
    `in_part` targets that could not be judged in full.
    """

    state: CheckState
    head: tuple[Finding, ...] = ()
    base: tuple[Finding, ...] = ()
    live: tuple[LiveChange, ...] = ()
    demands: tuple[Demand, ...] = ()
    notes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    in_part: frozenset[str] = frozenset()


class Check(Protocol):
    """A check is made once a review."""

    name: CheckName

    async def run(self, changes: Sequence[ResourceChange], context: CheckContext) -> CheckOutcome:
        """Judge the changed resources. Never raises for what a pull request holds."""
        ...
