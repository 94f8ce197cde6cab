"""Git's names for contents, for files that are in no repository."""

from __future__ import annotations

import hashlib


def blob_of(data: bytes) -> str:
    """The name that git gives a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
