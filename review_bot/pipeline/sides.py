"""The trees of a review."""

from __future__ import annotations

from dataclasses import dataclass

from review_bot.core.model import Tree


@dataclass(frozen=True)
class Sides:
    """`tip` is the base branch as it is: it decides. `base` (the merge base) and `head` are compared."""

    tip: Tree
    base: Tree
    head: Tree
