"""Where container images stand in an object, in the shapes that manifests and Helm's values give them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.core.lenient import at as get
from review_bot.core.lenient import text
from review_bot.core.model import FieldPath
from review_bot.core.versions import images
from review_bot.core.versions.images import Image

DEEPEST = 40
# Where operators are told which images they start (Operator Lifecycle Manager's convention).
_RELATED = "RELATED_IMAGE_"


@dataclass(frozen=True, slots=True)
class Reference:
    """An image, and its place in the object: `key` is the same before and after, `at` is where it stands now.

    `whole`: it was written as one text, as it will be pulled, and not put together from a chart's values.
    """

    key: str
    image: Image
    at: FieldPath
    whole: bool


def references(value: Any, path: str = "", at: FieldPath = ()) -> Iterator[Reference]:
    """Every image that is named below the value."""
    if len(at) > DEEPEST:
        return
    if isinstance(value, Mapping):
        yield from (Reference(f"{path}{key}", image, (*at, *inner), whole) for key, image, inner, whole in _here(value))
        for key, inner in value.items():
            if not (key == "image" and _image(inner) is not None):
                yield from references(inner, f"{path}.{key}", (*at, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            # By name where there is one, so that a container that moves in the list is the same one.
            name = inner.get("name") if isinstance(inner, Mapping) else None
            yield from references(inner, f"{path}[{name if isinstance(name, str) else index}]", (*at, index))


def _here(value: Mapping[str, Any]) -> Iterator[tuple[str, Image, FieldPath, bool]]:
    """The images that this mapping itself names: key, image, field, and whether it is one text."""
    image = value.get("image")
    own = _image(image)
    field: FieldPath = ("image",) if own is not None else ()
    if own is None and "tag" in value and "name" not in value:
        own = _image(value)  # Helm's pair under another key than `image`
    if own is not None:
        yield "", own, field, isinstance(image, str)
    written: dict[FieldPath, Any] = {("image", "reference"): get(image, "reference")}  # a volume of the type image
    if text(value.get("name")).startswith(_RELATED):
        written[("value",)] = value.get("value")
    for place, one in written.items():
        if (found := images.parse(text(one))) is not None:
            yield f".{place[-1]}", found, place, True


def _image(value: Any) -> Image | None:
    """A reference, or Helm's `{repository, tag}`; without tag and digest that pair leaves the choice to the chart."""
    if isinstance(value, str):
        return images.parse(value)
    repository = text(get(value, "repository")) or text(get(value, "name"))
    if not repository:
        return None
    registry, tag, digest = value.get("registry"), value.get("tag"), value.get("digest")
    tag = str(tag) if isinstance(tag, str | int | float) and not isinstance(tag, bool) else ""
    if not tag and not text(digest):
        return None
    place = f"{registry}/{repository}" if text(registry) else repository
    return images.parse(f"{place}{f':{tag}' if tag else ''}{f'@{digest}' if text(digest) else ''}")
