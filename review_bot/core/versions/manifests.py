"""What manifests and configurations of a registry say (OCI image specification). Their words are strangers' words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from review_bot.core.lenient import items, mapping, rows, text
from review_bot.core.versions.platforms import MOST, platform
from review_bot.core.versions.release_notes import KEYS

MOST_LABEL = 300
# How an index says that a part of it, such as an attestation, runs nowhere.
NOWHERE = ("unknown", "unknown")


@dataclass(frozen=True)
class Facts:
    """What a digest holds. `platforms` is empty where it names none; `parts` are the digests of an index."""

    platforms: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"platforms": list(self.platforms), "labels": dict(self.labels), "parts": list(self.parts)}

    @staticmethod
    def of_json(data: Any) -> Facts:
        found = mapping(data)
        return Facts(_texts(found.get("platforms")), labels_in(mapping(found, "labels")), _texts(found.get("parts")))


@dataclass(frozen=True)
class Part:
    """A manifest in an index; `platform` None where the index does not say."""

    digest: str
    platform: str | None


def is_index(manifest: Mapping[str, Any]) -> bool:
    return "manifests" in manifest


def parts(index: Mapping[str, Any]) -> Iterator[Part]:
    """The manifests of an index that may run somewhere."""
    for row in rows(index, "manifests")[:MOST]:
        about = mapping(row, "platform")
        named = tuple(text(about.get(key)).lower() for key in ("os", "architecture"))
        if named != NOWHERE:
            yield Part(text(row.get("digest")), platform_in(about) if any(named) else None)


def platform_in(about: Mapping[str, Any]) -> str:
    """The platform of a configuration or of a row of an index, "" for none."""
    return platform(*(text(about.get(key)) for key in ("os", "architecture", "variant")))


def labels_in(words: Mapping[str, Any]) -> dict[str, str]:
    """The labels or annotations that are looked at, if they have an ordinary size."""
    return {key: w for key in KEYS if isinstance(w := words.get(key), str) and len(w) <= MOST_LABEL}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(word for word in items(value) if isinstance(word, str))
