"""The versions that a changed Chart.yaml or Chart.lock of the repository moves, and those that helmfiles name."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from review_bot.core.versions.chart_files import FILES, chart_moves
from review_bot.core.versions.moves import Move
from review_bot.core.versions.steps import Step, step
from review_bot.pipeline.sides import Planned


def moved_charts(planned: Planned) -> tuple[Move, ...]:
    """Each chart's own moves, with the targets that render it."""
    sides = planned.sides
    folders = {posixpath.dirname(f.path) or "." for f in planned.files if posixpath.basename(f.path) in FILES}
    found = []
    for folder in sorted(folders):
        chart = "Chart.yaml" if folder == "." else f"{folder}/Chart.yaml"
        readers = tuple(p.id for p in planned.targets if p.head is not None and chart in (p.head.reads or ()))
        if readers:
            found += [replace(m, targets=readers) for m in chart_moves(folder, sides.base.read, sides.head.read)]
    return (*found, *_of_releases(planned))


def _of_releases(planned: Planned) -> Iterator[Move]:
    """Charts that a release takes in another version, or that come with a new one."""
    delivered = [one for one in planned.targets if one.target.delivery is not None]
    if not delivered:
        return
    # Imported when something is deployed by a tool: what reads helmfiles costs as much as a small overlay.
    from review_bot.core.helmfile.tool import chart_of

    for target in delivered:
        before, after = (chart_of(side) if side is not None else None for side in (target.base, target.head))
        if after is None or not after[1] or before == after:
            continue
        # Another chart is a new one.
        old = before[1] if before is not None and before[0] == after[0] else None
        moved = step(old, after[1]) if old else Step.NEW
        yield Move("chart", after[0].rpartition("/")[2], old or None, after[1], moved, targets=(target.id,))
