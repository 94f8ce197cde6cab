"""Targets of the tree itself whose kustomizations or charts name what lies elsewhere, completed before rendering.

Nothing here runs where nothing that is looked at while planning names anything but its own repository.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from review_bot.core.closure import Files, helm_reads, kustomize_reads
from review_bot.core.elsewhere import Elsewhere
from review_bot.core.graft import Graft
from review_bot.core.model import PlannedTarget, Remote, RendererName, Target, Tree
from review_bot.core.planning import TEXTS, Marked, leading, marked_in
from review_bot.pipeline.sides import Planned


@dataclass
class Completion:
    """One side's tree with what its targets name elsewhere; `marked` are the files in it that lead on."""

    tree_of: Callable[[Remote], Tree]
    graft: Graft
    files: Files
    charts: bool
    marked: Marked = frozenset()
    known: dict[str, Target] = field(default_factory=dict)

    @staticmethod
    def of(tree: Tree, tree_of: Callable[[Remote], Tree], *, charts: bool, other: Files | None = None) -> Completion:
        graft = Graft(tree)
        return Completion(tree_of, graft, Files(graft, other), charts)

    def completed(self, targets: Sequence[Target]) -> None:
        """Fetch for these, which become `known`."""
        elsewhere = Elsewhere(self.graft, self.files, self.tree_of, self._mark)
        for target in targets:
            if target.id in self.known or target.renderer not in (RendererName.KUSTOMIZE, RendererName.HELM):
                continue
            if target.renderer is RendererName.KUSTOMIZE:
                elsewhere.complete(target.path, charts=self.charts)
                reads = kustomize_reads(self.files, target.path)
            else:
                elsewhere.complete_chart(target.path)
                reads = helm_reads(self.files, target.path)
            self.known[target.id] = replace(target, reads=reads | (target.reads or frozenset()))

    def _mark(self, added: Sequence[str]) -> None:
        self.marked |= marked_in(self.graft.read_many([path for path in added if path.endswith(TEXTS)]))

    def of_target(self, target: Target | None) -> Target | None:
        return self.known.get(target.id, target) if target is not None else None


def completed(planned: Planned, tree_of: Callable[[Remote], Tree]) -> Planned:
    """The plan with both sides completed; the same where it names nothing elsewhere."""
    plan = planned.plan
    if not plan.away:
        return planned
    sides, charts = planned.sides, planned.config.enable_helm
    base = Completion.of(sides.base, tree_of, charts=charts)
    head = Completion.of(sides.head, tree_of, charts=charts, other=base.files)
    base.completed(_away((*(p.base for p in plan.touched), *plan.base_leading), plan.away))
    head.completed(_away((*(p.head for p in plan.touched), *plan.head_leading), plan.away))
    touched = tuple(PlannedTarget(p.id, p.reason, base.of_target(p.base), head.of_target(p.head)) for p in plan.touched)
    return replace(
        planned,
        sides=replace(sides, base=base.graft, head=head.graft),
        plan=replace(
            plan,
            touched=touched,
            base_leading=_leading(plan.base_leading, base),
            head_leading=_leading(plan.head_leading, head),
        ),
        marked=(planned.marked[0] | base.marked, planned.marked[1] | head.marked),
    )


def _away(targets: Sequence[Target | None], away: frozenset[str]) -> list[Target]:
    return [t for t in targets if t is not None and t.reads is not None and not away.isdisjoint(t.reads)]


def _leading(known: Sequence[Target], side: Completion) -> tuple[Target, ...]:
    """Those that led on before, and those whose content from elsewhere does."""
    before = {t.id: side.known.get(t.id, t) for t in known}
    return tuple((before | {t.id: t for t in leading(side.known.values(), side.marked)}).values())


def completed_tree(
    tree: Tree, targets: Sequence[Target], away: frozenset[str], tree_of: Callable[[Remote], Tree], *, charts: bool
) -> tuple[Tree, tuple[Target, ...], Marked]:
    """All targets of one tree, and the files from elsewhere that lead on. `away` are files that name such."""
    if not away:
        return tree, tuple(targets), frozenset()
    side = Completion.of(tree, tree_of, charts=charts)
    side.completed(_away(targets, away))
    return side.graft, tuple(side.known.get(t.id, t) for t in targets), side.marked
