"""Render many targets at once, from the cache where nothing changed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from review_bot.core.graft import Graft
from review_bot.core.model import Rendered, RendererName, Target, Tree
from review_bot.core.platform import Platform
from review_bot.render import cache, kustomize, plain
from review_bot.render.builds import Builder, builder
from review_bot.render.sandbox import Limits, Sandbox
from review_bot.render.side import Side

if TYPE_CHECKING:
    from review_bot.core.terraform.settings import TerraformTool
    from review_bot.render.expander import Expander
    from review_bot.render.hcl import Parser

Job = tuple[Target, Tree, Path]


class Renderer:
    """One instance a review. `kubernetes` is the version that charts are told which go to no known cluster: 1.35.

    `enable_helm`: kustomizations may inflate charts.
    """

    def __init__(
        self,
        cache_dir: Path,
        limits: Limits,
        kubernetes: str,
        allow_unsandboxed: bool = False,
        parallel: int | None = None,
        terraform: TerraformTool | None = None,
        enable_helm: bool = False,
    ) -> None:
        self._cache = cache.Cache(cache_dir)
        self.sandbox = Sandbox(limits, allow_unsandboxed)
        self._platform = Platform(f"v{kubernetes}.0")
        self._slots = asyncio.Semaphore(parallel or (os.cpu_count() or 2) + 1)
        self._terraform = terraform
        self._enable_helm = enable_helm
        self._builder: Builder | None = None
        self._parser: Parser | None = None
        self._checkouts: Sequence[Path] = ()
        self._expected = 0
        self._keys = cache.Keys()
        self.cached = 0

    @cached_property
    def templating(self) -> Expander:
        """What speaks the small languages of delivery tools."""
        from review_bot.render.expander import Expander

        return Expander(self.sandbox)

    async def render_all(
        self, jobs: Sequence[Job], platforms: Sequence[Platform | None] | None = None
    ) -> list[Rendered]:
        """One result a job, in the jobs' order; `platforms` are what charts are told, one for each job.

        What is wrong with the content is a finding; raises ToolError only.
        """
        sides: dict[Path, Side] = {}
        for _, tree, checkout in jobs:
            if checkout not in sides:
                sides[checkout] = Side(tree, checkout, next(iter(sides.values()), None))
        self._checkouts = list(sides)
        own = [t.renderer for target, _, _ in jobs for t in (target.parts or (target,))]
        self._expected = own.count(RendererName.KUSTOMIZE)
        told = platforms or [None] * len(jobs)
        tasks = [
            asyncio.ensure_future(self._one(target, sides[checkout], platform or self._platform))
            for (target, _, checkout), platform in zip(jobs, told, strict=True)
        ]
        try:
            rendered = await asyncio.gather(*tasks)
            return [_at_home(one, sides[checkout]) for one, (_, _, checkout) in zip(rendered, jobs, strict=True)]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._builder is not None:
                await self._builder.close()
            self._builder = self._parser = None
            if "templating" in self.__dict__:
                await asyncio.to_thread(self.templating.close)

    async def _one(self, target: Target, side: Side, platform: Platform) -> Rendered:
        if target.delivery is not None:
            from review_bot.render import delivered
            from review_bot.render.finishing import Finishing

            parts = await asyncio.gather(*(self._one(part, side, platform) for part in target.parts))
            return await delivered.composed(target, parts, Finishing(side, self.templating, self._build))
        async with self._slots:
            if target.renderer is RendererName.PLAIN:
                return await plain.render(target, side.tree)
            if target.renderer is RendererName.TERRAFORM:
                return await self._read(target, side)
            key = self._keys.of(target, side.tree, platform, inflates=self._enable_helm)
            known = self._cache.get(key, target) if key else None
            if known is not None:
                self.cached += 1
                return known
            rendered = await self._run(target, side, platform)
            if key:
                self._cache.put(key, rendered)
            return rendered

    async def _run(self, target: Target, side: Side, platform: Platform) -> Rendered:
        if target.renderer is RendererName.KUSTOMIZE:
            return await kustomize.render(target, side, self._build(), platform if self._enable_helm else None)
        from review_bot.render import helm

        return await helm.render(target, side, self.sandbox, platform)

    def _build(self) -> Builder:
        if self._builder is None:
            self._builder = builder(self.sandbox, self._checkouts, self._expected)
        return self._builder

    async def _read(self, target: Target, side: Side) -> Rendered:
        from review_bot.render import terraform, terraform_tool
        from review_bot.render.hcl import Parser

        self._parser = self._parser or Parser(self.templating)
        read = await terraform.render(target, side, self._parser)
        if self._terraform is None or read.failed:
            return read
        return await terraform_tool.checked(read, side, self.sandbox, self._terraform)


def _at_home(rendered: Rendered, side: Side) -> Rendered:
    """Places in the repository for what one of its own targets took from elsewhere."""
    if rendered.target.delivery is not None or not isinstance(side.tree, Graft) or not side.tree.made:
        return rendered
    from review_bot.render import delivered

    return delivered.at_home(rendered, side)
