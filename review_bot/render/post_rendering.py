"""Kustomize over what a chart rendered to, as helm-controller's postRenderers do it: by the real kustomize."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from review_bot.core.errors import RenderError, YamlError
from review_bot.core.model import Resource, ResourceId, Target
from review_bot.core.resources import from_documents
from review_bot.core.yaml_reader import parse
from review_bot.render.builds import Build
from review_bot.render.finishing import Finishing

OUTPUT = "helm-output.yaml"


async def rendered(
    target: Target, resources: Sequence[Resource], kustomization: Mapping[str, Any], number: int, with_: Finishing
) -> Sequence[Resource]:
    """The objects after one post-renderer; each keeps its place, and tells what patched it. Raises RenderError."""
    if not resources:
        return resources
    mark = hashlib.sha256(target.id.encode(errors="surrogateescape")).hexdigest()[:16]
    folder = f".~post-rendering/{mark}/{number}"
    await asyncio.to_thread(_laid_out, with_.side.checkout / folder, resources, kustomization)
    outcome = await with_.builder().build(Build(with_.side.checkout, folder, f"{folder}/kustomization.yaml"))
    if outcome.status != 0:
        cause = " ".join((outcome.trouble or outcome.stderr).split()).removeprefix("error: ")
        raise RenderError(f"its post-renderer {number + 1} fails: {cause[-600:]}", help="correct spec.postRenderers")
    try:
        found, _ = from_documents(parse(outcome.stdout, path=target.entry, strict=False), path=target.entry)
    except YamlError as error:
        raise RenderError(f"what its post-renderer {number + 1} writes can't be read: {error.message}") from error
    known = {_key(r.id): r for r in resources}
    return [_placed(r, known.get(_key(r.id)), target) for r in found]


def _laid_out(folder: Path, resources: Sequence[Resource], kustomization: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # JSON is YAML, and leaves nothing to how texts are written.
    text = "\n---\n".join(json.dumps(r.manifest) for r in resources)
    (folder / OUTPUT).write_text(text)
    (folder / "kustomization.yaml").write_text(json.dumps({**kustomization, "resources": [OUTPUT]}))


def _key(id: ResourceId) -> tuple[str, str, str]:
    # Not by namespace, which a patch may set.
    return id.group, id.kind, id.name


def _placed(resource: Resource, before: Resource | None, target: Target) -> Resource:
    if before is None or before.manifest == resource.manifest:
        return before or resource
    patched = dict.fromkeys((*before.patched_by, target.entry))
    return replace(before, id=resource.id, manifest=resource.manifest, patched_by=tuple(patched))
