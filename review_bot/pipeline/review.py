"""The review of two git trees, one way: plan → render → changes → checks → verdict.

Used by `review-bot check` and by the server alike; knows nothing of GitHub.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from review_bot.core.clusters import Clusters
from review_bot.core.config import parse_config
from review_bot.core.configuration import Config
from review_bot.core.errors import ReviewBotError
from review_bot.core.model import (
    CheckName,
    CheckState,
    FileChange,
    Finding,
    PlannedTarget,
    Rendered,
    Resource,
    ResourceChange,
    Severity,
    Target,
    Tree,
    Verdict,
)
from review_bot.core.planning import plan
from review_bot.core.tools import cache_dir
from review_bot.github.workspace import Repository
from review_bot.pipeline.definitions import custom_resource_definitions
from review_bot.pipeline.sides import Sides
from review_bot.render.renderer import Renderer
from review_bot.render.sandbox import Limits

if TYPE_CHECKING:
    from review_bot.checks.context import CheckOutcome, PolicyEngine

CONFIG_PATH = ".review-bot.yaml"
Progress = Callable[[str, str], None]
Item = TypeVar("Item")


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

    `policy_dirs` replace the base's policies; `engine` is an OPA that stays up, for the service; `clusters` are those
    that may be asked, None for none.
    """

    cache: Path | None = None
    limits: Limits = field(default_factory=Limits)
    allow_unsandboxed: bool = False
    policy_dirs: tuple[Path, ...] | None = None
    config_file: Path | None = None
    engine: PolicyEngine | None = None
    clusters: Clusters | None = None

    async def review(
        self, repository: Repository, base: str, head: str | None, *, progress: Progress = lambda _stage, _text: None
    ) -> Review:
        """Review `head` (a sha, None for the work tree) against its merge base with `base` (a sha).

        Problems of the content under review become findings. Raises UsageError for a broken `config_file`, ToolError
        where a tool is missing.
        """
        started = time.monotonic()
        merge_base = repository.merge_base(base, head or repository.resolve("HEAD"))
        sides = Sides(
            tip=repository.tree(base),
            base=repository.tree(merge_base),
            head=repository.tree(head, like=merge_base) if head else repository.worktree(),
        )
        config, config_findings = self._config(sides)
        files = repository.changes(merge_base, head)
        planned = plan(sides.base, sides.head, files, config)
        progress("planned", _planned_text(planned))
        rendered, _ = await asyncio.gather(
            self._render(repository, sides, planned, config), asyncio.to_thread(_load_what_follows)
        )
        from review_bot.core.verdict import form

        progress("rendered", f"{len(rendered.base) + len(rendered.head)} in {time.monotonic() - started:.1f} s")
        changes = _changes(planned, rendered)
        outcomes = await self._check(changes, planned, rendered, sides, config)
        before = _all(o.base for o in outcomes.values())
        verdict = form(
            base=base,
            merge_base=merge_base,
            head=sides.head.sha,
            planned=planned,
            changes=changes,
            head_findings=[
                *config_findings,
                *rendered.loose,
                *_findings(rendered.head),
                *_unseen(rendered),
                *_pointed(_all(o.head for o in outcomes.values()), before, changes, files),
            ],
            base_findings=[*_findings(rendered.base), *before],
            states=_states(outcomes),
            live=_all(o.live for o in outcomes.values()),
            config=config,
            today=datetime.now(UTC).date(),
            duration_ms=round((time.monotonic() - started) * 1000),
        )
        return Review(verdict, config, tuple(files), tuple(planned))

    def _config(self, sides: Sides) -> tuple[Config, list[Finding]]:
        """The base's configuration decides; a head that would break it is told now, not after the merge."""
        if self.config_file is not None:
            return parse_config(self.config_file.read_bytes(), path=str(self.config_file)), []
        findings = []
        config = Config()
        try:
            config = parse_config(sides.tip.read(CONFIG_PATH))
        except ReviewBotError as error:
            findings.append(_config_finding(error, "on the base branch; mend it there first"))
        if not findings and sides.head.read(CONFIG_PATH) != sides.tip.read(CONFIG_PATH):
            try:
                parse_config(sides.head.read(CONFIG_PATH))
            except ReviewBotError as error:
                findings.append(_config_finding(error, "in this pull request"))
        return config, findings

    async def _render(
        self, repository: Repository, sides: Sides, planned: Sequence[PlannedTarget], config: Config
    ) -> RenderedSides:
        renderer = Renderer(
            cache_dir=self.cache or cache_dir() / "rendered",
            limits=self.limits,
            kubernetes=config.kubernetes,
            allow_unsandboxed=self.allow_unsandboxed,
        )
        with tempfile.TemporaryDirectory(prefix="review-bot-") as work:
            jobs: list[tuple[Target, Tree, Path]] = []
            extra: dict[str, list[Finding]] = {}
            for side, tree, targets in (
                ("base", sides.base, [p.base for p in planned if p.base]),
                ("head", sides.head, [p.head for p in planned if p.head]),
            ):
                folder = Path(work) / side
                folder.mkdir()
                extra[side] = list(repository.materialise(tree, _needed(targets), folder)) if targets else []
                jobs += [(target, tree, folder) for target in targets]
            results = await renderer.render_all(jobs)
        split = sum(1 for p in planned if p.base)
        return RenderedSides(
            base={r.target.id: r for r in results[:split]},
            head={r.target.id: r for r in results[split:]},
            loose=tuple(extra["head"]),
        )

    async def _check(
        self,
        changes: Sequence[ResourceChange],
        planned: Sequence[PlannedTarget],
        rendered: RenderedSides,
        sides: Sides,
        config: Config,
    ) -> Mapping[CheckName, CheckOutcome]:
        from review_bot.checks import CHECKS
        from review_bot.checks.context import CheckContext

        context = CheckContext(
            config=config,
            base=sides.tip,
            head=sides.head,
            policy_dirs=self.policy_dirs,
            targets={p.id: p.target for p in planned},
            crds=custom_resource_definitions(changes, rendered.resources(), sides.head),
            engine=self.engine,
            clusters=self.clusters,
        )
        checks = [check() for check in CHECKS]
        outcomes = await asyncio.gather(*(check.run(changes, context) for check in checks))
        return {check.name: outcome for check, outcome in zip(checks, outcomes, strict=True)}


