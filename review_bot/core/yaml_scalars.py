"""Plain YAML scalars as sigs.k8s.io/yaml reads them (what kubectl, Argo CD and Flux use), not as PyYAML does."""

from __future__ import annotations

import base64
import binascii
import math
import re
from typing import Any

_WORDS: dict[str, Any] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}
# Go's yaml tries integers base 0 ("0x", "0o", "0b", a leading 0 is octal), then floats of this shape.
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_OCTAL = re.compile(r"[-+]?0[0-7]+\Z")
_PREFIXED = re.compile(r"([-+]?)0([xXoObB])([0-9a-fA-F]+)\Z")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_SPECIAL = {f"{s}{w}" for s in ("", "+", "-") for w in (".inf", ".Inf", ".INF")} | {".nan", ".NaN", ".NAN"}
_BASES = {"x": 16, "o": 8, "b": 2}
_FIRST = frozenset("0123456789+-.~nNtTyYfFoO")


class ScalarError(ValueError):
    """A scalar that JSON, and so Kubernetes, has no place for."""


def resolve(text: str) -> Any:
    """A plain scalar's value: None, bool, int, float or str. Raises ScalarError for infinities and NaN."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _FIRST:
        return text
    return _number(text)


def _number(text: str) -> Any:
    if text in _SPECIAL:
        raise ScalarError(f"{text} is a number that JSON can't hold; quote it if it is meant as text")
    plain = text.replace("_", "")
    if _DECIMAL.match(plain):
        return _bounded(int(plain))
    if _OCTAL.match(plain):
        return _bounded(int(plain, 8))
    if prefixed := _PREFIXED.match(plain):
        sign, base, digits = prefixed.groups()
        try:
            return _bounded(int(f"{sign}{digits}", _BASES[base.lower()]))
        except ValueError:
            return text
    if _FLOAT.match(plain):
        return _float(plain, text)
    return text


def _bounded(value: int) -> int | float:
    # Beyond 64 bits Go falls back to a float, as JSON numbers of that size do.
    return value if -(2**63) <= value < 2**64 else float(value)


def _float(plain: str, text: str) -> Any:
    value = float(plain)
    if math.isinf(value):
        return text
    # JSON writes 1e3 as 1000, and the API server then reads an integer.
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def tagged(tag: str, text: str) -> Any:
    """A scalar with an explicit tag. Raises ScalarError where text and tag do not go together."""
    kind = tag.removeprefix("tag:yaml.org,2002:")
    if kind == "str":
        return text
    if kind == "binary":
        try:
            return base64.b64decode(text, validate=False).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ScalarError(f"!!binary is not base64 of text: {error}") from error
    value = resolve(text) if text else None
    expected: Any = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}.get(kind)
    if expected is None:
        return value if not tag.startswith("!") else text
    if not isinstance(value, expected):
        raise ScalarError(f"{text!r} is not of the type !!{kind} that its tag says")
    return value


def key_text(value: Any) -> str:
    """A mapping's key as JSON spells it: `on: x` becomes the key "true"."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise ScalarError("a list or mapping can't be a key")
