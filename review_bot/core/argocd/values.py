"""Small operations on JSON-like values: Argo CD's merges and expansions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from review_bot.core.argocd.problems import Trouble
from review_bot.core.model import FieldPath

_NOT_IN_NAMES = re.compile(r"[^-a-z0-9.]")
# What os.Expand of Go takes for a variable.
_VARIABLE = re.compile(r"\$(?:\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*)|([*#$@!?0-9-]))")


class Texts(dict[str, str]):
    """A mapping that in Go holds nothing but texts: what is not in it is an empty text for templates."""


class TextList(list[str]):
    """A list that in Go holds nothing but texts."""


def mapping(value: Any, what: str, at: FieldPath) -> Mapping[str, Any]:
    """The mapping, {} for nothing. Raises Trouble."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Trouble(f"{what} must be a mapping", at=at)
    return value


def rows(value: Any, what: str, at: FieldPath) -> list[Mapping[str, Any]]:
    """The list of mappings, [] for nothing. Raises Trouble."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise Trouble(f"{what} must be a list of mappings", at=at)
    return value


def texts(value: Any, what: str, at: FieldPath) -> list[str]:
    """The list of texts, [] for nothing. Raises Trouble."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Trouble(f"{what} must be a list of texts", at=at)
    return value


def text(value: Any, what: str, at: FieldPath) -> str:
    """The text, "" for nothing. Raises Trouble."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Trouble(
            f"{what} must be a text", at=at, help="put it in quotes" if isinstance(value, bool | int | float) else ""
        )
    return value


def merge_patched(value: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7386): null deletes, lists are replaced."""
    if not isinstance(patch, dict):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for key, change in patch.items():
        if change is None:
            result.pop(key, None)
        else:
            result[key] = merge_patched(result.get(key), change)
    return result


def without_nulls(value: Any) -> Any:
    """The value without keys that hold nothing: Argo CD loses them where it fills in templates."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def filled(value: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The value, with what is empty in it taken from the defaults; deep."""
    result = dict(value)
    for key, default in defaults.items():
        own = result.get(key)
        if isinstance(own, dict) and isinstance(default, dict) and own:
            result[key] = filled(own, default)
        elif own in (None, "", 0, [], {}, False):
            result[key] = default
    return result


def overridden(value: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The value, with what is not empty in the other put over it; deep."""
    return filled(other, value)


def flattened(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf by its dotted path, as Go would print it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flattened(item, f"{prefix}.{key}" if prefix else key)
    elif isinstance(value, list) and not isinstance(value, TextList):
        for index, item in enumerate(value):
            yield from flattened(item, f"{prefix}.{index}" if prefix else str(index))
    else:
        yield prefix, printed(value)


def printed(value: Any) -> str:
    """A value as Go's %v prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "<nil>"
    if isinstance(value, float | int):
        # Go reads every number as a float64.
        return go_number(float(value))
    if isinstance(value, dict):
        return f"map[{' '.join(f'{k}:{printed(v)}' for k, v in sorted(value.items()))}]"
    if isinstance(value, list):
        return f"[{' '.join(printed(v) for v in value)}]"
    return str(value)


def go_number(value: float) -> str:
    """A float64 as Go's %v prints it: with an exponent from 1e+06 on and below 1e-04."""
    number = Decimal(repr(value))
    if not number:
        return "0"
    if -5 < number.adjusted() < 6:
        return f"{number.normalize():f}"
    digits, _, exponent = f"{number.normalize():e}".partition("e")
    return f"{digits}e{exponent[0]}{exponent[1:].zfill(2)}"


def documents(objects: Iterable[Any]) -> bytes:
    """Objects as YAML documents: a manifest file, whatever words stand in them."""
    # As JSON, which is quick to write and read. API groups are escaped, since such words mark files that are not
    # deployed, or that lead on: these objects are known already.
    texts = (json.dumps(o, sort_keys=True).replace(".io/", ".io\\u002f") for o in objects)
    return "\n---\n".join(texts).encode()


def normalized(name: str) -> str:
    """A DNS subdomain name made of a text."""
    return _NOT_IN_NAMES.sub("-", name.lower())[:253].strip("-.")


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME}` replaced, `$$` by a dollar; a name that is not known by nothing."""
    if "$" not in text:
        return text

    def replacement(match: re.Match[str]) -> str:
        name = match[1] if match[1] is not None else match[2] or match[3]
        return "$" if name == "$" else variables.get(name, "")

    return _VARIABLE.sub(replacement, text)
