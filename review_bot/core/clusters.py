"""Which clusters the operator lets the bot ask, and how; and what one said of a change. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from review_bot.core.managers import Owner
from review_bot.core.model import RendererName, ResourceId, Severity, Target


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """One cluster. `unreachable` is how heavy it weighs that the cluster can't be asked.

    Without a `kubeconfig` the default one (KUBECONFIG, else ~/.kube/config). `timeout_seconds` is for one request,
    `budget_seconds` for all of a review. `exec` allows the kubeconfig to start a program for its credentials.
    `field_manager` None: that of the delivery tool which manages the live object. `hub` is the name of the cluster in
    which the delivery tool's objects lie that deploy to this one, None if it is this one.
    """

    name: str
    kubeconfig: Path | None = None
    context: str | None = None
    in_cluster: bool = False
    exec: bool = False
    timeout_seconds: float = 15.0
    budget_seconds: float = 300.0
    concurrency: int = 16
    field_manager: str | None = None
    unreachable: Severity = Severity.ERROR
    hub: str | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """In seconds: between sweeps for drift; between looks at a rollout, and how long one is followed."""

    drift: float = 3600.0
    rollout_look: float = 10.0
    rollout: float = 1800.0


@dataclass(frozen=True)
class Clusters:
    """The operator's clusters by name; `every` is asked for all targets, whatever the repository assigns.

    `pace` is how often and how long the service looks at them by itself.
    """

    by_name: Mapping[str, ClusterSettings] = field(default_factory=dict)
    every: ClusterSettings | None = None
    pace: Pace = Pace()

    def of(self, target: Target) -> ClusterSettings | None:
        """The cluster to ask about a target, None if there is none: no cluster knows Terraform's objects."""
        if target.renderer is RendererName.TERRAFORM:
            return None
        return self.every or (self.by_name.get(target.cluster) if target.cluster else None)


class LiveAction(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class LiveChange:
    """What a merge would do to the object that runs now; `fields` and `diff` as in ResourceChange.

    `goes_with` names what else a deletion takes with it, `owners` who set the live values that would change.
    """

    target: str
    cluster: str
    action: LiveAction
    id: ResourceId
    fields: tuple[str, ...] = ()
    diff: str = ""
    goes_with: tuple[str, ...] = ()
    owners: tuple[Owner, ...] = ()
