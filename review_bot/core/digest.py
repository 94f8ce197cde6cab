"""The digest of an effect: what an approval is bound to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from review_bot.core.diff import without_noise
from review_bot.core.model import Finding, Resource, ResourceChange


def effect_digest(changes: Iterable[ResourceChange], render_errors: Iterable[Finding] = ()) -> str:
    """`sha256:…` over what happens to which object of which target, in no particular order.

    Both sides count: the same result from another start is another effect. Values of Secrets count through the hash.
    """
    rows = sorted(
        [_hash(["change", c.target, str(c.action), _side(c.base), _side(c.head)]) for c in changes]
        + [_hash(["error", f.target, f.message]) for f in render_errors]
    )
    return f"sha256:{hashlib.sha256(chr(10).join(rows).encode()).hexdigest()}"


def _side(resource: Resource | None) -> object:
    return None if resource is None else without_noise(resource.manifest)


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
