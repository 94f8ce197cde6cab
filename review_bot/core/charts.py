"""What a chart depends on, and a copy of it that has what lies elsewhere."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from review_bot.core import version_ranges
from review_bot.core.closure import Files, join
from review_bot.core.delivery import Surroundings
from review_bot.core.model import Remote, RemoteKind, Source

# Helm's version 2 kept them in a file of their own.
_DECLARED = ("Chart.yaml", "requirements.yaml")
# As helm's type has them.
_FIELDS = ("name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias")
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
    locked = [row for name in _LOCKED for row in _rows(join(chart, name), files)]
    for row in dependencies(chart, files):
        name, repository = str(row.get("name")), str(row.get("repository") or "")
        # One name may stand there several times, in other versions, and then in the same order.
        place = next((n for n, own in enumerate(locked) if str(own.get("name")) == name), None)
        version = (locked.pop(place) if place is not None else row).get("version")
        kind = RemoteKind.OCI if repository.startswith("oci://") else RemoteKind.HELM
        if "://" not in repository or repository.startswith("file://") or vendored(chart, name, files):
            continue
        yield version_ranges.chart(kind, repository, name, str(version or ""))


def with_dependencies(chart: str, source: Source, around: Surroundings) -> str:
    """The chart's folder, or that of a copy of it with what is missing, as `helm dependency build` would get it.

    Raises InputError for what can't be fetched.
    """
    missing = list(remote_dependencies(chart, around.files))
    if not missing:
        return chart
    fetched = [(remote, around.fetched(remote, source)) for remote in missing]
    copy = around.shadow(chart, "with-dependencies")
    for remote, folder in fetched:
        # Two ranges may mean one version.
        own = posixpath.basename(folder) if remote.floating else ""
        to = f"{copy}/charts/{remote.name}-{own}" if own else home_of(remote, copy)
        if to not in around.graft.made:
            around.files.add(around.graft.copy(list(around.files.below(folder)), folder, to))
    return copy


def home_of(remote: Remote, chart: str) -> str:
    """The folder of a dependency in the chart's charts/."""
    return f"{chart}/charts/{remote.name}-{remote.revision}"


def in_sync(chart: str, files: Files) -> bool:
    """Does the lock file's digest fit what the chart asks for, as helm reckons it? True if there is none."""
    entry, lock = join(chart, "Chart.yaml"), join(chart, "Chart.lock")
    digest = (files.parsed(lock) or {}).get("digest") if lock in files.entries else None
    asked = _rows(entry, files)
    by_name = any(str(row.get("repository") or "").startswith(("@", "alias:")) for row in asked)
    if not isinstance(digest, str) or by_name or (files.parsed(entry) or {}).get("apiVersion") == "v1":
        return True
    both = [[_in_go(row) for row in of] for of in (asked, _rows(lock, files))]
    text = json.dumps(both, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")  # as Go writes JSON
    return digest == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _in_go(row: Mapping[str, Any]) -> dict[str, Any]:
    """A dependency with the fields of helm's own, in their order, without those that are empty."""
    return {k: row.get(k) or "" for k in _FIELDS if row.get(k) or k in ("name", "repository")}


def _rows(path: str, files: Files) -> list[Mapping[str, Any]]:
    content = files.parsed(path) if path in files.entries else None
    rows = (content or {}).get("dependencies")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
