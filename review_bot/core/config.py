"""`.review-bot.yaml`: validated by its published schema, then turned into a Config."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any

from review_bot.core.configuration import (
    CONFIG_PATH,
    ArgoCluster,
    Assignment,
    Config,
    DryRunOptions,
    PolicyOptions,
    SchemaOptions,
    TargetDefinition,
    Waiver,
)
from review_bot.core.errors import UsageError
from review_bot.core.model import FieldPath, HelmOptions, RendererName
from review_bot.core.settings_file import dotted, line_of, read
from review_bot.core.yaml_reader import Document

HELP = "docs/configuration.md shows every key"


def parse_config(text: bytes | None, *, path: str = CONFIG_PATH) -> Config:
    """The configuration; no file means the defaults. Raises UsageError with path, line and what was expected."""
    if text is None:
        return Config()
    document = read(text, path=path, schema=schema(), help=HELP)
    _check_dates(document, path)
    return _config(document.value)


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """The published JSON Schema."""
    text = resources.files("review_bot.core").joinpath("config.schema.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _check_dates(document: Document, path: str) -> None:
    for place, value in _dates(document.value):
        try:
            date.fromisoformat(str(value)[:10])
        except ValueError as error:
            raise UsageError(
                f"{dotted(place)}: {value!r} is not a date", path=path, line=line_of(document, place), help=HELP
            ) from error


def _dates(config: Mapping[str, Any]) -> list[tuple[FieldPath, Any]]:
    found: list[tuple[FieldPath, Any]] = []
    for index, waiver in enumerate(config.get("waivers", [])):
        found.append((("waivers", index, "until"), waiver["until"]))
    for index, freeze in enumerate(config.get("freezes", [])):
        found += [(("freezes", index, key), freeze[key]) for key in ("from", "until")]
    return found


def _config(raw: Mapping[str, Any]) -> Config:
    targets, checks = raw.get("targets", {}), raw.get("checks", {})
    schema_options, policy = checks.get("schema", {}), checks.get("policy", {})
    return Config(
        kubernetes=raw.get("kubernetes", "1.35"),
        exclude=tuple(targets.get("exclude", ())),
        assign=tuple(Assignment(**row) for row in targets.get("assign", ())),
        define=tuple(_definition(row) for row in targets.get("define", ())),
        schema=SchemaOptions(schema_options.get("strict", True), tuple(schema_options.get("schemas", ()))),
        policy=PolicyOptions(
            tuple(_folder(p) for p in policy.get("paths", ("policies",))),
            tuple(_folder(p) for p in policy.get("data", ())),
            explicit="paths" in policy,
        ),
        dry_run=DryRunOptions(checks.get("dry_run", {}).get("prune", True)),
        waivers=tuple(
            Waiver(w["rule"], w.get("match", {}), w["reason"], w["until"][:10]) for w in raw.get("waivers", ())
        ),
        approvals=raw.get("approvals", {}),
        merge=raw.get("merge", {}),
        freezes=tuple(raw.get("freezes", ())),
        block_existing=checks.get("block_existing", False),
        enable_helm=bool(raw.get("kustomize", {}).get("enable_helm", False)),
        argocd_clusters=tuple(ArgoCluster(**row) for row in raw.get("argocd", {}).get("clusters", ())),
    )


def _definition(row: Mapping[str, Any]) -> TargetDefinition:
    if "helm" in row:
        helm = row["helm"]
        options = HelmOptions(
            release=helm.get("release", row["name"]),
            namespace=helm.get("namespace", "default"),
            values=tuple(_folder(v) for v in helm.get("values", ())),
        )
        return TargetDefinition(row["name"], RendererName.HELM, _folder(helm["chart"]), options)
    renderer = RendererName.KUSTOMIZE if "kustomize" in row else RendererName.PLAIN
    return TargetDefinition(row["name"], renderer, _folder(row[str(renderer)]["path"]))


def _folder(path: str) -> str:
    return path.removeprefix("./").rstrip("/") or "."
