"""What a kustomization refers to: files and folders, as far as its text says."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from review_bot.core.errors import YamlError
from review_bot.core.lenient import items
from review_bot.core.yaml_reader import load

Content = Mapping[str, Any]
NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
# Below which folder of the tree lies what was fetched.
MOUNTS = ".~remote"
# Fields whose references kustomize fetches and that mean a whole kustomization.
BASES = ("resources", "bases", "components")
# Fields that list files, or folders with a kustomization of their own.
_ACCUMULATED = ("resources", "bases", "components", "generators", "transformers", "validators")
_FILES = ("crds", "configurations", "patchesStrategicMerge")
_REMOTE = re.compile(r"^[a-z][a-z0-9+.-]*://|^git::|^git@|^(www\.)?(github|gitlab|bitbucket)\.[a-z]+[/:]|\?ref=", re.I)


@dataclass(frozen=True)
class Kustomization:
    """A kustomization file as it was read: `content` None if it can't be."""

    content: Content | None

    @cached_property
    def _named(self) -> tuple[str, ...]:
        return tuple(references(self.content or {}))

    @cached_property
    def local(self) -> tuple[str, ...]:
        """What it names in this repository, as it is written."""
        return tuple(r for r in self._named if not is_remote(r))

    @cached_property
    def leads_away(self) -> bool:
        """Does it name what lies elsewhere, or what was fetched from there?"""
        named = len(self.local) < len(self._named) or any(MOUNTS in r for r in self.local)
        return named or any(chart.get("repo") for chart in helm_charts(self.content or {}))


def is_remote(reference: str) -> bool:
    """Would kustomize fetch this from elsewhere?"""
    return bool(_REMOTE.search(reference))


def read(data: bytes, path: str) -> Mapping[str, Any]:
    """The kustomization; {} for an empty one. Raises YamlError."""
    value = load(data, path=path)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise YamlError("a kustomization is a mapping", path=path, line=1)
    return value


def references(kustomization: Mapping[str, Any]) -> Iterator[str]:
    """Everything that the kustomization names, as it is written: files, folders and remote places."""
    for field in _ACCUMULATED + _FILES:
        yield from (item for item in items(kustomization.get(field)) if isinstance(item, str) and _is_path(item))
    for field in ("patches", "patchesJson6902", "replacements"):
        for item in items(kustomization.get(field)):
            if isinstance(item, dict) and isinstance(item.get("path"), str):
                yield item["path"]
            elif isinstance(item, str) and _is_path(item):
                yield item
    for field in ("configMapGenerator", "secretGenerator"):
        for item in items(kustomization.get(field)):
            if isinstance(item, dict):
                yield from _generated(item)
    openapi = kustomization.get("openapi")
    if isinstance(openapi, dict) and isinstance(openapi.get("path"), str):
        yield openapi["path"]
    yield from _charts(kustomization)


def chart_folder(kustomization: Mapping[str, Any], chart: Mapping[str, Any]) -> str:
    """Where kustomize looks for a chart of helmCharts before it fetches one, relative to the kustomization."""
    options = kustomization.get("helmGlobals")
    home = (options.get("chartHome") if isinstance(options, dict) else None) or "charts"
    name, version = str(chart.get("name")), chart.get("version")
    pulled = (f"{name}-{version}",) if version and chart.get("repo") else ()
    return posixpath.join(str(home), *pulled, name)


def helm_charts(kustomization: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The charts that it inflates."""
    return tuple(c for c in items(kustomization.get("helmCharts")) if isinstance(c, dict) and c.get("name"))


def _charts(kustomization: Mapping[str, Any]) -> Iterator[str]:
    for chart in helm_charts(kustomization):
        names = [chart.get("valuesFile"), *items(chart.get("additionalValuesFiles"))]
        yield from (chart_folder(kustomization, chart), *(name for name in names if isinstance(name, str)))


def _generated(item: Mapping[str, Any]) -> Iterator[str]:
    for entry in items(item.get("files")):
        if isinstance(entry, str):
            yield entry.partition("=")[2] or entry
    yield from (entry for entry in items(item.get("envs")) if isinstance(entry, str))
    if isinstance(item.get("env"), str):
        yield item["env"]


def _is_path(item: str) -> bool:
    # patchesStrategicMerge and generators also take YAML inline.
    return "\n" not in item and not item.lstrip().startswith("{")
