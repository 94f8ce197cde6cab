"""The schema check: is every changed object one that Kubernetes would accept by its shape?"""

from __future__ import annotations

import asyncio
import difflib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import jsonschema_rs

from review_bot.checks.context import CheckContext, CheckOutcome
from review_bot.checks.live_schemas import LiveSchemas
from review_bot.checks.schema_store import SchemaStore, compile_schema, has_schemas
from review_bot.core.api_lifecycle import ending
from review_bot.core.groups import is_builtin
from review_bot.core.model import (
    CheckName,
    CheckState,
    FieldPath,
    Finding,
    Resource,
    ResourceChange,
    ResourceId,
    Severity,
)
from review_bot.core.secrets import is_secret

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\Z")
# These kinds are named by anything that is a path segment.
_FREE_NAMES = frozenset(["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"])
MOST_ERRORS = 20


class SchemaCheck:
    """Validates both sides of each change, so that what was wrong before is not called new."""

    name = CheckName.SCHEMA

    async def run(self, changes: Sequence[ResourceChange], context: CheckContext) -> CheckOutcome:
        return await asyncio.to_thread(self._run, context.for_clusters(changes), context)

    def _run(self, changes: Sequence[ResourceChange], context: CheckContext) -> CheckOutcome:
        live = LiveSchemas(context)
        try:
            judge = _Judge(context, live)
            head = [f for c in changes if c.head is not None for f in judge.findings(c.target, c.head)]
            both = [c for c in changes if c.base is not None and c.head is not None]
            base = [f for c in both if c.base is not None for f in judge.findings(c.target, c.base)]
        finally:
            live.close()
        return CheckOutcome(CheckState.SUCCESS, tuple(head), tuple(base))


class _Judge:
    """Judges by the version and the definitions of the target's cluster, else by the configuration's."""

    def __init__(self, context: CheckContext, live: LiveSchemas) -> None:
        self._live = live
        self._context = context
        self._versions: dict[str, str] = {}
        self._stores: dict[str, SchemaStore] = {}
        self._validators: dict[tuple[str, str, str], jsonschema_rs.Draft202012Validator | None] = {}

    def findings(self, target: str, resource: Resource) -> Iterator[Finding]:
        yield from _metadata(target, resource)
        # Custom kinds may differ from cluster to cluster, built-in ones only with its version.
        scope = self._version(target) if is_builtin(resource.id.group) else target
        key = (scope, resource.id.api_version, resource.id.kind)
        if key not in self._validators:
            self._validators[key] = self._validator(target, resource.id)
        validator = self._validators[key]
        if validator is None:
            yield self._unknown(target, resource)
            return
        yield from _ending(target, resource, self._version(target))
        for index, error in enumerate(validator.iter_errors(_without_nulls(resource.manifest))):
            if index >= MOST_ERRORS:
                break
            yield from _explained(target, resource, error)

    def _version(self, target: str) -> str:
        """The Kubernetes version to judge by: the cluster's, if there are schemas of it."""
        if target not in self._versions:
            told = self._live.version(target)
            self._versions[target] = told if told and has_schemas(told) else self._context.config.kubernetes
        return self._versions[target]

    def _store(self, target: str) -> SchemaStore:
        version = self._version(target)
        if version not in self._stores:
            self._stores[version] = SchemaStore(version, self._context.config.schema.strict)
        return self._stores[version]

    def _validator(self, target: str, id: ResourceId) -> jsonschema_rs.Draft202012Validator | None:
        version, store = id.api_version.rpartition("/")[2], self._store(target)
        found = store.builtin(id.group, version, id.kind)
        if found is None:
            # The change's own definitions first: they will be there when the object is.
            defined = (d for d in self._context.crds if _defines(d, id))
            found = next((v for d in defined if (v := store.custom(d, version))), None)
        if found is None and not is_builtin(id.group):
            found = store.live(self._live.schema(target, id))
        return found or self._own(id, version)

    def _own(self, id: ResourceId, version: str) -> jsonschema_rs.Draft202012Validator | None:
        """A schema file that the repository keeps for kinds of others."""
        for template in self._context.config.schema.schemas:
            for kind in (id.kind, id.kind.lower()):
                path = template.replace("{group}", id.group).replace("{kind}", kind).replace("{version}", version)
                data = self._context.base.read(path)
                if data is not None:
                    try:
                        return compile_schema(json.loads(data))
                    except ValueError:
                        return None
        return None

    def _unknown(self, target: str, resource: Resource) -> Finding:
        id, kubernetes, store = resource.id, self._version(target), self._store(target)
        if not is_builtin(id.group):
            return _finding(
                target,
                resource,
                ("apiVersion",),
                "schema-unknown-kind",
                f"no schema is known for {id.kind} ({id.api_version}), so its fields are not checked",
                help="commit its CustomResourceDefinition, or name a schema file under checks.schema.schemas",
                severity=Severity.WARNING,
            )
        served = [v for v in store.versions_of(id.kind) if v != id.api_version]
        if served:
            message = f"{id.api_version} {id.kind} is not served by Kubernetes {kubernetes}"
            return _finding(
                target, resource, ("apiVersion",), "schema-removed-api", message, f"use {' or '.join(served)}"
            )
        known = store.kinds_like(id.group, id.api_version.rpartition("/")[2])
        near = difflib.get_close_matches(id.kind, known, n=1)
        message = f"Kubernetes {kubernetes} knows no kind {id.kind} in {id.api_version}"
        hint = f"did you mean {near[0]}?" if near else "check apiVersion and kind"
        return _finding(target, resource, ("kind",), "schema-unknown-kind", message, hint)


