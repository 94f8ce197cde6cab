"""`.review-bot.yaml` as frozen data, after validation (core/config.py reads it)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from review_bot.core.model import HelmOptions, RendererName

# Where it stands, from the repository's root.
CONFIG_PATH = ".review-bot.yaml"


@dataclass(frozen=True, slots=True)
class Waiver:
    """An agreed exception: `match` holds glob patterns by kind, namespace, name; `until` is an ISO date."""

    rule: str
    match: Mapping[str, str]
    reason: str
    until: str


@dataclass(frozen=True, slots=True)
class Assignment:
    match: str
    cluster: str | None = None
    environment: str | None = None
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class TargetDefinition:
    """A target that discovery can't find: a chart with its own values, or a folder for another renderer."""

    name: str
    renderer: RendererName
    path: str
    helm: HelmOptions | None = None


@dataclass(frozen=True, slots=True)
class SchemaOptions:
    strict: bool = True
    schemas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """`explicit`: the configuration names the paths, so an empty one is an error and not `not-configured`."""

    paths: tuple[str, ...] = ("policies",)
    data: tuple[str, ...] = ()
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class DryRunOptions:
    """`prune`: the delivery tool deletes what is no longer rendered."""

    prune: bool = True


@dataclass(frozen=True)
class ArgoCluster:
    """A cluster as Argo CD knows it; ApplicationSets choose among them by their labels."""

    name: str
    server: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    project: str = ""


@dataclass(frozen=True)
class Config:
    """`.review-bot.yaml` after validation; `approvals`, `merge` and `freezes` stay raw: the gate parses them.

    `enable_helm`: kustomizations may inflate helmCharts.
    """

    kubernetes: str = "1.35"
    exclude: tuple[str, ...] = ()
    assign: tuple[Assignment, ...] = ()
    define: tuple[TargetDefinition, ...] = ()
    schema: SchemaOptions = field(default_factory=SchemaOptions)
    policy: PolicyOptions = field(default_factory=PolicyOptions)
    dry_run: DryRunOptions = field(default_factory=DryRunOptions)
    waivers: tuple[Waiver, ...] = ()
    approvals: Mapping[str, Any] = field(default_factory=dict)
    merge: Mapping[str, Any] = field(default_factory=dict)
    freezes: tuple[Mapping[str, Any], ...] = ()
    block_existing: bool = False
    enable_helm: bool = False
    argocd_clusters: tuple[ArgoCluster, ...] = ()
