"""Values that charts make up anew at every run; two runs tell which those are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from review_bot.core.model import Resource, ResourceId, Target, Tree

RANDOM = re.compile(
    rb"rand(Alpha|Num|Ascii|Bytes|Int)|gen(CA|SelfSigned|Signed|PrivateKey)|uuidv4|\bnow\b|htpasswd|bcrypt"
)
PLACEHOLDER = "(random)"


def in_charts(target: Target, tree: Tree) -> bool:
    """May a chart that the target reads make values up?"""
    templates = [p for p in target.reads or () if "/templates/" in f"/{p}" or p.endswith(".tgz")]
    return any(p.endswith(".tgz") or RANDOM.search(data) for p, data in tree.read_many(templates).items())


def pinned(first: Sequence[Resource], second: Sequence[Resource]) -> list[Resource]:
    """The objects of one run, with a placeholder wherever another run disagrees."""
    others: dict[ResourceId, Resource] = {r.id: r for r in second}
    return [
        Resource(r.id, _stable(r.manifest, others[r.id].manifest), r.source, r.lines) if r.id in others else r
        for r in first
    ]


def _stable(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {k: _stable(v, other.get(k)) for k, v in one.items()}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [_stable(a, b) for a, b in zip(one, other, strict=True)]
    return one if one == other else PLACEHOLDER
