"""What the sources of notices are given, and what they answer with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from review_bot.core.model import Finding, ResourceChange
from review_bot.github.workspace import Repository
from review_bot.pipeline.rendering import RenderedSides
from review_bot.pipeline.sides import Planned


@dataclass(frozen=True)
class Seen:
    """What a review knows once everything that is touched was rendered and compared."""

    repository: Repository
    planned: Planned
    rendered: RenderedSides
    changes: Sequence[ResourceChange]


@dataclass(frozen=True)
class Said:
    """Findings on the head, and those on the base that tell which of them are new."""

    head: tuple[Finding, ...] = ()
    base: tuple[Finding, ...] = ()
