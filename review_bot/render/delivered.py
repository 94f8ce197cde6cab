"""Targets that a delivery tool is told of: their parts put together, and what the tool itself does to the output."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from review_bot.core.flux.artifacts import with_names
from review_bot.core.graft import Graft
from review_bot.core.model import Finding, Rendered, Resource, Target
from review_bot.render.finishing import Finishing
from review_bot.render.side import Side

# What a tool does to the objects of all parts: from objects to objects and findings.
Finish = Callable[[Target, Sequence[Resource], Finishing], Awaitable[tuple[Sequence[Resource], Sequence[Finding]]]]
# Modules with a `finish`, imported when a tool has something to deploy.
FINISHING = ("argocd", "flux")


async def composed(target: Target, parts: Sequence[Rendered], with_: Finishing) -> Rendered:
    """One target out of its parts. If one failed there are no objects, since the rest is not what would be deployed."""
    side = with_.side
    findings = tuple(_placed(_about(target, part, f, side), side) for part in parts for f in part.findings)
    if any(part.failed for part in parts):
        return Rendered(target, (), findings)
    resources: Sequence[Resource] = [_at_home(r, side) for part in parts for r in part.resources]
    if target.delivery is not None and target.delivery.tool in FINISHING:
        finish: Finish = importlib.import_module(f"review_bot.render.{target.delivery.tool}").finish
        resources, more = await finish(target, resources, with_)
        findings += tuple(more)
    return Rendered(target, tuple(resources), findings)


def at_home(rendered: Rendered, side: Side) -> Rendered:
    """The target with places in the repository, where something was copied or fetched for it."""
    resources = tuple(_at_home(resource, side) for resource in rendered.resources)
    return replace(rendered, resources=resources, findings=tuple(_placed(f, side) for f in rendered.findings))


def _about(target: Target, part: Rendered, finding: Finding, side: Side) -> Finding:
    """The finding of a part as one of the target; people know the folder, and not the copy that was made of it."""
    message, path = finding.message, part.target.path
    if isinstance(side.tree, Graft) and path in side.tree.made:
        message = message.replace(path, target.path)
    return replace(finding, target=target.id, message=with_names(message), help=with_names(finding.help))


def _at_home(resource: Resource, side: Side) -> Resource:
    """The object with the places of what was copied or generated for it."""
    if not isinstance(side.tree, Graft):
        return resource
    source = side.tree.original(resource.source.path, resource.source.line)
    patched = tuple(dict.fromkeys(side.tree.original(path).path for path in resource.patched_by))
    lines = resource.lines if source.path == resource.source.path or source.line == resource.source.line else {}
    return replace(resource, source=source, patched_by=patched, lines=lines)


def _placed(finding: Finding, side: Side) -> Finding:
    if finding.path is None or not isinstance(side.tree, Graft):
        return finding
    source = side.tree.original(finding.path, finding.line)
    return replace(finding, path=source.path, line=source.line)
