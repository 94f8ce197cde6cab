"""What a review comes to: the verdict, with everything that led to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from review_bot.core.clusters import LiveChange
from review_bot.core.danger import Danger
from review_bot.core.model import CheckName, CheckState, Conclusion, Demand, Finding, ResourceChange, Target

if TYPE_CHECKING:
    from review_bot.core.versions.moves import ByChange, Move


@dataclass(frozen=True, slots=True)
class TargetResult:
    """A touched target in the verdict; `error` is the first render error's sentence."""

    target: Target
    reason: str
    created: int
    updated: int
    deleted: int
    error: str | None = None


@dataclass(frozen=True)
class Verdict:
    """The whole answer; `core.verdict.to_json` writes it as the contract's object.

    `versions` are what moves, `moved` the same by change; `in_part` has the targets that a check could not
    judge in full.
    """

    base: str
    merge_base: str
    head: str
    conclusion: Conclusion
    effect_digest: str
    duration_ms: int
    targets: tuple[TargetResult, ...]
    changes: tuple[ResourceChange, ...]
    findings: tuple[Finding, ...]
    checks: Mapping[CheckName, CheckState]
    live: tuple[LiveChange, ...] = ()
    dangers: tuple[Danger, ...] = ()
    demands: tuple[Demand, ...] = ()
    versions: tuple[Move, ...] = ()
    moved: ByChange = field(default_factory=dict)
    in_part: Mapping[CheckName, frozenset[str]] = field(default_factory=dict)
