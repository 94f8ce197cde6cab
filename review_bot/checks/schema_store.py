"""Kubernetes' schemas, compiled once a kind: the built-in ones, those of CRDs, and the repository's own."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from review_bot.core.errors import ToolError
from review_bot.core.groups import is_builtin
from review_bot.core.model import Resource

DEFINITIONS = "_definitions.json"


class SchemaStore:
    """The schemas of one Kubernetes version, such as "1.35"; `strict` forbids fields that it does not know."""

    def __init__(self, kubernetes: str, strict: bool) -> None:
        self._folder = _folder(kubernetes, strict)
        self._strict = strict

    def builtin(self, group: str, version: str, kind: str) -> jsonschema_rs.Draft202012Validator | None:
        """The validator of a built-in kind, None if this version of Kubernetes does not have it."""
        if not is_builtin(group):
            return None
        name = _file_name(group, version, kind)
        path = self._folder / name
        if not path.is_file() or _kind_of(path) != kind:
            return None
        return _compiled(self._folder, name)

    def versions_of(self, kind: str) -> list[str]:
        """The apiVersions under which this version of Kubernetes serves a kind."""
        found = []
        for path in sorted(self._folder.glob(f"{kind.lower()}-*.json")):
            content = json.loads(path.read_bytes())
            properties = content.get("properties", {})
            if kind in properties.get("kind", {}).get("enum", []):
                found += properties.get("apiVersion", {}).get("enum", [])
        return found

    def kinds_like(self, group: str, version: str) -> list[str]:
        """The kinds of a group and version."""
        suffix = _file_name(group, version, "")
        paths = self._folder.glob(f"*{suffix}")
        return [kind for path in paths if (kind := _kind_of(path))]

    def custom(self, definition: Resource, version: str) -> jsonschema_rs.Draft202012Validator | None:
        """The validator of a CustomResourceDefinition's version; None if it has no schema for it."""
        spec = definition.manifest.get("spec")
        versions = spec.get("versions") if isinstance(spec, dict) else None
        for row in versions if isinstance(versions, list) else []:
            if isinstance(row, dict) and row.get("name") == version:
                schema = (row.get("schema") or {}).get("openAPIV3Schema")
                return compile_schema(structural(schema, self._strict, root=True)) if schema else None
        return None

    def live(self, schema: Mapping[str, Any] | None) -> jsonschema_rs.Draft202012Validator | None:
        """The validator of a custom kind as a cluster publishes it (OpenAPI v3)."""
        return compile_schema(structural(schema, self._strict, root=True)) if schema else None


def has_schemas(kubernetes: str) -> bool:
    """Are the schemas of this version of Kubernetes at hand?"""
    return _folder(kubernetes, strict=False).is_dir()


def _folder(kubernetes: str, strict: bool) -> Path:
    # Only its files are wanted: importing the package costs as much as the rest of a small review.
    spec = importlib.util.find_spec("kubernetes_validate")
    if spec is None or spec.origin is None:
        raise ToolError("the package kubernetes-validate is not installed", help="install the bot anew")
    return Path(spec.origin).parent / "kubernetes-json-schema" / f"v{kubernetes}.0-local{'-strict' if strict else ''}"


def compile_schema(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator | None:
    """A validator, None if the schema itself is broken."""
    try:
        return jsonschema_rs.Draft202012Validator(dict(schema))
    except (ValueError, jsonschema_rs.ValidationError):
        return None


def structural(schema: Any, strict: bool, *, root: bool = False) -> dict[str, Any]:
    """An OpenAPI v3 structural schema as JSON Schema: Kubernetes' extensions become keywords."""
    if not isinstance(schema, dict):
        return {}
    result = {k: v for k, v in schema.items() if not k.startswith("x-") and k not in ("default", "nullable", "example")}
    if isinstance(schema.get("properties"), dict):
        result["properties"] = {k: structural(v, strict) for k, v in schema["properties"].items()}
    for key in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(key), dict):
            result[key] = structural(schema[key], strict)
    for key in ("allOf", "anyOf", "oneOf"):
        if isinstance(schema.get(key), list):
            # Inside a combination no branch may forbid what another one allows.
            result[key] = [structural(item, False) for item in schema[key]]
    if root:
        result["properties"] = {
            **result.get("properties", {}),
            **{"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}},
        }
    if schema.get("x-kubernetes-embedded-resource"):
        result["properties"] = {**result.get("properties", {}), "apiVersion": {}, "kind": {}, "metadata": {}}
    if schema.get("x-kubernetes-int-or-string"):
        result.pop("type", None)
        result.pop("anyOf", None)
        result["type"] = ["integer", "string"]
    closed = strict and "properties" in result and "additionalProperties" not in result
    if closed and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result["additionalProperties"] = False
    if isinstance(result.get("type"), str | list):
        # The API server drops nulls before it validates.
        kinds = result["type"] if isinstance(result["type"], list) else [result["type"]]
        result["type"] = [*kinds, "null"]
        if isinstance(result.get("enum"), list):
            result["enum"] = [*result["enum"], None]
    return result


def _file_name(group: str, version: str, kind: str) -> str:
    middle = f"-{group.split('.')[0]}" if group else ""
    return f"{kind.lower()}{middle}-{version.lower()}.json"


def _kind_of(path: Path) -> str | None:
    kinds = json.loads(path.read_bytes()).get("properties", {}).get("kind", {}).get("enum")
    return str(kinds[0]) if kinds else None


@lru_cache(maxsize=4)
def _definitions(folder: Path) -> Mapping[str, Any]:
    content = json.loads((folder / DEFINITIONS).read_bytes())
    loaded: Mapping[str, Any] = content.get("$defs") or content["definitions"]
    return loaded


@lru_cache(maxsize=512)
def _compiled(folder: Path, name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(bundled(folder, name))


def bundled(folder: Path, name: str) -> dict[str, Any]:
    """A kind's schema with just the definitions that it needs: compiling all of them takes far longer."""
    schema = json.loads((folder / name).read_bytes())
    everything = _definitions(folder)
    needed: dict[str, Any] = {}
    pending = list(_references(schema))
    while pending:
        reference = pending.pop()
        if reference not in needed:
            needed[reference] = everything[reference]
            pending += _references(everything[reference])
    own = {key: value for key, value in schema.items() if key not in ("$schema", "$id")}
    relocated: dict[str, Any] = _relocated({**own, "$defs": needed})
    return relocated


def _relocated(schema: Any) -> Any:
    """The schema with every reference pointing into its own `$defs`."""
    if isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return {**schema, "$ref": f"#/$defs/{reference.rpartition('/')[2]}"}
        return {key: _relocated(value) for key, value in schema.items()}
    return [_relocated(value) for value in schema] if isinstance(schema, list) else schema


def _references(schema: Any) -> Iterable[str]:
    if isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference.rpartition("/")[2]
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)
