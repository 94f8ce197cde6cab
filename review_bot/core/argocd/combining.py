"""Sets of parameters put together: what matrix and merge generators do."""

from __future__ import annotations

import json
from collections.abc import Sequence

from review_bot.core.argocd import values
from review_bot.core.argocd.problems import Trouble
from review_bot.core.argocd.templates import Parameters
from review_bot.core.model import FieldPath


def multiplied(first: Parameters, second: Parameters, go: bool, at: FieldPath) -> Parameters:
    """One pair of a matrix: on a conflict the first wins with goTemplate, else it is an error and all become texts."""
    if go:
        return values.filled(first, second)
    one, other = ({key: values.printed(value) for key, value in each.items()} for each in (first, second))
    for key in sorted(one.keys() & other.keys()):
        if one[key] != other[key]:
            raise Trouble(
                f"both generators give {key}, as {one[key]!r} and as {other[key]!r}",
                at=at,
                rule="generator",
                help="use pathParamPrefix or other names for one of them",
            )
    return one | other


def merged(keys: Sequence[str], sets: Sequence[Sequence[Parameters]], go: bool, at: FieldPath) -> list[Parameters]:
    """The first generator's sets, overridden by those of the others that have the same keys; what is new is dropped."""
    if not keys:
        raise Trouble("a merge needs mergeKeys", at=at, rule="generator", help="name the parameters that are the same")
    base = _by_keys(keys, sets[0], at)
    for overrides in sets[1:]:
        for key, override in _by_keys(keys, overrides, at).items():
            if key in base:
                base[key] = values.overridden(base[key], override) if go else {**base[key], **override}
    return list(base.values())


def _by_keys(keys: Sequence[str], sets: Sequence[Parameters], at: FieldPath) -> dict[str, Parameters]:
    found: dict[str, Parameters] = {}
    for parameters in sets:
        values_of_keys = {key: parameters.get(key) for key in sorted(set(keys))}
        key = json.dumps(values_of_keys, sort_keys=True, default=str)
        if key in found:
            raise Trouble(
                f"a generator gives two sets of parameters with {key}",
                at=at,
                rule="generator",
                help="choose mergeKeys that tell all of them apart",
            )
        found[key] = parameters
    return found
