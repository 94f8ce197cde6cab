"""What registries are asked about images, and what they say. Plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from review_bot.core.model import Severity
from review_bot.core.versions.images import Image


@dataclass(frozen=True)
class ImageSettings:
    """`platforms` (such as linux/amd64) must each be there; `unreachable` is how heavy it weighs if nobody answers."""

    platforms: tuple[str, ...] = ()
    unreachable: Severity = Severity.WARNING


@dataclass(frozen=True)
class Answer:
    """What is known of one image.

    `platforms` None where they are not known; `tag_at` is the digest that the tag stands for now, where the reference
    names both; `near` are tags that look like the one that is missing; `notes` is the address of the release notes, ""
    if none is known. `trouble` says why the registry can't tell, "" if it could; `help` what to do about that.
    """

    exists: bool = True
    platforms: tuple[str, ...] | None = None
    tag_at: str | None = None
    near: tuple[str, ...] = ()
    notes: str = ""
    allowed: bool = True
    trouble: str = ""
    help: str = ""


class Registries(Protocol):
    """Asks registries, within the operator's settings."""

    settings: ImageSettings

    def ask(self, images: Sequence[Image]) -> Mapping[Image, Answer]:
        """An answer for each image; blocks, for a bounded time."""
        ...
