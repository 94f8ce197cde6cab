"""What Argo CD does to rendered objects before it applies them: namespaces, and objects that several sources give."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from review_bot.core.model import CheckName, Finding, Resource, ResourceId, Severity, Target
from review_bot.core.scopes import cluster_scoped, defined_in, undefined
from review_bot.render.finishing import Finishing


async def finish(
    target: Target, resources: Sequence[Resource], with_: Finishing
) -> tuple[Sequence[Resource], Sequence[Finding]]:
    """Is a render.delivered.Finish. Tracking labels are Argo CD's own affair and are not added."""
    delivery = target.delivery
    if delivery is None or delivery.object.kind != "Application":
        return resources, ()
    namespace = json.loads(delivery.settings)["namespace"]
    # The repository is only searched where something in it is of a kind that nothing here defines.
    elsewhere = await asyncio.to_thread(defined_in, with_.side.tree) if undefined(resources) else ()
    whole_cluster = cluster_scoped(resources, elsewhere)
    placed = [_placed(r, namespace, whole_cluster((r.id.group, r.id.kind))) for r in resources]
    return _last_ones(target, placed)


def _placed(resource: Resource, namespace: str, whole_cluster: bool) -> Resource:
    """In the destination's namespace if it names none, and in none if its kind has none; never in another."""
    named = resource.id.namespace
    wanted = None if whole_cluster else named or namespace or None
    if wanted == named and ("namespace" in _metadata(resource)) == (wanted is not None):
        return resource
    metadata: dict[str, Any] = {k: v for k, v in _metadata(resource).items() if k != "namespace"}
    if wanted is not None:
        metadata["namespace"] = wanted
    manifest = {**resource.manifest, "metadata": metadata}
    id = resource.id
    return replace(resource, id=ResourceId(id.api_version, id.kind, wanted, id.name), manifest=manifest)


def _metadata(resource: Resource) -> Mapping[str, Any]:
    found = resource.manifest.get("metadata")
    return found if isinstance(found, dict) else {}


def _last_ones(target: Target, resources: Sequence[Resource]) -> tuple[Sequence[Resource], Sequence[Finding]]:
    """Of objects that are there several times the last; one source's own doubles are for its renderer to tell."""
    last: dict[tuple[str, str, str | None, str], Resource] = {}
    findings = []
    for resource in resources:
        id = resource.id
        key = (id.group, id.kind, id.namespace, id.name)
        # What has no name yet gets one of its own.
        if "name" not in _metadata(resource):
            key = (*key[:3], f"{id.name}{len(last)}")
        first = last.pop(key, None)
        if first is not None and len(target.parts) > 1:
            findings.append(_doubled(target, first, resource))
        last[key] = resource
    return tuple(last.values()), findings


def _doubled(target: Target, first: Resource, second: Resource) -> Finding:
    return Finding(
        check=CheckName.RENDER,
        rule="defined-twice",
        severity=Severity.WARNING,
        message=f"{second.id.kind} {second.id.name} is given by several sources of {target.name}: "
        f"that of {second.source.path} wins over that of {first.source.path}",
        target=target.id,
        resource=second.id,
        path=second.source.path,
        line=second.source.line,
        help="keep it in one of the sources",
    )
