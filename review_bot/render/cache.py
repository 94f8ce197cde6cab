"""Rendered output by content: what was rendered once from the same files by the same tool is not rendered again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path

from review_bot.core.model import Rendered, Resource, ResourceId, Source, Target, Tree
from review_bot.core.platform import Platform
from review_bot.core.secrets import is_secret
from review_bot.core.tools import find

FORMAT = "1"
TOOLS = {"kustomize": "kustomize", "helm": "helm"}


class Keys:
    """The keys of one review, in which a tool stays the same."""

    def __init__(self) -> None:
        self._tools: dict[str, str] = {}

    def of(self, target: Target, tree: Tree, platform: Platform, *, inflates: bool) -> str | None:
        """The digest of everything that the target's output depends on, None if that is not known.

        `inflates`: kustomize calls helm.
        """
        if target.reads is None:
            return None
        tool = TOOLS.get(str(target.renderer))
        entries = tree.entries()
        parts = [FORMAT, target.id, target.path, repr(target.helm), str(target.unrestricted), repr(platform)]
        parts += [self._about(tool)] if tool else []
        parts += [self._about("helm")] if inflates and tool == "kustomize" else []
        parts += [f"{p} {e.mode} {e.blob}" for p in sorted(target.reads) if (e := entries.get(p)) is not None]
        return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()

    def _about(self, tool: str) -> str:
        """Tells one installed version of a tool from another without running it."""
        if tool not in self._tools:
            about = os.stat(find(tool))
            self._tools[tool] = f"{about.st_size} {about.st_mtime_ns}"
        return self._tools[tool]


class Cache:
    """A folder of JSON files, safe to share between processes and to delete at any time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str, target: Target) -> Rendered | None:
        """The result, None if there is none that can be read."""
        try:
            rows = json.loads(self._path(key).read_bytes())
            return Rendered(target, tuple(_resource(row) for row in rows))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, rendered: Rendered) -> None:
        """Keep a result without findings; one that holds a Secret is never written to disk."""
        if rendered.findings or any(is_secret(r.manifest) for r in rendered.resources):
            return
        path = self._path(key)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as partial:
                partial.write(json.dumps([_row(r) for r in rendered.resources]))
            os.replace(partial.name, path)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"


def _row(resource: Resource) -> dict[str, object]:
    id = resource.id
    return {
        "id": [id.api_version, id.kind, id.namespace, id.name],
        "manifest": resource.manifest,
        "source": [resource.source.path, resource.source.line],
        "lines": [[list(path), line] for path, line in resource.lines.items()],
        "patched_by": list(resource.patched_by),
    }


def _resource(row: dict[str, object]) -> Resource:
    id, source, lines, patched = row["id"], row["source"], row["lines"], row["patched_by"]
    if not (
        isinstance(id, list) and isinstance(source, list) and isinstance(lines, list) and isinstance(patched, list)
    ):
        raise ValueError("not a cache entry")
    manifest = row["manifest"]
    if not isinstance(manifest, dict):
        raise ValueError("not a cache entry")
    where = {tuple(path): line for path, line in lines}
    return Resource(ResourceId(*id), manifest, Source(*source), where, tuple(patched))
