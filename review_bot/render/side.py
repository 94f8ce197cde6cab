"""One side of a review as renderers see it: its files, and a checkout of those that they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from review_bot.core.closure import Files
from review_bot.core.model import Tree
from review_bot.render.origins import Origins


@dataclass(frozen=True)
class Side:
    """What is read of the tree is read once for all of its targets; `parsed` even for both sides."""

    tree: Tree
    checkout: Path
    parsed: dict[str, Mapping[str, Any] | None]

    @cached_property
    def files(self) -> Files:
        return Files(self.tree, self.parsed)

    @cached_property
    def origins(self) -> Origins:
        return Origins(self.tree)
