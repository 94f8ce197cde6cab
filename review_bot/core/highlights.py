"""The few words that an approver wants first: which version moves where, how many replicas, which new rights."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.core.model import Action, Manifest, ResourceChange
from review_bot.core.outcome import Verdict
from review_bot.core.terraform.kubestack import environment_of

MOST = 6
RIGHTS = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
_SEMVER = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:[-+].*)?\Z")
_STEPS = ("major", "minor", "patch")


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
        yield from _moved(_images(before), _images(after))
        old, new = _replicas(before), _replicas(after)
        if old is not None and new is not None and old != new:
            yield change.id.name, f"replicas {old} → {new}"
    if change.id.kind in RIGHTS and change.action is not Action.UPDATE:
        yield change.id.name, f"{'new' if change.action is Action.CREATE else 'no more'} {change.id.kind}"


def _moved(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for container, image in after.items():
        old = before.get(container)
        if old is not None and old != image:
            (name, was), (_, now) = _split(old), _split(image)
            step = _step(was, now)
            yield name.rpartition("/")[2], f"{was or '(no tag)'} → {now or '(no tag)'}{f' ({step})' if step else ''}"


def _images(manifest: Manifest) -> dict[str, str]:
    return dict(_walk(manifest.get("spec")))


def _walk(value: Any) -> Iterator[tuple[str, str]]:
    """Containers wherever a kind keeps its pod template."""
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key in ("containers", "initContainers") and isinstance(item, list):
            for row in item:
                if isinstance(row, dict) and isinstance(row.get("image"), str):
                    yield f"{key}/{row.get('name')}", row["image"]
        elif key in ("spec", "template", "jobTemplate"):
            yield from _walk(item)


def _replicas(manifest: Manifest) -> int | None:
    spec = manifest.get("spec")
    count = spec.get("replicas") if isinstance(spec, dict) else None
    return count if isinstance(count, int) else None


def _split(image: str) -> tuple[str, str]:
    """Name and tag, or the digest where there is no tag."""
    name, _, digest = image.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return f"{head}{slash}{last}", tag or digest[:19]


def _step(old: str, new: str) -> str:
    """Which part of a semantic version moves; downgrades say so."""
    before, after = _SEMVER.match(old), _SEMVER.match(new)
    if before is None or after is None:
        return ""
    was, now = [int(n) for n in before.groups()], [int(n) for n in after.groups()]
    if was == now:
        return ""
    if now < was:
        return "downgrade"
    return next(step for step, a, b in zip(_STEPS, was, now, strict=True) if a != b)