def _ending(target: str, resource: Resource, kubernetes: str) -> Iterator[Finding]:
    """An API that is served now and will not be for long."""
    found = ending(resource.id, kubernetes)
    if found is None:
        return
    named = f"{resource.id.api_version} {resource.id.kind}"
    message = f"{named} is no longer served by Kubernetes {found.removed}"
    help = f"use {found.replacement}" if found.replacement else "see Kubernetes' deprecation guide for what follows it"
    severity = Severity.WARNING if found.goes_next else Severity.NOTICE
    rule = "schema-api-ends-next" if found.goes_next else "schema-api-deprecated"
    yield _finding(target, resource, ("apiVersion",), rule, message, help, severity)


def _without_nulls(value: Any) -> Any:
    """The object as the API server takes it: a field that is null is one that is not there."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _defines(definition: Resource, id: ResourceId) -> bool:
    spec = definition.manifest.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    if not (isinstance(spec, dict) and isinstance(names, dict)):
        return False
    return spec.get("group") == id.group and names.get("kind") == id.kind


def _explained(target: str, resource: Resource, error: Any) -> Iterator[Finding]:
    path: FieldPath = tuple(error.instance_path)
    where = dotted(path) or "the object"
    kind = type(error.kind).__name__.rpartition("_")[2]
    value = "the value" if is_secret(resource.manifest) else _short(error.instance)
    if kind == "AdditionalProperties":
        hint = "remove it, or check its spelling and where it belongs"
        for unknown in error.kind.unexpected:
            place = (*path, str(unknown))
            yield _finding(target, resource, place, "schema-unknown-field", f"{dotted(place)}: unknown field", hint)
        return
    if kind == "Required":
        message = f"{where}: the field {error.kind.property} is missing"
        yield _finding(target, resource, path, "schema-required", message, "add it")
    elif kind == "Type":
        expected = " or ".join(t for t in _types(error) if t != "null")
        message = f"{where}: {value} is {_type_of(error.instance)}, expected {expected}"
        yield _finding(target, resource, path, "schema-type", message, f"write {_example(expected)}")
    else:
        message = f"{where}: {value} is not allowed here ({kind})"
        yield _finding(target, resource, path, "schema-value", message, "`kubectl explain` lists what is")


def _types(error: Any) -> list[str]:
    types = error.kind.types
    return [str(t) for t in types] if isinstance(types, list | tuple) else [str(types)]


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    names = ((bool, "a boolean"), (str, "a string"), (int, "an integer"), (float, "a number"), (list, "a list"))
    return next((name for type_, name in names if isinstance(value, type_)), "an object")


def _example(expected: str) -> str:
    return {"integer": "a number without quotes", "string": "it in quotes", "array": "a list"}.get(
        expected, f"a value of type {expected}"
    )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"


def dotted(path: FieldPath) -> str:
    """A field's path as people write it."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")


def _metadata(target: str, resource: Resource) -> Iterator[Finding]:
    """What the API server asks of every name and label."""
    metadata = resource.manifest.get("metadata")
    if not isinstance(metadata, dict):
        return
    name = metadata.get("name")
    if isinstance(name, str) and resource.id.kind not in _FREE_NAMES and not _valid_name(name):
        message = f"metadata.name: {_short(name)} is not a valid name"
        help = "use lower-case letters, digits, '-' and '.', at most 253 characters"
        yield _finding(target, resource, ("metadata", "name"), "schema-name", message, help)
    labels = metadata.get("labels")
    for key, value in labels.items() if isinstance(labels, dict) else ():
        if isinstance(value, str) and (len(value) > 63 or not _LABEL_VALUE.match(value)):
            message = f"metadata.labels.{key}: {_short(value)} is not a valid label value"
            help = "use at most 63 letters, digits, '-', '_' and '.'"
            yield _finding(target, resource, ("metadata", "labels", key), "schema-label", message, help)


def _valid_name(name: str) -> bool:
    return len(name) <= 253 and _SUBDOMAIN.match(name) is not None


def _finding(
    target: str,
    resource: Resource,
    path: FieldPath,
    rule: str,
    message: str,
    help: str = "",
    severity: Severity = Severity.ERROR,
) -> Finding:
    place = resource.place(path)
    return Finding(
        check=CheckName.SCHEMA,
        rule=rule,
        severity=severity,
        message=f"{resource.id.kind} {resource.id.name}: {message}",
        target=target,
        resource=resource.id,
        path=place.path,
        line=place.line,
        help=help,
        field=path,
    )
