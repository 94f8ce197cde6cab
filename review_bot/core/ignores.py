"""Differences that a delivery tool is told not to look at: Argo CD's `ignoreDifferences`, Flux's annotation.

Of jq expressions paths are understood (`.spec.containers[].image`, also with `select(.name == "x")`). One that is not
is left aside, so that more is shown and never less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from review_bot.core.diff import difference
from review_bot.core.field_paths import resolve
from review_bot.core.managers import owner
from review_bot.core.model import FieldPath, Manifest, ResourceId

FLUX = "kustomize.toolkit.fluxcd.io/ssa"
# A step of a path: a key, an index, or a condition on the items of a list (None: all of them).
_JQ = re.compile(
    r'\.?"((?:[^"\\]|\\.)*)"|\.([A-Za-z_][\w-]*)|\[(\d+)\]|(\[\]\??)(?: *\| *select\(\.(\w+) *== *"([^"]*)"\))?'
)


@dataclass(frozen=True, slots=True)
class Items:
    """All items of a list, or those whose `key` has a value."""

    key: str | None = None
    value: str | None = None


Step = str | int | Items


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """Which objects ("" and "*" mean all) and which of their fields; all that `managers` own besides."""

    group: str
    kind: str
    name: str = ""
    namespace: str = ""
    paths: tuple[tuple[Step, ...], ...] = ()
    managers: tuple[str, ...] = ()

    def covers(self, id: ResourceId) -> bool:
        exact = ((self.group, id.group), (self.kind, id.kind))
        optional = ((self.name, id.name), (self.namespace, id.namespace))
        return all(w in ("*", v) for w, v in exact) and all(w in ("", "*", v) for w, v in optional)


def rules_of(application: Manifest) -> tuple[IgnoreRule, ...]:
    """The rules of an Argo CD Application."""
    rows = _at(application, "spec", "ignoreDifferences")
    return tuple(_rule(row) for row in rows if isinstance(row, Mapping)) if isinstance(rows, list) else ()


def sources_of(application: Manifest) -> frozenset[str]:
    """The folders that an Application deploys."""
    spec = application.get("spec")
    spec = spec if isinstance(spec, Mapping) else {}
    sources = spec.get("sources")
    rows = sources if isinstance(sources, list) and sources else [spec.get("source")]
    return frozenset(
        str(row["path"]).removeprefix("./").rstrip("/") or "."
        for row in rows
        if isinstance(row, Mapping) and row.get("path")
    )


def applied(manifest: Manifest, live: Manifest | None) -> bool:
    """Does Flux apply the object at all? Its annotation may say never, or only where there is none."""
    word = str(_at(manifest, "metadata", "annotations", FLUX))
    return word != "Ignore" and not (word == "IfNotPresent" and live is not None)


def as_ignored(predicted: Manifest, live: Manifest, id: ResourceId, rules: Sequence[IgnoreRule]) -> Manifest:
    """The predicted object with every ignored field as it is live."""
    result: Any = predicted
    for rule in rules:
        if rule.covers(id):
            places = [place for path in rule.paths for place in _places(path, result)]
            if rule.managers:
                places += _owned(result, live, id, rule.managers)
            for place in places:
                result = _copied(result, live, place)
    return dict(result)


def _owned(predicted: Manifest, live: Manifest, id: ResourceId, managers: Sequence[str]) -> Iterator[FieldPath]:
    """The differing fields that one of the managers wrote last."""
    found = difference(live, predicted, id)
    for field in found[0] if found else ():
        place = resolve(field, live)
        by = owner(live, field, place)
        if by is not None and by.manager in managers:
            yield place


def _rule(row: Mapping[str, Any]) -> IgnoreRule:
    paths: list[tuple[Step, ...]] = [_pointer(str(p)) for p in row.get("jsonPointers") or ()]
    paths += [path for text in row.get("jqPathExpressions") or () if (path := _jq(str(text)))]
    text = {key: str(row.get(key) or "") for key in ("group", "kind", "name", "namespace")}
    return IgnoreRule(**text, paths=tuple(paths), managers=tuple(row.get("managedFieldsManagers") or ()))


def _pointer(text: str) -> tuple[Step, ...]:
    steps = [s.replace("~1", "/").replace("~0", "~") for s in text.split("/")[1:]]
    return tuple(int(s) if s.isdigit() else s for s in steps)


def _jq(text: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    end = 0
    for match in _JQ.finditer(text.strip()):
        if match.start() != end:
            return ()
        end = match.end()
        quoted, plain, index, items, key, value = match.groups()
        steps.append(
            Items(key, value) if items else int(index) if index else quoted if quoted is not None else str(plain)
        )
    return tuple(steps) if end == len(text.strip()) else ()


def _places(path: Sequence[Step], value: Any) -> Iterator[FieldPath]:
    if not path:
        yield ()
        return
    step, rest = path[0], path[1:]
    if isinstance(step, Items):
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if step.key is None or (isinstance(item, Mapping) and item.get(step.key) == step.value):
                yield from ((index, *place) for place in _places(rest, item))
    else:
        yield from ((step, *place) for place in _places(rest, _at(value, step)))


def _copied(target: Any, source: Any, path: FieldPath) -> Any:
    """The target with one field as in the source; taken out if the source does not have it."""
    step, rest = path[0], path[1:]
    if isinstance(target, Mapping) and isinstance(source, Mapping) and isinstance(step, str):
        if rest:
            return {**target, step: _copied(target[step], source.get(step), rest)} if step in target else target
        without = {k: v for k, v in target.items() if k != step}
        return {**target, step: source[step]} if step in source else without
    if isinstance(target, list) and isinstance(source, list) and isinstance(step, int) and step < len(target):
        same = _same_item(target[step], step, source)
        if same is not None:
            item = _copied(target[step], same, rest) if rest else same
            return [*target[:step], item, *target[step + 1 :]]
    return target


def _same_item(item: Any, index: int, source: list[Any]) -> Any:
    """The item of the same name, else the one at the same place; None if there is none."""
    if isinstance(item, Mapping) and "name" in item:
        return next((s for s in source if isinstance(s, Mapping) and s.get("name") == item["name"]), None)
    return source[index] if index < len(source) else None


def _at(value: Any, *path: str | int) -> Any:
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value
