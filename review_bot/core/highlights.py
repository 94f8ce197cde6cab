"""The few words that an approver wants first: which version moves where, how many replicas, which new rights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from review_bot.core.model import Action, Manifest, ResourceChange
from review_bot.core.outcome import Verdict
from review_bot.core.terraform.environments import environment_of
from review_bot.core.versions.steps import Step

MOST = 6
VERSIONS = ("image", "chart", "app", "source", "module")
RIGHTS = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")


@dataclass(frozen=True, slots=True)
class Highlight:
    """`subject` is text of the pull request; `what` says what happens to it; `where` names environments."""

    subject: str
    what: str
    where: tuple[str, ...] = ()


def highlights(verdict: Verdict) -> tuple[Highlight, ...]:
    """At most `MOST`, versions first; the same in several environments once."""
    targets = {t.target.id: t.target for t in verdict.targets}
    found: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for move in verdict.versions:
        if move.old is not None and move.kind in VERSIONS:
            label = f" ({move.step})" if move.step is not Step.UNKNOWN else ""
            found[move.name, f"{move.old} → {move.new}{label}"] |= dict.fromkeys(move.environments)
    for change in verdict.changes:
        for key in _of(change):
            where = environment_of(change, targets.get(change.target))
            found[key] |= {where: None} if where else {}
    ranked = sorted(found, key=lambda k: ("→" not in k[1], k[1].startswith("replicas")))
    return tuple(Highlight(subject, what, tuple(found[subject, what])) for subject, what in ranked[:MOST])


def _of(change: ResourceChange) -> Iterator[tuple[str, str]]:
    before = change.base.manifest if change.base else None
    after = change.head.manifest if change.head else None
    if before is not None and after is not None:
        old, new = _replicas(before), _replicas(after)
        if old is not None and new is not None and old != new:
            yield change.id.name, f"replicas {old} → {new}"
    if change.id.kind in RIGHTS and change.action is not Action.UPDATE:
        yield change.id.name, f"{'new' if change.action is Action.CREATE else 'no more'} {change.id.kind}"


def _replicas(manifest: Manifest) -> int | None:
    spec = manifest.get("spec")
    count = spec.get("replicas") if isinstance(spec, dict) else None
    return count if isinstance(count, int) else None
