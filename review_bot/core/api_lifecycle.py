"""Which of Kubernetes' own APIs are deprecated, and which go with the next version; facts of its sources.

The facts are in api_lifecycle.json, which scripts/api_lifecycle.py writes from the Go module k8s.io/api.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from review_bot.core.model import ResourceId


@dataclass(frozen=True, slots=True)
class Ending:
    """`removed` is the first version without it ("1.37"); `goes_next`: the version after the asked one is that."""

    removed: str
    goes_next: bool
    replacement: str | None


def ending(id: ResourceId, kubernetes: str) -> Ending | None:
    """What becomes of an API that version `kubernetes` ("1.35") still serves; None if it is to stay."""
    fact = _facts().get(f"{id.api_version} {id.kind}")
    if fact is None or "removed" not in fact:
        return None
    now, removed, deprecated = (_number(v) for v in (kubernetes, fact["removed"], fact.get("deprecated", "1.0")))
    if now < deprecated or now >= removed:
        return None
    return Ending(fact["removed"], now + 1 >= removed, fact.get("replacement"))


@lru_cache(maxsize=1)
def _facts() -> Mapping[str, Mapping[str, str]]:
    text = resources.files("review_bot.core").joinpath("api_lifecycle.json").read_text()
    loaded: Mapping[str, Mapping[str, str]] = json.loads(text)
    return loaded


def _number(version: str) -> int:
    """The minor version: the major one has been 1 as long as these facts go back."""
    return int(version.partition(".")[2])
