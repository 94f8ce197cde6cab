"""Field paths as Kubernetes writes them, turned into places in a manifest."""

from __future__ import annotations

import json
import re
from typing import Any

from review_bot.core.model import FieldPath, Manifest

# `spec.ports[0]` and `metadata.labels[app.kubernetes.io/name]` in validation, `.spec.containers[name="web"].image` in
# server-side apply.
_STEP = re.compile(r'\.?([^.\[\]]+)|\[((?:[^\[\]"]|"(?:[^"\\]|\\.)*")*)\]')


def resolve(text: str, manifest: Manifest) -> FieldPath:
    """The path that the text names, as far as it can be followed; an item that is named by its keys by its index."""
    path: list[str | int] = []
    value: Any = manifest
    for match in _STEP.finditer(text):
        plain, bracketed = match.groups()
        step = plain if plain is not None else _bracketed(bracketed, value)
        if step is None:
            break
        path.append(step)
        value = _below(value, step)
    return tuple(path)


def value(manifest: Manifest, text: str) -> Any:
    """What stands at the field, None if nothing does."""
    found: Any = manifest
    for step in resolve(text, manifest):
        found = _below(found, step)
    return found


def _bracketed(text: str, value: Any) -> str | int | None:
    if text.isdigit():
        return int(text)
    if "=" not in text or not isinstance(value, list):
        return text.strip('"')
    wanted: dict[str, Any] = {}
    for part in re.findall(r'([^=,]*)=("(?:[^"\\]|\\.)*"|[^,]*)', text):
        try:
            wanted[part[0]] = json.loads(part[1])
        except ValueError:
            wanted[part[0]] = part[1]
    return next((i for i, item in enumerate(value) if _is(item, wanted)), None)


def _is(item: Any, wanted: dict[str, Any]) -> bool:
    if "" in wanted:  # an item of a set: `[="value"]`
        return bool(item == wanted[""])
    # Keys that the server fills in, such as a port's protocol, need not stand in the manifest.
    return isinstance(item, dict) and all(item.get(k, v) == v for k, v in wanted.items()) and bool(wanted.keys() & item)


def _below(value: Any, step: str | int) -> Any:
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None
