"""What a Task, Pipeline or StepAction asks of whoever uses it, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from review_bot.core.lenient import mapping, text
from review_bot.core.tekton.reading import At, items


@dataclass(frozen=True, slots=True)
class Param:
    """A declared parameter: `type` is string, array or object; `keys` are those of an object that have no default.

    `properties` are all of its keys, none where they are not told.
    """

    name: str
    type: str
    required: bool
    keys: frozenset[str] = frozenset()
    properties: frozenset[str] = frozenset()


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


def type_of(value: Any) -> str:
    """The type of a value that is given to a parameter."""
    return "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "string"


def _param(raw: Mapping[str, Any]) -> Param:
    default, properties = raw.get("default"), mapping(raw.get("properties"))
    if text(raw.get("type")):
        type = text(raw.get("type"))
    elif properties:
        type = "object"
    else:
        type = type_of(default) if default is not None else "string"
    keys = frozenset(properties) - frozenset(mapping(default))
    return Param(text(raw.get("name")), type, default is None, keys, frozenset(properties))
