"""What a chart of the repository says of its own version, its application's and those of its dependencies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from review_bot.core.errors import YamlError
from review_bot.core.lenient import mapping, rows, text
from review_bot.core.versions.moves import Move
from review_bot.core.versions.steps import Step, step
from review_bot.core.yaml_reader import load

FILES = ("Chart.yaml", "Chart.lock", "requirements.yaml", "requirements.lock")

Read = Callable[[str], bytes | None]


def chart_moves(folder: str, base: Read, head: Read) -> tuple[Move, ...]:
    """What moves between both sides of the chart in `folder`; nothing where it is new, goes, or does not parse."""
    before, after = _versions(folder, base), _versions(folder, head)
    return tuple(_moves(before, after)) if before and after else ()


def _moves(before: Mapping[tuple[str, str], str], after: Mapping[tuple[str, str], str]) -> Iterator[Move]:
    for (kind, name), new in after.items():
        old = before.get((kind, name))
        if old != new:
            yield Move(kind, name, old, new, step(old, new) if old is not None else Step.NEW)


def _versions(folder: str, read: Read) -> dict[tuple[str, str], str]:
    """Versions by kind and name; an empty one for a chart that is not there."""
    files = {name: _content(f"{folder}/{name}" if folder != "." else name, read) for name in FILES}
    chart = files["Chart.yaml"]
    name = text(chart.get("name"))
    found = {("chart", name): _version(chart.get("version")), ("app", name): _version(chart.get("appVersion"))}
    # A lock file says what a range stands for.
    for content in files.values():
        found |= {
            ("chart", text(row.get("name"))): _version(row.get("version")) for row in rows(content, "dependencies")
        }
    return {key: version for key, version in found.items() if key[1] and version}


def _version(value: Any) -> str:
    return str(value) if isinstance(value, str | int | float) else ""


def _content(path: str, read: Read) -> Mapping[str, Any]:
    data = read(path)
    try:
        return mapping(load(data, path=path)) if data is not None else {}
    except YamlError:
        return {}  # rendering says so
