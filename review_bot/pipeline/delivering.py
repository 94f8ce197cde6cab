"""What delivery tools are told to deploy, found by rendering from the top: apps of apps, to any depth.

Nothing here runs where no file of either side names a delivery tool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from review_bot.core import repo_urls
from review_bot.core.argocd import ArgoCD, partings
from review_bot.core.configuration import Config
from review_bot.core.delivery import DeliveryTool, Reader, Templating
from review_bot.core.errors import InputError, UsageError
from review_bot.core.flux.tool import Flux
from review_bot.core.helmfile.tool import Helmfiles
from review_bot.core.model import (
    FileChange,
    Finding,
    PlannedTarget,
    Remote,
    RemoteKind,
    Rendered,
    Target,
    Tree,
)
from review_bot.core.planning import TEXTS, WORDS, Marked, Plan, discovered, leading
from review_bot.core.version_ranges import highest
from review_bot.github.workspace import Repository
from review_bot.pipeline.completing import completed_tree
from review_bot.pipeline.delivered_findings import hidden_ones, new, shown, too_deep
from review_bot.pipeline.delivered_ids import paired, shown_ids, touched, with_id
from review_bot.pipeline.delivered_side import DeliveredSide, Reach
from review_bot.pipeline.platforms import Platforms
from review_bot.pipeline.rendering import RenderedSides, render_trees
from review_bot.pipeline.sides import Sides
from review_bot.render.expander import Expander
from review_bot.render.renderer import Renderer

# An app of apps of apps is rendered in as many rounds.
MOST_ROUNDS = 20
TOOLS: tuple[DeliveryTool, ...] = (ArgoCD(), Flux())
READERS: tuple[Reader, ...] = (Helmfiles(),)
# Branches that mean "what is merged" where the repository's own name for it is not known.
USUAL_BRANCHES = ("", "HEAD", "main", "master")


@dataclass(frozen=True)
class Delivered:
    """The plan with what tools are told of, both sides as they see them, and what was rendered on the way."""

    planned: tuple[PlannedTarget, ...]
    sides: Sides
    rendered: RenderedSides


@dataclass(frozen=True)
class Survey:
    """All targets, the `tree` to render them from, and what is to be said of what delivery tools are told."""

    targets: tuple[Target, ...]
    tree: Tree
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Delivering:
    """What stays the same from side to side. `branch` is what pull requests are merged into, "" if not known.

    `fetch` gets what lies elsewhere, as core.delivery.Surroundings.fetched asks for it, and `versions` tells in which
    versions it lies there; None where nothing is allowed.
    `platforms` tell charts about their clusters, None: they are told what the configuration says.
    """

    renderer: Renderer
    repository: Repository
    config: Config
    branch: str = ""
    platforms: Platforms | None = None
    fetch: Callable[[Remote], Tree] | None = None
    versions: Callable[[Remote], Sequence[str]] | None = None
    tools: Sequence[DeliveryTool] = TOOLS
    readers: Sequence[Reader] = READERS

    async def change(
        self, sides: Sides, plan: Plan, changes: Sequence[FileChange], marked: tuple[Marked, Marked]
    ) -> Delivered:
        """Base and head of a change, and what of it is touched."""
        expander = Expander(self.renderer.sandbox)
        try:
            results: dict[str, Rendered] = {}
            # A tool that files of one side tell is asked about both, so that what it tells of is paired.
            readers = [r for r in self.readers if r.leads(sides.base) or r.leads(sides.head)]
            base = self._side(sides.base, plan.base_leading, marked[0], results, expander, readers)
            head = self._side(sides.head, plan.head_leading, marked[1], results, expander, readers, base, changes)
            own = [p for p in plan.touched if not any(reader.tells(p.target) for reader in readers)]
            wanted = [(base, t) for t in (*_sides_of(own, "base"), *base.roots)]
            wanted += [(head, t) for t in (*_sides_of(own, "head"), *head.roots)]
            loose = await self._render(wanted, results)
            await self._to_the_bottom((base, head), results)
            pairs = paired(base.targets, head.targets)
            told = touched(pairs, (base, head), changes)
            kept = [
                p for p in own if not any(t is not None and s.takes(t) for s, t in ((base, p.base), (head, p.head)))
            ]
            planned = sorted([*kept, *told], key=lambda p: p.id)
            more = [(base, t) for t in _sides_of(told, "base")] + [(head, t) for t in _sides_of(told, "head")]
            loose += await self._render(more, results)
        finally:
            await asyncio.to_thread(expander.close)
        ids = shown_ids(pairs)
        about = {p.id for p in told}
        told_findings = tuple(shown(side.findings, ids) for side in (base, head))
        rendered = RenderedSides(
            base=_results(planned, "base", base, results),
            head=_results(planned, "head", head, results),
            loose=(
                *loose,
                *new(told_findings[1], told_findings[0], about),
                *hidden_ones(pairs, base, head),
                *partings(told),
                *self._forbidden(told, "head", head, results),
            ),
            told_before=(*told_findings[0], *self._forbidden(told, "base", base, results)),
        )
        return Delivered(tuple(planned), Sides(sides.tip, base.graft, head.graft), rendered)

    def _forbidden(
        self, told: Sequence[PlannedTarget], name: str, side: DeliveredSide, results: Mapping[str, Rendered]
    ) -> list[Finding]:
        """What of the objects of a side the tools themselves would refuse."""
        tools = [tool for tool in self.tools if isinstance(tool, ArgoCD)]
        found = []
        for target in _sides_of(told, name):
            known = results.get(side.fingerprint(target))
            if known is not None and not known.failed:
                found += [f for tool in tools for f in tool.forbidden(side.graft, target, known.resources)]
        return found

    async def survey(self, tree: Tree) -> Survey:
        """Every target of one tree."""
        found, away = await asyncio.to_thread(discovered, tree, self.config)
        marked = await asyncio.to_thread(self.repository.holding, tree, WORDS, TEXTS)
        tree, found, more = await asyncio.to_thread(
            completed_tree, tree, found, away, self.tree_of, charts=self.config.enable_helm
        )
        marked |= more
        roots = leading(found, marked)
        if not roots and not any(reader.leads(tree) for reader in self.readers):
            return Survey(found, tree)
        expander = Expander(self.renderer.sandbox)
        try:
            results: dict[str, Rendered] = {}
            readers = [reader for reader in self.readers if reader.leads(tree)]
            side = self._side(tree, roots, marked, results, expander, readers)
            await self._render([(side, root) for root in roots], results)
            await self._to_the_bottom((side,), results)
        finally:
            await asyncio.to_thread(expander.close)
        pairs = paired(side.targets, {})
        ids = shown_ids(pairs)
        told = [with_id(target, ids) for target in side.targets.values()]
        kept = [t for t in found if not side.takes(t)]
        targets = tuple(sorted([*kept, *told], key=lambda t: t.id))
        return Survey(targets, side.graft, shown(side.findings, ids))

    def _side(
        self,
        tree: Tree,
        roots: Sequence[Target],
        marked: Marked,
        results: Mapping[str, Rendered],
        expander: Expander,
        readers: Sequence[Reader],
        other: DeliveredSide | None = None,
        changes: Sequence[FileChange] = (),
    ) -> DeliveredSide:
        reach = Reach(self._here, self.tree_of, lambda remote: self._exact(remote, expander), expander)
        return DeliveredSide(
            tree, self.config, self.tools, reach, roots, marked, results, other=other, changes=changes, readers=readers
        )

    async def _to_the_bottom(self, sides: Sequence[DeliveredSide], results: dict[str, Rendered]) -> None:
        """Expand and render what leads on, until nothing new comes."""
        for _ in range(MOST_ROUNDS):
            settled = [await asyncio.to_thread(side.expand) for side in sides]
            wanted = [(side, t) for side in sides for t in side.leading() if side.fingerprint(t) not in results]
            if not wanted and all(settled):
                return
            await self._render(wanted, results)
        for side in sides:
            side.findings.append(too_deep(side, MOST_ROUNDS))

    async def _render(
        self, wanted: Sequence[tuple[DeliveredSide, Target]], results: dict[str, Rendered]
    ) -> list[Finding]:
        """Render what is not known yet, each once though both sides want it. Gives what could not be laid out.

        The last of `wanted` is of the side that matters: what only the other one can't lay out is no news.
        """
        missing: dict[DeliveredSide, dict[str, Target]] = {}
        for side, target in wanted:
            print_ = side.fingerprint(target)
            if print_ not in results and (target.delivery is None or target.parts):
                if not any(print_ in known for known in missing.values()):
                    missing.setdefault(side, {})[print_] = target
        trees = [(side.graft, list(targets.values())) for side, targets in missing.items()]
        rendered, loose = await render_trees(self.renderer, self.repository, trees, self.platforms)
        results.update(zip((p for targets in missing.values() for p in targets), rendered, strict=True))
        last = wanted[-1][0] if wanted else None
        asked = {last.fingerprint(t) for side, t in wanted if side is last} if last is not None else set()
        return [f for own, said in zip(missing.values(), loose, strict=True) if asked & own.keys() for f in said]

    def _here(self, url: str, revision: str) -> bool:
        """Is this the repository itself, at what is merged? Where no origin is known every address is taken for it."""
        origin = self.repository.origin
        return (not origin or repo_urls.same(url, origin)) and revision in (*USUAL_BRANCHES, self.branch)

    def _exact(self, remote: Remote, templating: Templating) -> Remote:
        """What the range means now. Raises InputError."""
        if self.versions is None:
            return remote
        return replace(remote, revision=highest(remote, self.versions(remote), templating), floating=False)

    def tree_of(self, remote: Remote) -> Tree:
        """What lies elsewhere, or in this repository at a revision. Raises InputError."""
        origin = self.repository.origin
        if remote.kind is RemoteKind.GIT and origin and repo_urls.same(remote.url, origin):
            if remote.revision in (*USUAL_BRANCHES, self.branch):
                raise InputError(
                    f"{remote.revision} of this repository is what this pull request changes",
                    help="refer to the folder itself",
                )
            try:
                return self.repository.tree(self.repository.resolve(remote.revision))
            except UsageError as error:
                raise InputError(
                    f"the revision {remote.revision} of this repository is not there",
                    help="name a tag or commit that is, or the branch that this pull request goes to",
                ) from error
        if self.fetch is not None:
            return self.fetch(remote)
        what = f"{remote.name} {remote.revision}".strip() if remote.kind is not RemoteKind.GIT else ""
        chart = f"{what} of " if what else ""
        raise InputError(
            f"{chart}{repo_urls.without_secrets(remote.url)} lies outside of this repository, and no host is allowed",
            help="the operator can allow it (docs/remotes.md), or commit what it holds",
        )


def _sides_of(planned: Sequence[PlannedTarget], side: str) -> list[Target]:
    return [target for one in planned if (target := getattr(one, side)) is not None]


def _results(
    planned: Sequence[PlannedTarget], name: str, side: DeliveredSide, results: Mapping[str, Rendered]
) -> dict[str, Rendered]:
    found = {}
    for target in _sides_of(planned, name):
        known = results.get(side.fingerprint(target))
        if known is not None:
            findings = tuple(replace(f, target=target.id) for f in known.findings)
            found[target.id] = Rendered(target, known.resources, findings)
        else:
            found[target.id] = Rendered(target)
    return found
