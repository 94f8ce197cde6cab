"""One side of a review as renderers see it: its files, and a checkout of those that they need."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from review_bot.core.closure import Files
from review_bot.core.model import Tree
from review_bot.render.origins import Origins


@dataclass(frozen=True)
class Side:
    """What is read of the tree is read once for all of its targets; kustomizations even for the `other` side too."""

    tree: Tree
    checkout: Path
    other: Side | None = None

    @cached_property
    def files(self) -> Files:
        return Files(self.tree, self.other.files if self.other else None)

    @cached_property
    def origins(self) -> Origins:
        return Origins(self.tree)
