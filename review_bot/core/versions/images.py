"""References to container images, by Docker's rules."""

from __future__ import annotations

import re
from dataclasses import dataclass

HUB = "docker.io"
_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\Z")
_REGISTRY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?\Z", re.ASCII)
_TAG = re.compile(r"\w[\w.-]{0,127}\Z", re.ASCII)
_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}\Z")


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
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.match(digest):
        return None
    head, slash, tail = rest.rpartition("/")
    last, colon, tag = tail.partition(":")
    if colon and not _TAG.match(tag):
        return None
    path = f"{head}{slash}{last}"
    registry, slash, repository = path.partition("/")
    if not slash or not ("." in registry or ":" in registry or registry == "localhost"):
        registry, repository = HUB, path if slash else f"library/{path}"
    if not _NAME.match(repository) or not _REGISTRY.match(registry):
        return None
    return Image(registry, repository, tag if colon else None, digest if at else None)
