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

    `exists` None if nobody could tell; `platforms` None likewise, and empty where the image names none. `tag_at` is
    the digest that the tag beside a digest stands for now, "" if there is no such tag any more, None if all is well.
    `near` are tags that look like the one that is missing, `place_exists` whether there is such a repository at all;
    `notes` is the address of the release notes, "" if none is known. `trouble` says why what was asked is not known, or
    not all of it, and `help` what to do about that. `allowed`: may it be asked about?
    """

    exists: bool | None = True
    platforms: tuple[str, ...] | None = None
    tag_at: str | None = None
    near: tuple[str, ...] = ()
    place_exists: bool = True
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
