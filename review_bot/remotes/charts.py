"""Charts of a Helm repository: its index, and the archive that the index names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from review_bot.core.errors import InputError, YamlError
from review_bot.core.model import Remote
from review_bot.core.yaml_reader import load
from review_bot.remotes.web import Web, basic, joined


def archive(remote: Remote, web: Web) -> bytes:
    """The chart's .tgz, as its digest in the index says. Raises InputError."""
    row = _row(remote, _index(remote, web))
    urls = row.get("urls")
    if not isinstance(urls, list) or not urls or not isinstance(urls[0], str):
        raise InputError(f"{remote.url} names no file for {remote.name} {remote.revision}")
    url = joined(f"{remote.url.rstrip('/')}/", urls[0])
    got = web.get(url, basic(web.allowed(url)))
    if got.status != 200:
        raise InputError(f"{url} answered {got.status}", help="look whether the version is still there")
    digest = row.get("digest")
    if isinstance(digest, str) and digest.removeprefix("sha256:") != hashlib.sha256(got.body).hexdigest():
        raise InputError(
            f"{url} is not what the repository's index says it is", help="the archive or the index was changed"
        )
    return got.body


def versions(remote: Remote, web: Web) -> tuple[str, ...]:
    """In which versions the index has the chart. Raises InputError."""
    return tuple(str(row.get("version")) for row in _rows(remote, _index(remote, web)))


def _index(remote: Remote, web: Web) -> Mapping[str, Any]:
    url = f"{remote.url.rstrip('/')}/index.yaml"
    got = web.get(url, basic(web.allowed(url)))
    if got.status != 200:
        raise InputError(f"{url} answered {got.status}", help="look at the repository's address")
    try:
        value = load(got.body, path="index.yaml")
    except YamlError as error:
        raise InputError(f"{url} can't be read: {error.message}") from error
    return value if isinstance(value, dict) else {}


def _rows(remote: Remote, index: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = index.get("entries")
    rows = entries.get(remote.name) if isinstance(entries, dict) else None
    if not isinstance(rows, list):
        raise InputError(f"{remote.url} has no chart {remote.name}", help="look at the chart's name")
    return [row for row in rows if isinstance(row, dict)]


def _row(remote: Remote, index: Mapping[str, Any]) -> Mapping[str, Any]:
    wanted = remote.revision.removeprefix("v")
    for row in _rows(remote, index):
        if str(row.get("version")).removeprefix("v") == wanted:
            return row
    raise InputError(f"{remote.url} has no {remote.name} {remote.revision}", help="look at the chart's version")
