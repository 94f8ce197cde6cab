"""What a chart is told about the cluster that it goes to. Plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Platform:
    """`kubernetes` is the version as helm takes it, such as v1.35.4; `apis` what is served beside what helm knows.

    Each of `apis` is `group/version` or `group/version/Kind` (`v1`, `v1/Pod` for the core group), as in
    `.Capabilities.APIVersions`.
    """

    kubernetes: str
    apis: tuple[str, ...] = ()
