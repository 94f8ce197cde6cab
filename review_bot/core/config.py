"""`.review-bot.yaml`: validated by its published schema, then turned into a Config."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any

from review_bot.core.errors import UsageError, YamlError
from review_bot.core.model import (
    Assignment,
    Config,
    FieldPath,
    HelmOptions,
    PolicyOptions,
    RendererName,
    SchemaOptions,
    TargetDefinition,
    Waiver,
)
from review_bot.core.yaml_reader import Document, parse

HELP = "docs/configuration.md shows every key"


def parse_config(text: bytes | None, *, path: str = ".review-bot.yaml") -> Config:
    """The configuration; no file means the defaults. Raises UsageError with path, line and what was expected."""
    if text is None:
        return Config()
    try:
        documents = parse(text, path=path)
    except YamlError as error:
        raise UsageError(error.message, path=path, line=error.line, help=error.help or HELP) from error
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise UsageError("one mapping that begins with `version: 1` is expected", path=path, line=1, help=HELP)
    _validate(documents[0], path)
    return _config(documents[0].value)


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """The published JSON Schema."""
    text = resources.files("review_bot.core").joinpath("config.schema.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _validate(document: Document, path: str) -> None:
    import jsonschema_rs

    errors = list(jsonschema_rs.Draft202012Validator(schema()).iter_errors(document.value))
    if errors:
        _explain(document, path)
    for place, value in _dates(document.value):
        try:
            date.fromisoformat(str(value)[:10])
        except ValueError as error:
            raise UsageError(
                f"{_dotted(place)}: {value!r} is not a date", path=path, line=_line(document, place), help=HELP
            ) from error


def _explain(document: Document, path: str) -> None:
    # The slower library, loaded only here, says which branch of a choice was meant.
    import jsonschema

    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema()).iter_errors(document.value))
    if error is None:  # pragma: no cover - the two libraries agree on our schema
        raise UsageError("the configuration does not match its schema", path=path, help=HELP)
    place: FieldPath = tuple(error.absolute_path)
    message, culprit = _words(error)
    line = _line(document, (*place, culprit) if culprit else place)
    where = f"{_dotted(place)}: " if place else ""
    raise UsageError(f"{where}{message}", path=path, line=line, help=HELP)


def _words(error: Any) -> tuple[str, str | None]:
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = next(key for key in error.instance if key not in known)
        near = difflib.get_close_matches(unknown, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        return f"the key {unknown!r} is not known here; {hint}", unknown
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"the key {missing!r} is missing", None
    if error.validator in ("enum", "const"):
        allowed = error.validator_value if error.validator == "enum" else [error.validator_value]
        return f"{error.instance!r} is not one of {', '.join(repr(a) for a in allowed)}", None
    if error.validator == "type":
        return f"{error.instance!r} is not of the type {error.validator_value}", None
    if error.validator == "oneOf":
        return "exactly one of helm, kustomize and plain is expected", None
    return str(error.message), None


def _dates(config: Mapping[str, Any]) -> list[tuple[FieldPath, Any]]:
    found: list[tuple[FieldPath, Any]] = []
    for index, waiver in enumerate(config.get("waivers", [])):
        found.append((("waivers", index, "until"), waiver["until"]))
    for index, freeze in enumerate(config.get("freezes", [])):
        found += [(("freezes", index, key), freeze[key]) for key in ("from", "until")]
    return found


def _line(document: Document, place: FieldPath) -> int:
    for end in range(len(place), -1, -1):
        if place[:end] in document.lines:
            return document.lines[place[:end]]
    return document.line


def _dotted(place: FieldPath) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in place).removeprefix(".")


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
        waivers=tuple(
            Waiver(w["rule"], w.get("match", {}), w["reason"], w["until"][:10]) for w in raw.get("waivers", ())
        ),
        approvals=raw.get("approvals", {}),
        merge=raw.get("merge", {}),
        freezes=tuple(raw.get("freezes", ())),
        block_existing=checks.get("block_existing", False),
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
