"""Which values of Terraform's objects are secrets: by what they are called, and by what says that it is sensitive."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from review_bot.core.model import Manifest
from review_bot.core.terraform import UNKNOWN, block_of

# Dotted paths below `spec` whose values are sensitive, as their variable or the plan says.
SENSITIVE = "sensitive"
_SECRET_NAME = re.compile(
    r"passw(or)?d|passphrase|pwd|(\b|_)(pass|psk|pat)(\b|_)|secret|token|credential|connection_?string|authorization"
    r"|(private|api|access|auth|client|shared|encryption|signing|license|account)_?key",
    re.I,
)
# They tell about a secret and are none.
_ABOUT = re.compile(r"(_|\b)(arn|name|length|ttl|version|type|policy)$", re.I)
_SECRET_KIND = re.compile(r"_secret(_v\d+)?$")
_SECRET_FIELDS = frozenset(["data", "binary_data", "string_data", "secret_string", "secret_binary", "value"])
_EXPRESSION = re.compile(r'\$\{[^"]*\}\Z')
# A password within an address.
_IN_ADDRESS = re.compile(r"(?<=://)([^\s:/@\"]*:)((?!\$\{)[^\s/@\"]+)(?=@)")
# Shorter texts stand in others by chance.
SHORTEST = 6
_IN_EXPRESSION = re.compile(r'([A-Za-z0-9_-]+)"?(\s*[=:]\s*)"((?:[^"\\]|\\.)*)"')

Hide = Callable[[Any], str]


def masked(manifest: Manifest, hide: Hide) -> Manifest:
    """The object with `hide` of each secret value in its place."""
    spec = manifest.get("spec")
    if not isinstance(spec, Mapping):
        return manifest
    texts = sorted((t for t in secret_texts(manifest) if len(t) >= SHORTEST), key=len, reverse=True)
    return {**manifest, "spec": _everywhere(_Mask(manifest, hide).of(spec), texts, hide)}


def secret_texts(manifest: Manifest) -> tuple[str, ...]:
    """The secret values as texts, for redaction."""
    found: list[str] = []

    def noted(value: Any) -> str:
        found.append(str(value))
        return ""

    spec = manifest.get("spec")
    if isinstance(spec, Mapping):
        _Mask(manifest, noted).of(spec)
    return tuple(found)


def _everywhere(value: Any, texts: Sequence[str], hide: Hide) -> Any:
    """What is a secret in one field is one in every other: providers copy values into fields that nobody marked."""
    if isinstance(value, Mapping):
        return {key: _everywhere(item, texts, hide) for key, item in value.items()}
    if isinstance(value, list):
        return [_everywhere(item, texts, hide) for item in value]
    if isinstance(value, str):
        for text in texts:
            value = value.replace(text, hide(text))
    return value


class _Mask:
    def __init__(self, manifest: Manifest, hide: Hide) -> None:
        listed = manifest.get(SENSITIVE)
        self._paths = frozenset(str(p) for p in listed) if isinstance(listed, list) else frozenset()
        self._kind = str(manifest.get("kind"))
        self._hide = hide
        metadata = manifest.get("metadata")
        self._name = str(metadata.get("name", "")) if isinstance(metadata, Mapping) else ""
        spec = manifest.get("spec")
        # What is ephemeral is kept out of plans and states on purpose.
        self._declared = isinstance(spec, Mapping) and is_declared(spec)
        # A plan's values are final: none of them refers to anything.
        self._planned = block_of(manifest).get("planned") is True

    def of(self, spec: Mapping[str, Any]) -> Any:
        return {key: self._field(key, value) for key, value in spec.items()}

    def _field(self, key: str, value: Any) -> Any:
        secret = key in self._paths
        if self._kind in ("Variable", "Output", "Local") and key in ("default", "value"):
            secret = secret or self._declared or is_secret_name(self._name.rpartition(".")[2])
        if _SECRET_KIND.search(self._kind) and key in _SECRET_FIELDS:
            secret = True
        return self._value(value, key, secret or is_secret_name(key))

    def _value(self, value: Any, path: str, secret: bool) -> Any:
        if path in self._paths:
            secret = True
        if isinstance(value, Mapping):
            named = is_secret_name(str(value.get("name", "")))
            return {
                k: self._value(v, f"{path}.{k}", secret or is_secret_name(k) or (named and k == "value"))
                for k, v in value.items()
            }
        if isinstance(value, list):
            return [self._value(item, f"{path}[{index}]", secret) for index, item in enumerate(value)]
        if value is None or value == UNKNOWN or (isinstance(value, bool) and path not in self._paths):
            return value
        if secret:
            return value if not self._planned and _is_reference(value) else self._hide(value)
        return self._within(value) if isinstance(value, str) else value

    def _within(self, text: str) -> str:
        """Secrets that an expression spells out, as in `${jsonencode({password = "…"})}`."""

        def one(match: re.Match[str]) -> str:
            name, sign, value = match.groups()
            return f'{name}{sign}"{self._hide(value)}"' if is_secret_name(name) else match[0]

        text = _IN_ADDRESS.sub(lambda match: f"{match[1]}{self._hide(match[2])}", text)
        return _IN_EXPRESSION.sub(one, text)


def is_declared(spec: Mapping[str, Any]) -> bool:
    """Does a variable or output say of itself that it is a secret?"""
    return any(spec.get(word) is True for word in ("sensitive", "ephemeral"))


def is_secret_name(name: str) -> bool:
    """Does a field of this name look as if it held a secret?"""
    return _SECRET_NAME.search(name) is not None and _ABOUT.search(name) is None


def _is_reference(value: Any) -> bool:
    """An expression without a literal in it says where a secret comes from, and not what it is."""
    return isinstance(value, str) and _EXPRESSION.match(value) is not None and value.count("${") == 1
