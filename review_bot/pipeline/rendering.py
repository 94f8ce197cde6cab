"""Both sides of the planned targets, rendered and compared."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from review_bot.core.model import (
    Finding,
    PlannedTarget,
    Rendered,
    Resource,
    ResourceChange,
    Severity,
    Target,
    Tree,
)
from review_bot.github.workspace import Repository
from review_bot.pipeline.platforms import Platforms
from review_bot.pipeline.sides import Sides
from review_bot.render.renderer import Renderer


@dataclass(frozen=True)
class RenderedSides:
    """What rendering gave, by target id and side; `loose` findings belong to no single target.

    `told_before` is what delivery tools have to say of the base.
    """

    base: Mapping[str, Rendered]
    head: Mapping[str, Rendered]
    loose: tuple[Finding, ...] = ()
    told_before: tuple[Finding, ...] = ()

    def findings(self) -> list[Finding]:
        """What is to be said of the head, and of a base that can't be compared with it."""
        return [*self.loose, *_findings(self.head), *_unseen(self)]

    def base_findings(self) -> list[Finding]:
        return [*self.told_before, *_findings(self.base)]

    def resources(self) -> Iterable[Resource]:
        return (resource for rendered in self.head.values() for resource in rendered.resources)


async def render_sides(
    renderer: Renderer,
    repository: Repository,
    sides: Sides,
    planned: Sequence[PlannedTarget],
    platforms: Platforms | None = None,
) -> RenderedSides:
    """Render base and head of each target, each once, in parallel."""
    base, head = [p.base for p in planned if p.base], [p.head for p in planned if p.head]
    results, loose = await render_trees(renderer, repository, ((sides.base, base), (sides.head, head)), platforms)
    return RenderedSides(
        base={r.target.id: r for r in results[: len(base)]},
        head={r.target.id: r for r in results[len(base) :]},
        loose=loose[1],
    )


async def render_trees(
    renderer: Renderer,
    repository: Repository,
    wanted: Sequence[tuple[Tree, Sequence[Target]]],
    platforms: Platforms | None = None,
) -> tuple[list[Rendered], list[tuple[Finding, ...]]]:
    """Targets of several trees: the results in the targets' order, and per tree what could not be laid out."""
    with tempfile.TemporaryDirectory(prefix="review-bot-") as work:
        jobs: list[tuple[Target, Tree, Path]] = []
        loose: list[tuple[Finding, ...]] = []
        for number, (tree, targets) in enumerate(wanted):
            folder = Path(work) / str(number)
            folder.mkdir()
            needed = _needed(targets)
            found = await asyncio.to_thread(repository.materialise, tree, needed, folder) if targets else ()
            loose.append(found)
            jobs += [(target, tree, folder) for target in targets]
        told = await platforms.of([target for target, _, _ in jobs]) if platforms else None
        return await renderer.render_all(jobs, told), loose


def as_new(rendered: Iterable[Rendered]) -> list[ResourceChange]:
    """Every object of what rendered, as if it were created: to judge what stands and not what changes."""
    from review_bot.core.diff import compare

    return [c for one in rendered if not one.failed for c in compare(one.target.id, (), one.resources)]


def _needed(targets: Sequence[Target]) -> set[str] | None:
    """The files to lay out for these targets, None for all."""
    needed: set[str] = set()
    for target in (part for whole in targets for part in (whole.parts or (whole,))):
        if target.reads is None:
            return None
        needed |= target.reads
    return needed


def compared(planned: Sequence[PlannedTarget], rendered: RenderedSides) -> tuple[ResourceChange, ...]:
    """Compare the sides; a head that failed has no changes, since it would look like a mass deletion."""
    from review_bot.core.diff import compare

    changes: list[ResourceChange] = []
    for one in planned:
        base, head = rendered.base.get(one.id), rendered.head.get(one.id)
        if (head is not None and head.failed) or (one.head is not None and one.head.unseen):
            continue
        before = base.resources if base is not None and not base.failed else ()
        found = compare(one.id, before, head.resources if head is not None else ())
        if head is not None and head.plan is not None:
            from review_bot.core.terraform.plans import Plan, changes_of, together

            entry = head.target.entry
            told = changes_of(one.id, Plan.read(head.plan), before, head.resources, entry)
            found = tuple(together(found, told))
        changes += found
    return tuple(changes)


def _findings(side: Mapping[str, Rendered]) -> list[Finding]:
    return [finding for rendered in side.values() for finding in rendered.findings]


def _unseen(rendered: RenderedSides) -> list[Finding]:
    """A base that can't be seen while the head can, or is gone: the change is not blocked for it, but it is said."""
    found = []
    told = {f.target: f for f in reversed(rendered.told_before)}
    for id, base in rendered.base.items():
        head = rendered.head.get(id)
        first = next((f for f in base.findings if f.severity is Severity.ERROR), None)
        if base.target.unseen:
            first = told.get(id)
        if first is not None and (head is None or not (head.failed or head.target.unseen)):
            shown = "what goes away with it is not known" if head is None else "so all of it is shown as new"
            text = f"on the base, {first.message}; {shown}"
            found.append(replace(first, rule="base-not-rendered", severity=Severity.WARNING, message=text))
    return found
