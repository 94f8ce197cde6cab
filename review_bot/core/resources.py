"""From documents to Kubernetes objects, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from review_bot.core.model import CheckName, FieldPath, Finding, Resource, ResourceId, Severity, Source
from review_bot.core.yaml_reader import Document


def from_documents(docs: Iterable[Document], *, path: str) -> tuple[tuple[Resource, ...], tuple[Finding, ...]]:
    """The objects of a file, lists flattened, and what is no object (an error finding each)."""
    resources: list[Resource] = []
    findings: list[Finding] = []
    for document in docs:
        _collect(document.value, (), document, path, resources, findings)
    return tuple(resources), tuple(findings)


def identity(manifest: Mapping[str, Any]) -> ResourceId | None:
    """The object's identity, None if it has none: apiVersion, kind and a name (or generateName) are needed."""
    api_version, kind, metadata = (manifest.get(k) for k in ("apiVersion", "kind", "metadata"))
    if not (isinstance(api_version, str) and isinstance(kind, str) and api_version and kind):
        return None
    metadata = metadata if isinstance(metadata, dict) else {}
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str) or not name:
        generated = metadata.get("generateName")
        name = f"{generated}*" if isinstance(generated, str) and generated else None
    if name is None:
        return None
    return ResourceId(api_version, kind, namespace if isinstance(namespace, str) and namespace else None, name)


def _collect(
    value: Any,
    prefix: FieldPath,
    document: Document,
    path: str,
    resources: list[Resource],
    findings: list[Finding],
) -> None:
    line = document.lines.get(prefix, document.line)
    if not isinstance(value, dict):
        findings.append(_finding(path, line, "an object with apiVersion, kind and metadata.name is expected here"))
        return
    items = value.get("items")
    if isinstance(items, list) and str(value.get("kind", "")).endswith("List"):
        for index, item in enumerate(items):
            _collect(item, (*prefix, "items", index), document, path, resources, findings)
        return
    found = identity(value)
    if found is None:
        findings.append(_finding(path, line, _what_is_missing(value)))
        return
    resources.append(Resource(found, value, Source(path, line), _below(document.lines, prefix)))


def _below(lines: Mapping[FieldPath, int], prefix: FieldPath) -> Mapping[FieldPath, int]:
    if not prefix:
        return lines
    length = len(prefix)
    return {key[length:]: line for key, line in lines.items() if key[:length] == prefix}


def _what_is_missing(value: Mapping[str, Any]) -> str:
    missing = [k for k in ("apiVersion", "kind") if not isinstance(value.get(k), str) or not value.get(k)]
    if not missing:
        missing = ["metadata.name"]
    return f"this object has no {' and no '.join(missing)}"


def _finding(path: str, line: int, message: str) -> Finding:
    return Finding(
        check=CheckName.RENDER,
        rule="not-an-object",
        severity=Severity.ERROR,
        message=message,
        path=path,
        line=line,
        help="every document of a manifest needs apiVersion, kind and metadata.name",
    )
