"""The versions that a changed Chart.yaml or Chart.lock of the repository moves, for the targets that read it."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from review_bot.core.versions.chart_files import FILES, chart_moves
from review_bot.core.versions.moves import Move
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
    return tuple(found)
