"""The review of two git trees, one way: plan → render → changes → checks → verdict.

Used by `review-bot check` and by the server alike; knows nothing of GitHub.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from review_bot.core.configuration import Config
from review_bot.core.model import (
    CheckName,
    FileChange,
    Finding,
    PlannedTarget,
    ResourceChange,
    Target,
)
from review_bot.core.planning import TEXTS, WORDS, Plan, marks_of_head, plan_with
from review_bot.core.tools import cache_dir
from review_bot.github.workspace import Repository
from review_bot.pipeline.definitions import custom_resource_definitions
from review_bot.pipeline.given_plans import also_planned, with_plans
from review_bot.pipeline.notices import gathered
from review_bot.pipeline.platforms import Platforms
from review_bot.pipeline.rendering import RenderedSides, compared, render_sides
from review_bot.pipeline.saying import Seen
from review_bot.pipeline.sides import Planned, configuration_of, open_sides
from review_bot.render.renderer import Renderer
from review_bot.render.sandbox import Limits

if TYPE_CHECKING:
    from review_bot.checks.context import CheckOutcome, PolicyEngine
    from review_bot.core.clusters import Clusters
    from review_bot.core.outcome import Verdict
    from review_bot.core.remote_hosts import RemoteHosts
    from review_bot.core.terraform.settings import TerraformTool
    from review_bot.core.versions.moves import ByChange
    from review_bot.core.versions.registries import ImageSettings, Registries
    from review_bot.pipeline.delivering import Delivering

Progress = Callable[[str, str], None]


@dataclass(frozen=True)
class Review:
    """A verdict with what led to it: the changed files, and which planned targets read each of them."""

    verdict: Verdict
    config: Config
    files: tuple[FileChange, ...]
    planned: tuple[PlannedTarget, ...]

    def targets_of(self, path: str) -> tuple[str, ...]:
        """The ids of the targets that read the file on either side."""
        return tuple(p.id for p in self.planned if any(_reads(side, path) for side in (p.base, p.head)))


@dataclass(frozen=True)
class Reviewer:
    """What stays the same from review to review.

    `policy_dirs` replace the base's policies; `engine` is an OPA that stays up, for the service. `clusters` may be
    asked, `remotes` fetched from, registries be asked about `images`, `terraform` run; None for none of them. `plans`
    are Terraform's plans of the head, made elsewhere, by the folder of the module.
    """

    cache: Path | None = None
    limits: Limits = field(default_factory=Limits)
    allow_unsandboxed: bool = False
    policy_dirs: tuple[Path, ...] | None = None
    config_file: Path | None = None
    engine: PolicyEngine | None = None
    clusters: Clusters | None = None
    terraform: TerraformTool | None = None
    remotes: RemoteHosts | None = None
    images: ImageSettings | None = None
    plans: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    async def review(
        self,
        repository: Repository,
        base: str,
        head: str | None,
        *,
        branch: str = "",
        progress: Progress = lambda _stage, _text: None,
    ) -> Review:
        """Review `head` (a sha, None for the work tree) against its merge base with `base` (a sha).

        `branch` is the name of the base branch, which delivery tools' objects may name too.

        Problems of the content under review become findings. Raises UsageError for a broken `config_file`, ToolError
        where a tool is missing.
        """
        started = time.monotonic()
        # What waits for git or computes goes to threads: a service answers its webhooks meanwhile.
        found = await asyncio.to_thread(self._plan, repository, base, head)
        progress("planned", _planned_text(found.targets))
        (planned, rendered), _ = await asyncio.gather(
            self._render(repository, found, branch), asyncio.to_thread(_load_what_follows)
        )
        rendered = with_plans(rendered, self.plans)
        progress("rendered", f"{len(rendered.base) + len(rendered.head)} in {time.monotonic() - started:.1f} s")
        changes = await asyncio.to_thread(compared, planned.targets, rendered)
        moved = await asyncio.to_thread(_moved, changes)
        outcomes = await self._check(changes, planned, rendered, moved)
        whole = await asyncio.to_thread(gathered, Seen(repository, planned, rendered, changes))
        preview = await self._preview(repository, found)
        from review_bot.pipeline.forming import formed

        verdict = await asyncio.to_thread(
            formed, repository, base, planned, rendered, changes, outcomes, whole, preview, moved, started
        )
        return Review(verdict, planned.config, planned.files, planned.targets)

    async def touched(
        self, repository: Repository, base: str, head: str | None, *, branch: str = ""
    ) -> tuple[PlannedTarget, ...]:
        """The targets that the change touches, as `review` finds them. Raises UsageError, ToolError."""
        planned = await asyncio.to_thread(self._plan, repository, base, head)
        planned = await self._completed(repository, planned, branch)
        delivering = self._delivering(repository, planned, branch)
        if delivering is None:
            return planned.targets
        return (await delivering.change(planned.sides, planned.plan, planned.files, planned.marked)).planned

    def renderer(self, config: Config) -> Renderer:
        return Renderer(
            cache_dir=self.cache_folder / "rendered",
            limits=self.limits,
            kubernetes=config.kubernetes,
            allow_unsandboxed=self.allow_unsandboxed,
            terraform=self.terraform,
            enable_helm=config.enable_helm,
        )

    def _plan(self, repository: Repository, base: str, head: str | None) -> Planned:
        sides = open_sides(repository, base, head)
        with ThreadPoolExecutor(1) as beside:
            # One git looks for what delivery tools read while others compare.
            holding = beside.submit(repository.holding, sides.base, WORDS, TEXTS)
            config, findings = configuration_of(sides, self.config_file)
            files = repository.changes(sides.base.sha, head)
            before = holding.result()
        marked = before, marks_of_head(before, sides.head, files)
        found = plan_with(sides.base, sides.head, files, config, marked)
        found = replace(found, touched=also_planned(found.touched, self.plans, sides, config))
        return Planned(sides, config, findings, files, found, marked)

    async def _render(self, repository: Repository, planned: Planned, branch: str) -> tuple[Planned, RenderedSides]:
        """Both sides of what is touched; of what delivery tools deploy, that is known only after rendering."""
        platforms = Platforms(self.clusters, planned.config.kubernetes)
        planned = await self._completed(repository, planned, branch)
        delivering = self._delivering(repository, planned, branch, platforms)
        if delivering is None:
            renderer = self.renderer(planned.config)
            rendered = await render_sides(renderer, repository, planned.sides, planned.targets, platforms)
        else:
            found = await delivering.change(planned.sides, planned.plan, planned.files, planned.marked)
            planned, rendered = replace(planned, sides=found.sides, plan=Plan(found.planned)), found.rendered
        return planned, replace(rendered, loose=(*rendered.loose, *platforms.findings()))

    async def _completed(self, repository: Repository, planned: Planned, branch: str) -> Planned:
        """With what kustomizations name elsewhere."""
        if not planned.plan.away:
            return planned
        from review_bot.pipeline.completing import completed

        tree_of = self.delivering(repository, planned.config, branch).tree_of
        return await asyncio.to_thread(completed, planned, tree_of)

    def _delivering(
        self, repository: Repository, planned: Planned, branch: str, platforms: Platforms | None = None
    ) -> Delivering | None:
        """What follows delivery tools' objects, None where there are none."""
        if not (planned.plan.base_leading or planned.plan.head_leading or self._read(planned)):
            return None
        return self.delivering(repository, planned.config, branch, platforms)

    @staticmethod
    def _read(planned: Planned) -> bool:
        """Do files of either side tell a delivery tool what to deploy? Not asked where nothing changes."""
        from review_bot.core.helmfile.roots import evaluated

        return bool(planned.files) and any(evaluated(tree) for tree in (planned.sides.base, planned.sides.head))

    def delivering(
        self, repository: Repository, config: Config, branch: str = "", platforms: Platforms | None = None
    ) -> Delivering:
        """What finds the targets that delivery tools are told of."""
        from review_bot.pipeline.delivering import Delivering

        fetch = versions = None
        if self.remotes is not None:
            from review_bot.remotes.fetching import Remotes

            elsewhere = Remotes(self.remotes, self.cache_folder / "remotes")
            fetch, versions = elsewhere.fetch, elsewhere.versions
        return Delivering(self.renderer(config), repository, config, branch, platforms, fetch, versions)

    @property
    def cache_folder(self) -> Path:
        """Where all that can be made again is kept."""
        return self.cache or cache_dir()

    def _registries(self) -> Registries | None:
        """What is asked about images, None where the operator wants nothing asked."""
        if self.images is None:
            return None
        from review_bot.core.remote_hosts import RemoteHosts
        from review_bot.remotes.images import AskedRegistries

        return AskedRegistries(self.images, self.remotes or RemoteHosts(()), self.cache_folder / "remotes")

    async def _preview(self, repository: Repository, planned: Planned) -> tuple[Finding, ...]:
        """What a pull request's own policies would say; they decide nothing here."""
        if self.policy_dirs is not None or self.config_file is not None:
            return ()
        from review_bot.pipeline.impact import preview

        return await preview(lambda config: self.delivering(repository, config), planned)

    async def _check(
        self, changes: Sequence[ResourceChange], planned: Planned, rendered: RenderedSides, moved: ByChange
    ) -> Mapping[CheckName, CheckOutcome]:
        from review_bot.checks import CHECKS
        from review_bot.checks.context import CheckContext

        sides = planned.sides
        context = CheckContext(
            config=planned.config,
            base=sides.tip,
            head=sides.head,
            policy_dirs=self.policy_dirs,
            targets={p.id: p.target for p in planned.targets},
            crds=await asyncio.to_thread(custom_resource_definitions, changes, rendered.resources(), sides.head),
            engine=self.engine,
            clusters=self.clusters,
            moved=moved,
            registries=self._registries(),
        )
        checks = [check() for check in CHECKS]
        outcomes = await asyncio.gather(*(check.run(changes, context) for check in checks))
        return {check.name: outcome for check, outcome in zip(checks, outcomes, strict=True)}


def _moved(changes: Sequence[ResourceChange]) -> ByChange:
    from review_bot.core.versions.moves import by_change

    return by_change(changes)


def _load_what_follows() -> None:
    """Import what comes after rendering while the renderers work: it takes as long as a small overlay."""
    from review_bot import checks
    from review_bot.pipeline import forming  # noqa: F401

    checks.prepare()


def _planned_text(planned: Sequence[PlannedTarget]) -> str:
    names = ", ".join(p.target.path for p in planned[:3])
    more = f" and {len(planned) - 3} more" if len(planned) > 3 else ""
    return f"{len(planned)} targets ({names}{more})" if planned else "no target is touched"


def _reads(target: Target | None, path: str) -> bool:
    return target is not None and (target.reads is None or path in target.reads)
