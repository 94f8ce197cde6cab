"""What a chart depends on, and a copy of it that has what lies elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from review_bot.core.closure import Files, join
from review_bot.core.delivery import Surroundings
from review_bot.core.model import Remote, RemoteKind, Source

# Helm's version 2 kept them in a file of their own.
_DECLARED = ("Chart.yaml", "requirements.yaml")
_LOCKED = ("Chart.lock", "requirements.lock")


def dependencies(chart: str, files: Files) -> list[Mapping[str, Any]]:
    """As the chart declares them."""
    return next((rows for name in _DECLARED if (rows := _rows(join(chart, name), files))), [])


def vendored(chart: str, name: str, files: Files) -> bool:
    """Does the dependency lie in the chart's charts/?"""
    prefix = join(chart, f"charts/{name}")
    return any(p.startswith((f"{prefix}/", f"{prefix}-")) for p in files.below(join(chart, "charts")))


def remote_dependencies(chart: str, files: Files) -> Iterator[Remote]:
    """Those that lie elsewhere and not in the chart, in the versions of its lock file where there is one."""
    locked = {str(row.get("name")): row for name in _LOCKED for row in _rows(join(chart, name), files)}
    for row in dependencies(chart, files):
        name, repository = str(row.get("name")), str(row.get("repository") or "")
        kind = RemoteKind.OCI if repository.startswith("oci://") else RemoteKind.HELM
        if "://" not in repository or repository.startswith("file://") or vendored(chart, name, files):
            continue
        version = locked.get(name, row).get("version")
        yield Remote(kind, repository, name, str(version or ""))


def with_dependencies(chart: str, source: Source, around: Surroundings) -> str:
    """The chart's folder, or that of a copy of it with what is missing, as `helm dependency build` would get it.

    Raises InputError for what can't be fetched.
    """
    missing = list(remote_dependencies(chart, around.files))
    if not missing:
        return chart
    fetched = [(remote.name, around.fetched(remote, source)) for remote in missing]
    copy = around.shadow(chart, "with-dependencies")
    for name, folder in fetched:
        to = f"{copy}/charts/{name}"
        if to not in around.graft.made:
            around.files.add(around.graft.copy(list(around.files.below(folder)), folder, to))
    return copy


def _rows(path: str, files: Files) -> list[Mapping[str, Any]]:
    content = files.parsed(path) if path in files.entries else None
    rows = (content or {}).get("dependencies")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
