"""Render many targets at once, from the cache where nothing changed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from review_bot.core.model import Rendered, RendererName, Target, Tree
from review_bot.render import cache, helm, kustomize, plain
from review_bot.render.sandbox import Limits, Sandbox

Job = tuple[Target, Tree, Path]


class Renderer:
    """One instance a review. `kubernetes` is the version that charts are told, such as 1.35."""

    def __init__(
        self,
        cache_dir: Path,
        limits: Limits,
        kubernetes: str,
        allow_unsandboxed: bool = False,
        parallel: int | None = None,
    ) -> None:
        self._cache = cache.Cache(cache_dir)
        self._sandbox = Sandbox(limits, allow_unsandboxed)
        self._kubernetes = kubernetes
        self._slots = asyncio.Semaphore(parallel or (os.cpu_count() or 2) + 1)
        self.cached = 0

    async def render_all(self, jobs: Sequence[Job]) -> list[Rendered]:
        """One result a job, in the jobs' order. What is wrong with the content is a finding; raises ToolError only."""
        return list(await asyncio.gather(*(self._one(*job) for job in jobs)))

    async def _one(self, target: Target, tree: Tree, checkout: Path) -> Rendered:
        async with self._slots:
            if target.renderer is RendererName.PLAIN:
                return await plain.render(target, tree, checkout)
            key = cache.key(target, tree, self._kubernetes)
            known = self._cache.get(key, target) if key else None
            if known is not None:
                self.cached += 1
                return known
            rendered = await self._run(target, tree, checkout)
            if key:
                self._cache.put(key, rendered)
            return rendered

    async def _run(self, target: Target, tree: Tree, checkout: Path) -> Rendered:
        if target.renderer is RendererName.KUSTOMIZE:
            return await kustomize.render(target, tree, checkout, self._sandbox)
        return await helm.render(target, tree, checkout, self._sandbox, self._kubernetes)
