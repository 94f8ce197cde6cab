"""References to container images, by Docker's rules."""

from __future__ import annotations

import re
from dataclasses import dataclass

HUB = "docker.io"
# Docker's names for its registry in references; `registry-1.docker.io`, where its API is, is none of them.
_LEGACY_HUB = "index.docker.io"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_DIGESTS = r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}"
_TAG = r"\w[\w.-]{0,127}"
TAG = re.compile(rf"{_TAG}\Z", re.ASCII)
_REST = re.compile(rf"(?P<name>{_PART}(?:/{_PART})*)(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGESTS}))?\Z", re.ASCII)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[A-Fa-f0-9:]+\])(?::[0-9]+)?\Z")
# A digest alone is the identifier of an image on one machine.
_IDENTIFIER = re.compile(r"[a-f0-9]{64}\Z")
MOST_NAME = 255


@dataclass(frozen=True, slots=True)
class Image:
    """`tag` and `digest` None where the reference names none; docker.io and library/ are filled in."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def name(self) -> str:
        """What people call it: the last part of the repository."""
        return self.repository.rpartition("/")[2]

    @property
    def place(self) -> str:
        """Registry and repository."""
        return f"{self.registry}/{self.repository}"

    @property
    def version(self) -> str:
        """Tag and digest as a person would name them."""
        short = f"@{self.digest[:19]}" if self.digest else ""
        return f"{self.tag or ''}{short}" or "(no tag)"


def parse(text: str) -> Image | None:
    """The image that a reference names, None for a text that is no reference."""
    registry, rest = _split(text)
    found = _REST.match(rest)
    if found is None or not _REGISTRY.match(registry) or len(found["name"]) > MOST_NAME or _IDENTIFIER.match(text):
        return None
    return Image(registry, found["name"], found["tag"], found["digest"])


def _split(text: str) -> tuple[str, str]:
    """Registry and the rest. Only what can't be the beginning of a name on Docker's hub is taken for a registry."""
    first, slash, rest = text.partition("/")
    if first == _LEGACY_HUB and slash:
        first = HUB
    if not slash or not ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        first, rest = HUB, text
    return first, f"library/{rest}" if first == HUB and "/" not in rest else rest
