"""What runs differs from what a revision renders: every target that has a cluster, field by field, with its owner."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from review_bot.checks.context import CheckContext
from review_bot.checks.dry_run import DryRunCheck
from review_bot.checks.dry_run_words import Rule
from review_bot.core.clusters import Clusters, LiveAction, LiveChange
from review_bot.core.configuration import Config
from review_bot.core.model import Finding, Severity, Target, Tree
from review_bot.github.workspace import Repository
from review_bot.pipeline.platforms import Platforms
from review_bot.pipeline.rendering import as_new, render_trees
from review_bot.pipeline.review import Reviewer


@dataclass(frozen=True)
class TargetDrift:
    """One target: `changes` are what an apply would do to its live objects, `objects` how many were compared."""

    target: Target
    cluster: str
    objects: int
    changes: tuple[LiveChange, ...]


@dataclass(frozen=True)
class Drift:
    """`findings` say what could not be compared; with an error among them nothing is certain."""

    revision: str
    targets: tuple[TargetDrift, ...]
    findings: tuple[Finding, ...]

    @property
    def drifted(self) -> bool:
        return any(t.changes for t in self.targets)

    @property
    def certain(self) -> bool:
        return not any(f.severity is Severity.ERROR for f in self.findings)


async def drift(reviewer: Reviewer, repository: Repository, tree: Tree, config: Config, clusters: Clusters) -> Drift:
    """Render every target that has a cluster, and compare it with what runs there. Nothing is changed."""
    platforms = Platforms(clusters, config.kubernetes)
    delivering = reviewer.delivering(repository, config, platforms=platforms)
    survey = await delivering.survey(tree)
    targets = [t for t in survey.targets if clusters.of(t) is not None]
    rendered, loose = await render_trees(delivering.renderer, repository, [(survey.tree, targets)], platforms)
    # What computes goes to threads: a service answers its webhooks meanwhile.
    wanted = await asyncio.to_thread(as_new, rendered)
    context = CheckContext(config, tree, tree, targets={t.id: t for t in targets}, clusters=clusters)
    outcome = await DryRunCheck().run(wanted, context)
    # A conflict here is the drift itself, and is told with the field's owner. Nobody asks for more than before.
    said = [f for f in outcome.head if f.rule not in (Rule.CONFLICT, Rule.QUOTA_SUM)]
    return Drift(
        tree.sha,
        tuple(_of_target(t, clusters, outcome.live) for t in targets),
        (*survey.findings, *loose[0], *platforms.findings(), *(f for one in rendered for f in one.findings), *said),
    )


def _of_target(target: Target, clusters: Clusters, live: tuple[LiveChange, ...]) -> TargetDrift:
    own = [c for c in live if c.target == target.id]
    settings = clusters.of(target)
    assert settings is not None  # noqa: S101 - only targets with a cluster come here
    return TargetDrift(target, settings.name, len(own), tuple(c for c in own if c.action is not LiveAction.UNCHANGED))


def to_json(found: Drift) -> Mapping[str, object]:
    """The report as an object, version 1."""
    return {
        "version": 1,
        "revision": found.revision,
        "state": "unknown" if not found.certain else "drifted" if found.drifted else "in-sync",
        "targets": [_target_json(t) for t in found.targets],
        "findings": [
            {"rule": f.rule, "severity": str(f.severity), "message": f.message, "path": f.path, "line": f.line}
            for f in found.findings
        ],
    }


def _target_json(drifted: TargetDrift) -> Mapping[str, object]:
    return {
        "id": drifted.target.id,
        "cluster": drifted.cluster,
        "objects": drifted.objects,
        "drift": [
            {
                "action": str(c.action),
                "apiVersion": c.id.api_version,
                "kind": c.id.kind,
                "namespace": c.id.namespace,
                "name": c.id.name,
                "fields": list(c.fields),
                "owners": [{"field": o.field, "manager": o.manager, "since": o.since} for o in c.owners],
                "diff": c.diff,
            }
            for c in drifted.changes
        ],
    }
