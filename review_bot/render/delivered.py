"""Targets that a delivery tool is told of: their parts put together, and what the tool itself does to the output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from review_bot.core.graft import Graft
from review_bot.core.model import Finding, Rendered, Resource, Target
from review_bot.render import argocd
from review_bot.render.side import Side

# What a tool does to the objects of all parts: by the tool's name, from objects to objects and findings.
Finish = Callable[[Target, Sequence[Resource], Side], tuple[Sequence[Resource], Sequence[Finding]]]
FINISH: Mapping[str, Finish] = {"argocd": argocd.finish}


async def composed(target: Target, parts: Sequence[Rendered], side: Side) -> Rendered:
    """One target out of its parts. If one failed there are no objects, since the rest is not what would be deployed."""
    findings = tuple(_placed(replace(f, target=target.id), side) for part in parts for f in part.findings)
    if any(part.failed for part in parts):
        return Rendered(target, (), findings)
    resources: Sequence[Resource] = [_at_home(r, side) for part in parts for r in part.resources]
    finish = FINISH.get(target.delivery.tool) if target.delivery else None
    if finish is not None:
        resources, more = finish(target, resources, side)
        findings += tuple(more)
    return Rendered(target, tuple(resources), findings)


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
