"""The second generator of a matrix, in which parameters of the first may stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from review_bot.core.argocd.templates import Parameters, Words
from review_bot.core.lenient import items
from review_bot.core.model import FieldPath

# These combine others, to which all the same applies.
COMBINING = ("matrix", "merge")


def interpolated(words: Words, kind: str, options: Any, outers: Sequence[Parameters], at: FieldPath) -> Sequence[Any]:
    """The generator's options for each set of the first's parameters. Raises Trouble.

    Its `values` keep a text that asks for what the first does not give: that may be a parameter of its own.
    """
    if not words.go:
        return words.render(options, outers, at)
    places = list(_values_in(kind, options))
    template = options
    for place in places:
        template = _with(template, place, {})
    rendered = words.render(template, outers, at)
    for place in places:
        own = _at(options, place)
        known = words.render_known({k: v for k, v in own.items() if isinstance(v, str)}, outers)
        rendered = [_with(one, place, {**own, **texts}) for one, texts in zip(rendered, known, strict=True)]
    return rendered


def _values_in(kind: str, options: Any, path: FieldPath = ()) -> Iterator[FieldPath]:
    """The places of `values`, also of generators that are combined in it."""
    if not isinstance(options, dict):
        return
    if kind not in COMBINING:
        if kind != "list" and isinstance(options.get("values"), dict):
            yield (*path, "values")
        return
    for number, row in enumerate(items(options.get("generators"))):
        for inner, given in row.items() if isinstance(row, dict) else ():
            yield from _values_in(inner, given, (*path, "generators", number, inner))


def _at(value: Any, path: FieldPath) -> Any:
    for step in path:
        value = value[step]
    return value


def _with(value: Any, path: FieldPath, new: Any) -> Any:
    """The value with something else at the path."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    changed = _with(value[step], rest, new)
    if isinstance(value, dict):
        return {**value, step: changed}
    return [changed if number == step else item for number, item in enumerate(value)]
