"""Where the release notes of an image are, by what its labels say (OCI's predefined annotation keys)."""

from __future__ import annotations

import re
from collections.abc import Mapping

SOURCE, URL, DOCUMENTATION, VERSION = KEYS = tuple(
    f"org.opencontainers.image.{key}" for key in ("source", "url", "documentation", "version")
)
MOST = 300
# Whoever built the image wrote them: an address that is more than letters of an address is left alone.
_ADDRESS = re.compile(r"https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?(?:/[A-Za-z0-9._~%/-]*)?\Z", re.ASCII)
_OWNED = re.compile(r"[\w.-]+/[\w.-]+\Z", re.ASCII)
# GitLab's projects may lie in groups of groups.
_GROUPED = re.compile(r"[\w.-]+(?:/[\w.-]+)+\Z", re.ASCII)
_RELEASES = {"github.com": (_OWNED, "releases", "releases/tag"), "gitlab.com": (_GROUPED, "-/releases", "-/releases")}
# Only what has git's usual form is taken for a tag of git: a link that leads nowhere is worse than the list.
_TAG = re.compile(r"v\d+(?:\.\d+)+(?:-[0-9A-Za-z.-]+)?\Z", re.ASCII)


def notes_address(labels: Mapping[str, str], tag: str | None) -> str:
    """The address of the release's notes, else of the source or the project; "" where the labels name none."""
    source = _address(labels.get(SOURCE))
    host, _, path = source.removeprefix("https://").partition("/")
    known = _RELEASES.get(host)
    if known is None or not known[0].match(path):
        return source or _address(labels.get(URL)) or _address(labels.get(DOCUMENTATION))
    release = next((word for word in (tag, labels.get(VERSION)) if word and len(word) <= MOST and _TAG.match(word)), "")
    return f"https://{host}/{path}/{known[2]}/{release}" if release else f"https://{host}/{path}/{known[1]}"


def _address(text: str | None) -> str:
    """An address that can be shown, "" for all else."""
    address = (text or "").strip().rstrip("/").removesuffix(".git")
    return address if len(address) <= MOST and _ADDRESS.match(address) and ".." not in address else ""
