"""What charts are told about the clusters that they go to, asked of the clusters themselves."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from review_bot.core.errors import ClusterError
from review_bot.core.model import CheckName, Finding, RendererName, Severity, Target
from review_bot.core.platform import Platform

if TYPE_CHECKING:
    from review_bot.core.clusters import Clusters, ClusterSettings


class Platforms:
    """Asks each cluster once a review, and only if a chart goes there; both sides are told the same.

    A cluster that does not answer is one finding: its charts are rendered by the version of the configuration.
    """

    def __init__(self, clusters: Clusters | None, kubernetes: str) -> None:
        self._clusters = clusters
        self._kubernetes = kubernetes
        self._told: dict[ClusterSettings, Platform | ClusterError] = {}
        self._unanswered: dict[ClusterSettings, dict[str, Target]] = defaultdict(dict)

    async def of(self, targets: Sequence[Target]) -> list[Platform | None]:
        """The platform of each target that holds a chart and has a cluster which answers, in the targets' order."""
        clusters = self._clusters
        wanted = [clusters.of(t) if clusters is not None and _has_chart(t) else None for t in targets]
        asked = {s for s in wanted if s is not None} - self._told.keys()
        answers = await asyncio.gather(*(asyncio.to_thread(_ask, settings) for settings in asked))
        self._told |= zip(asked, answers, strict=True)
        found: list[Platform | None] = []
        for target, settings in zip(targets, wanted, strict=True):
            told = self._told[settings] if settings is not None else None
            found.append(told if isinstance(told, Platform) else None)
            if settings is not None and found[-1] is None:
                self._unanswered[settings][target.id] = target
        return found

    def findings(self) -> tuple[Finding, ...]:
        """One for each cluster that was asked and did not answer."""
        return tuple(self._silent(settings, list(charts.values())) for settings, charts in self._unanswered.items())

    def _silent(self, settings: ClusterSettings, targets: list[Target]) -> Finding:
        error = self._told[settings]
        assert isinstance(error, ClusterError)  # noqa: S101 - only those that gave no answer are here
        count = f"{len(targets)} charts are" if len(targets) > 1 else "the chart is"
        return Finding(
            check=CheckName.RENDER,
            rule="helm-platform",
            severity=Severity.NOTICE,
            message=f"{error.message}, so {count} rendered for Kubernetes {self._kubernetes} and the APIs helm knows",
            target=targets[0].id if len(targets) == 1 and targets[0].delivery is None else None,
            path=targets[0].entry,
            help=error.help,
        )


def _has_chart(target: Target) -> bool:
    return target.renderer is RendererName.HELM or any(_has_chart(part) for part in target.parts)


def _ask(settings: ClusterSettings) -> Platform | ClusterError:
    """The answer, or why there is none; within the time of a few requests whatever the cluster does."""
    # Imported when a cluster is asked: HTTP and TLS cost a small review as much as its rendering.
    from review_bot.cluster import platform
    from review_bot.cluster.client import MOST_TRIES, ClusterClient
    from review_bot.cluster.crowd import each

    try:
        client = ClusterClient(settings)
    except ClusterError as error:
        return error
    try:
        deadline = time.monotonic() + settings.timeout_seconds * MOST_TRIES
        (found,) = each(platform.read, [client], threads=1, deadline=deadline)
    except ClusterError as error:
        return error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return ClusterError(f"the cluster {settings.name} gives an answer that can't be read ({type(error).__name__})")
    finally:
        client.close()
    return found or ClusterError(f"the cluster {settings.name} did not answer in time")
