"""Where the release notes of an image are, by what its labels say (OCI's predefined annotation keys)."""

from __future__ import annotations

import re
from collections.abc import Mapping

PREFIX = "org.opencontainers.image."
MOST = 300
# Whoever built the image wrote them: an address that is more than letters of an address is left alone.
_ADDRESS = re.compile(r"https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?(?:/[A-Za-z0-9._~%/-]*)?\Z", re.ASCII)
_RELEASES = {"github.com": "releases", "gitlab.com": "-/releases"}


def notes_address(labels: Mapping[str, str], tag: str | None) -> str:
    """The address of the release's notes, else of the source or the project; "" where the labels name none."""
    source = _address(labels.get(f"{PREFIX}source"))
    host, _, path = source.removeprefix("https://").partition("/")
    owner, _, name = path.partition("/")
    if host in _RELEASES and owner and name and "/" not in name:
        releases = f"https://{host}/{owner}/{name}/{_RELEASES[host]}"
        # Only a tag that has git's usual form is taken for one: a link that leads nowhere is worse than the list.
        if tag and re.fullmatch(r"v\d+(?:\.\d+)+(?:-[0-9A-Za-z.-]+)?", tag, re.ASCII):
            return f"{releases}/tag/{tag}" if host == "github.com" else f"{releases}/{tag}"
        return releases
    return source or _address(labels.get(f"{PREFIX}url")) or _address(labels.get(f"{PREFIX}documentation"))


def _address(text: str | None) -> str:
    """An address that can be shown, "" for all else."""
    address = (text or "").strip().rstrip("/").removesuffix(".git")
    return address if len(address) <= MOST and _ADDRESS.match(address) and ".." not in address else ""