@dataclass(frozen=True)
class RenderedSides:
    """What rendering gave, by target id and side; `loose` findings belong to no single target."""

    base: Mapping[str, Rendered]
    head: Mapping[str, Rendered]
    loose: tuple[Finding, ...] = ()

    def resources(self) -> Iterable[Resource]:
        return (resource for rendered in self.head.values() for resource in rendered.resources)


def _load_what_follows() -> None:
    """Import what comes after rendering while the renderers work: it takes as long as a small overlay."""
    from review_bot import checks
    from review_bot.core import verdict  # noqa: F401

    checks.prepare()


def _needed(targets: Sequence[Target]) -> set[str] | None:
    """The files to lay out for these targets, None for all."""
    needed: set[str] = set()
    for target in targets:
        if target.reads is None:
            return None
        needed |= target.reads
    return needed


def _changes(planned: Sequence[PlannedTarget], rendered: RenderedSides) -> tuple[ResourceChange, ...]:
    """Compare the sides; a head that failed has no changes, since it would look like a mass deletion."""
    from review_bot.core.diff import compare

    changes: list[ResourceChange] = []
    for one in planned:
        base, head = rendered.base.get(one.id), rendered.head.get(one.id)
        if head is not None and head.failed:
            continue
        before = base.resources if base is not None and not base.failed else ()
        changes += compare(one.id, before, head.resources if head is not None else ())
    return tuple(changes)


def _findings(side: Mapping[str, Rendered]) -> list[Finding]:
    return [finding for rendered in side.values() for finding in rendered.findings]


def _unseen(rendered: RenderedSides) -> list[Finding]:
    """A base that does not render while the head does, or is gone: the change is not blocked for it, but it is said."""
    found = []
    for id, base in rendered.base.items():
        head = rendered.head.get(id)
        if base.failed and (head is None or not head.failed):
            first = next(f for f in base.findings if f.severity is Severity.ERROR)
            shown = "what goes away with it is not known" if head is None else "so all of it is shown as new"
            text = f"on the base, {first.message}; {shown}"
            found.append(replace(first, rule="base-not-rendered", severity=Severity.WARNING, message=text))
    return found


def _pointed(
    findings: Sequence[Finding],
    before: Sequence[Finding],
    changes: Sequence[ResourceChange],
    files: Sequence[FileChange],
) -> list[Finding]:
    """New findings on a file that the change left alone move to the patch or overlay that it did touch."""
    changed = {f.path for f in files}
    known = {(f.rule, f.message, f.target, f.resource) for f in before}
    patched = {(c.target, c.id): c.head.patched_by for c in changes if c.head is not None}
    moved = []
    for finding in findings:
        own = patched.get((finding.target or "", finding.resource), ()) if finding.resource else ()
        old = (finding.rule, finding.message, finding.target, finding.resource) in known
        better = None if old or finding.path in changed else next((p for p in own if p in changed), None)
        moved.append(replace(finding, path=better, line=None) if better else finding)
    return moved


def _all(groups: Iterable[Iterable[Item]]) -> list[Item]:
    return [item for group in groups for item in group]


def _states(outcomes: Mapping[CheckName, CheckOutcome]) -> Mapping[CheckName, CheckState]:
    states = {CheckName.RENDER: CheckState.SUCCESS}
    return states | {name: outcome.state for name, outcome in outcomes.items()}


def _config_finding(error: ReviewBotError, where: str) -> Finding:
    return Finding(
        check=CheckName.CONFIG,
        rule="configuration",
        severity=Severity.ERROR,
        message=f"the configuration is broken {where}: {error.message}",
        path=error.path or CONFIG_PATH,
        line=error.line,
        help=error.help,
    )


def _planned_text(planned: Sequence[PlannedTarget]) -> str:
    names = ", ".join(p.target.path for p in planned[:3])
    more = f" and {len(planned) - 3} more" if len(planned) > 3 else ""
    return f"{len(planned)} targets ({names}{more})" if planned else "no target is touched"


def _reads(target: Target | None, path: str) -> bool:
    return target is not None and (target.reads is None or path in target.reads)
