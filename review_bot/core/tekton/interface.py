"""What a Task, Pipeline or StepAction asks of whoever uses it, and what it gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from review_bot.core.lenient import mapping, text
from review_bot.core.tekton.reading import At, items


@dataclass(frozen=True, slots=True)
class Param:
    """A declared parameter: `type` is string, array or object; `keys` are those of an object that have no default.

    `properties` are all keys of an object, None where they are not told.
    """

    name: str
    type: str
    required: bool
    keys: frozenset[str] = frozenset()
    properties: frozenset[str] | None = None


@dataclass(frozen=True)
class Interface:
    """`workspaces` says of each whether it must be given; `results` has their types.

    `whole` is False where parts come from elsewhere: then nothing is known to be missing.
    """

    params: Mapping[str, Param] = field(default_factory=dict)
    workspaces: Mapping[str, bool] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True


def interface(spec: Any) -> Interface:
    """Of the spec of a Task, Pipeline or StepAction."""
    spec = mapping(spec)
    declared = [_param(p) for p, _ in items(spec.get("params"), At())]
    spaces = {text(w.get("name")): w.get("optional") is not True for w, _ in items(spec.get("workspaces"), At())}
    results = {text(r.get("name")): text(r.get("type")) or "string" for r, _ in items(spec.get("results"), At())}
    return Interface({p.name: p for p in declared}, spaces, results, not from_elsewhere(spec))


def from_elsewhere(spec: Mapping[str, Any]) -> bool:
    """Does Lighthouse put steps in (`image: uses:…`)? They bring parameters, workspaces and results of their own."""
    steps = [*(s for s, _ in items(spec.get("steps"), At())), mapping(spec.get("stepTemplate"))]
    return any(text(step.get("image")).startswith("uses:") for step in steps)


def without(asked: Interface, given: frozenset[str]) -> Interface:
    """The interface of a spec that has these parameters anyway."""
    params = {n: replace(p, required=p.required and n not in given) for n, p in asked.params.items()}
    return replace(asked, params=params)


def type_of(value: Any) -> str:
    """The type of a value that is given to a parameter. A list or mapping of anything but texts is read as one text."""
    if isinstance(value, list) and _texts_only(value):
        return "array"
    return "object" if isinstance(value, dict) and _texts_only(value.values()) else "string"


def _texts_only(values: Iterable[Any]) -> bool:
    return all(value is None or isinstance(value, str) for value in values)


def _param(raw: Mapping[str, Any]) -> Param:
    default, properties = raw.get("default"), mapping(raw.get("properties"))
    if text(raw.get("type")):
        type = text(raw.get("type"))
    elif isinstance(raw.get("properties"), dict):
        type = "object"
    else:
        type = type_of(default) if default is not None else "string"
    keys = frozenset(properties) - frozenset(mapping(default))
    known = frozenset(properties) if isinstance(raw.get("properties"), dict) else None
    return Param(text(raw.get("name")), type, default is None, keys, known)
