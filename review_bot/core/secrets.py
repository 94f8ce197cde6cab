"""Values of Secrets never leave: they become keyed digests that only tell equal from different."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from review_bot.core.model import Manifest
from review_bot.core.terraform import is_terraform

FIELDS = ("data", "stringData")
# Tools keep a whole copy of the object here.
COPIES = ("kubectl.kubernetes.io/last-applied-configuration",)


def is_secret(manifest: Manifest) -> bool:
    return manifest.get("kind") == "Secret"


def mask(manifest: Manifest, key: bytes) -> Manifest:
    """The manifest with each secret value as `(secret 1a2b3c4d)`: the same value gives the same text under one key."""
    if is_terraform(manifest):
        from review_bot.core.terraform.masking import masked

        return masked(manifest, lambda value: _digest(value, key))
    if not is_secret(manifest):
        return manifest
    hidden = dict(manifest)
    for field in FIELDS:
        if field in hidden:
            hidden[field] = _masked(hidden[field], key)
    metadata = hidden.get("metadata")
    if isinstance(metadata, Mapping) and isinstance(metadata.get("annotations"), Mapping):
        annotations = {
            name: _digest(value, key) if name in COPIES else value for name, value in metadata["annotations"].items()
        }
        hidden["metadata"] = {**metadata, "annotations": annotations}
    return hidden


def values(manifest: Manifest) -> tuple[str, ...]:
    """The texts of a Secret's values, for redaction."""
    if is_terraform(manifest):
        from review_bot.core.terraform.masking import secret_texts

        return secret_texts(manifest)
    found = []
    for field in FIELDS:
        content = manifest.get(field) if is_secret(manifest) else None
        if isinstance(content, Mapping):
            found += [str(value) for value in content.values() if value is not None]
    return tuple(found)


def _masked(value: Any, key: bytes) -> Any:
    if isinstance(value, Mapping):
        return {name: _digest(item, key) for name, item in value.items()}
    return None if value is None else _digest(value, key)


def _digest(value: Any, key: bytes) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return f"(secret {hmac.new(key, text.encode(errors='surrogatepass'), hashlib.sha256).hexdigest()[:8]})"
