"""The verdict of a review out of all that its parts have found."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from review_bot.core.model import CheckName, CheckState, Finding, PlannedTarget, ResourceChange
from review_bot.core.outcome import Verdict
from review_bot.core.verdict import form
from review_bot.github.workspace import Repository
from review_bot.pipeline.chart_versions import moved_charts
from review_bot.pipeline.placing import placed, shown
from review_bot.pipeline.rendering import RenderedSides
from review_bot.pipeline.saying import Said
from review_bot.pipeline.sides import Planned

if TYPE_CHECKING:
    from review_bot.checks.context import CheckOutcome
    from review_bot.core.versions.moves import ByChange

Item = TypeVar("Item")


def formed(
    repository: Repository,
    base: str,
    planned: Planned,
    rendered: RenderedSides,
    changes: Sequence[ResourceChange],
    outcomes: Mapping[CheckName, CheckOutcome],
    whole: Said,
    preview: Sequence[Finding],
    moved: ByChange,
    started: float,
) -> Verdict:
    """The verdict on all that was found.

    `base` is the tip that it is asked against, `started` when the review began by the monotonic clock.
    """
    before = [*_all(o.base for o in outcomes.values()), *whole.base]
    now = [*_all(o.head for o in outcomes.values()), *whole.head]
    lines = cache(lambda: shown(repository, planned))
    return form(
        base=base,
        merge_base=planned.sides.base.sha,
        head=planned.sides.head.sha,
        planned=planned.targets,
        changes=changes,
        head_findings=[
            *planned.findings,
            *rendered.findings(),
            *_notes(planned.targets, changes),
            *placed(now, before, changes, planned.files, lines),
            *preview,
        ],
        base_findings=[*rendered.base_findings(), *before],
        states=_states(outcomes),
        live=_all(o.live for o in outcomes.values()),
        demands=_all(o.demands for o in outcomes.values()),
        moved=moved,
        moved_whole=moved_charts(planned),
        notes={key: address for o in outcomes.values() for key, address in o.notes.items()},
        in_part={name: outcome.in_part for name, outcome in outcomes.items()},
        config=planned.config,
        today=datetime.now(UTC).date(),
        duration_ms=round((time.monotonic() - started) * 1000),
    )


def _notes(planned: Sequence[PlannedTarget], changes: Sequence[ResourceChange]) -> list[Finding]:
    """What the changes of delivered targets mean beyond their objects."""
    if not any(one.target.delivery for one in planned):
        return []
    from review_bot.core.flux.notes import notes

    own: dict[str, list[ResourceChange]] = defaultdict(list)
    for change in changes:
        own[change.target].append(change)
    return [note for one in planned for note in notes(one.base, one.head, own[one.id])]


def _all(groups: Iterable[Iterable[Item]]) -> list[Item]:
    return [item for group in groups for item in group]


def _states(outcomes: Mapping[CheckName, CheckOutcome]) -> Mapping[CheckName, CheckState]:
    states = {CheckName.RENDER: CheckState.SUCCESS}
    return states | {name: outcome.state for name, outcome in outcomes.items()}
