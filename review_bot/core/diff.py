"""What changes in the cluster: objects matched by identity, fields by path, noise left out, Secrets masked."""

from __future__ import annotations

import difflib
import re
import secrets as random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from review_bot.core import secrets
from review_bot.core.model import Action, Manifest, Resource, ResourceChange, ResourceId
from review_bot.core.yaml_writer import one

CONTEXT_LINES = 3
# Set by the server or by delivery tools, never by a person: they say nothing about the change.
NOISE_METADATA = ("creationTimestamp", "managedFields", "resourceVersion", "uid", "generation", "selfLink")
NOISE_ANNOTATIONS = ("argocd.argoproj.io/tracking-id", "kubectl.kubernetes.io/last-applied-configuration")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
# One key a process: within one answer equal secrets look equal, and no answer tells about another.
_KEY = random.token_bytes(32)

Identity = tuple[str, str, str | None, str]


def compare(target_id: str, base: Sequence[Resource], head: Sequence[Resource]) -> tuple[ResourceChange, ...]:
    """The changes of one target, ordered by kind, namespace and name. A new API version is an update."""
    before = {_identity(r.id): r for r in base}
    after = {_identity(r.id): r for r in head}
    changes = []
    for identity in sorted(before.keys() | after.keys(), key=lambda i: (i[1], i[2] or "", i[3], i[0])):
        change = _change(target_id, before.get(identity), after.get(identity))
        if change is not None:
            changes.append(change)
    return tuple(changes)


def difference(before: Manifest | None, after: Manifest | None, id: ResourceId) -> tuple[tuple[str, ...], str] | None:
    """The fields that differ and the diff, noise left out and Secrets masked; None if nothing differs."""
    old, new = (without_noise(side) if side is not None else None for side in (before, after))
    if old == new:
        return None
    return tuple(sorted(set(_differing(old or {}, new or {}, "")))), _diff(old, new, id)


def without_noise(manifest: Manifest) -> Manifest:
    """The manifest as people mean it: no status, no fields that the server fills."""
    kept = {k: v for k, v in manifest.items() if k != "status"}
    metadata = kept.get("metadata")
    if isinstance(metadata, Mapping):
        cleaned = {k: v for k, v in metadata.items() if k not in NOISE_METADATA}
        annotations = cleaned.get("annotations")
        if isinstance(annotations, Mapping):
            cleaned["annotations"] = {k: v for k, v in annotations.items() if k not in NOISE_ANNOTATIONS}
        for name in ("annotations", "labels"):
            if name in cleaned and not cleaned[name]:
                del cleaned[name]
        kept["metadata"] = cleaned
    return kept


def _identity(id: ResourceId) -> Identity:
    return (id.group, id.kind, id.namespace, id.name)


def _change(target_id: str, base: Resource | None, head: Resource | None) -> ResourceChange | None:
    resource = head or base
    assert resource is not None  # noqa: S101 - the identity came from one of them
    found = difference(base.manifest if base else None, head.manifest if head else None, resource.id)
    if found is None:
        return None
    action = Action.UPDATE if base and head else Action.CREATE if head else Action.DELETE
    return ResourceChange(target_id, action, resource.id, *found, base, head)


def _differing(before: Any, after: Any, path: str) -> Iterator[str]:
    """Paths of the deepest values that differ; for a list of named items the name decides what belongs together."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(k for k in after if k not in before)]:
            if key not in before or key not in after:
                yield from _leaves(before.get(key, after.get(key)), _join(path, key))
            elif before[key] != after[key]:
                yield from _differing(before[key], after[key], _join(path, key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _differing_lists(before, after, path)
    elif before != after:
        yield path


def _differing_lists(before: list[Any], after: list[Any], path: str) -> Iterator[str]:
    old, new = named(before), named(after)
    if old is None or new is None:
        for index in range(max(len(before), len(after))):
            if index >= len(before) or index >= len(after):
                yield f"{path}[{index}]"
            elif before[index] != after[index]:
                yield from _differing(before[index], after[index], f"{path}[{index}]")
        return
    for name, (index, item) in new.items():
        if name not in old:
            yield f"{path}[{index}]"
        elif old[name][1] != item:
            yield from _differing(old[name][1], item, f"{path}[{index}]")
    for name, (index, _) in old.items():
        if name not in new:
            yield f"{path}[{index}]"
    if list(old) != list(new) and set(old) == set(new):
        yield path


def named(items: list[Any]) -> dict[str, tuple[int, Any]] | None:
    """The items by their names with their index, None if not every one has a name of its own."""
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    if any(not isinstance(name, str) for name in names) or len(set(names)) != len(names):
        return None
    return {str(name): (index, item) for index, (name, item) in enumerate(zip(names, items, strict=True))}


def _leaves(value: Any, path: str) -> Iterator[str]:
    """A whole new or removed mapping is named by its leaves, so that a glob on a deep field still finds it."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, _join(path, key))
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    else:
        yield path


def _join(path: str, key: str) -> str:
    if not _PLAIN_KEY.match(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def _diff(before: Manifest | None, after: Manifest | None, id: ResourceId) -> str:
    old, new = (one(secrets.mask(side, _KEY)).splitlines() if side is not None else [] for side in (before, after))
    name = f"{id.kind}/{id.namespace}/{id.name}" if id.namespace else f"{id.kind}/{id.name}"
    names = (f"a/{name}" if old else "/dev/null", f"b/{name}" if new else "/dev/null")
    return "\n".join(difflib.unified_diff(old, new, *names, lineterm="", n=CONTEXT_LINES))
