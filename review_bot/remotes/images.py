"""Asks registries whether images are there, for which platforms, and where their release notes are."""

from __future__ import annotations

import difflib
import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from review_bot.cluster.crowd import each
from review_bot.core.errors import InputError
from review_bot.core.lenient import items, mapping, rows, text
from review_bot.core.remote_hosts import RemoteHosts
from review_bot.core.versions.images import HUB, Image
from review_bot.core.versions.registries import Answer, ImageSettings
from review_bot.core.versions.release_notes import notes_address
from review_bot.remotes.folders import Kept
from review_bot.remotes.oci import DIGEST, MANIFESTS
from review_bot.remotes.registry import MOST_MANIFEST, Api
from review_bot.remotes.web import Web

# For all registries of a review together.
SECONDS = 20
THREADS = 8
INDEXES = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"
ACCEPT = {"Accept": f"{INDEXES}, {MANIFESTS}"}
# Docker's name for its registry is not where the registry's API is.
HOSTS = {HUB: "registry-1.docker.io"}
SLOW = f"did not answer within {SECONDS} s"
MOST_TAGS, NEAR = 1000, 3

Facts = Mapping[str, Any]


class AskedRegistries:
    """Asks the operator's hosts only. What a digest holds is kept, what a tag stands for is asked each time."""

    def __init__(self, settings: ImageSettings, hosts: RemoteHosts, folder: Path) -> None:
        self.settings = settings
        self._web = Web(hosts)
        self._kept = Kept(folder / "images")

    def ask(self, images: Sequence[Image]) -> Mapping[Image, Answer]:
        """An answer for each image, within `SECONDS` whatever the registries do."""
        places: dict[str, list[Image]] = defaultdict(list)
        for image in dict.fromkeys(images):
            places[image.place].append(image)
        groups = list(places.values())
        found = each(self._of_one_place, groups, threads=THREADS, deadline=time.monotonic() + SECONDS)
        late = Answer(trouble=SLOW, help="press Re-run later")
        return {
            image: answers[image] if answers else late
            for group, answers in zip(groups, found, strict=True)
            for image in group
        }

    def _of_one_place(self, images: Sequence[Image]) -> Mapping[Image, Answer]:
        try:
            row = self._web.named(f"https://{images[0].place}")
        except InputError as error:
            return dict.fromkeys(images, Answer(allowed=False, trouble=error.message, help=error.help))
        host = HOSTS.get(images[0].registry, images[0].registry)
        repository = _Repository(Api(host, images[0].repository, row, self._web), images[0].place, self._kept)
        answers = {}
        for image in images:
            try:
                answers[image] = repository.answer(image)
            except InputError as error:
                answers[image] = Answer(trouble=error.message, help=error.help)
        return answers


class _Repository:
    """One repository of a registry. Raises InputError where it can't tell."""

    def __init__(self, api: Api, place: str, kept: Kept) -> None:
        self._api, self._place, self._kept = api, place, kept

    def answer(self, image: Image) -> Answer:
        reference = image.digest or image.tag or "latest"
        body = self._manifest(reference)
        if body is None:
            near = () if image.digest else tuple(self._near(reference))
            return Answer(exists=False, near=near)
        facts = self._facts(_digest(body), body)
        tag_at = None
        if image.digest and image.tag:
            tagged = self._manifest(image.tag)
            tag_at = _digest(tagged) if tagged is not None else None
        platforms = facts.get("platforms")
        return Answer(
            platforms=tuple(platforms) if isinstance(platforms, list) else None,
            tag_at=tag_at,
            notes=notes_address(mapping(facts, "labels"), image.tag),
        )

    def _manifest(self, reference: str) -> bytes | None:
        """An image's manifest or index, None if there is none; what is asked for by digest is that."""
        got = self._api.get(f"manifests/{reference}", ACCEPT, MOST_MANIFEST)
        if got.status == 404:
            return None
        if got.status in (401, 403):
            why = "it is not there, or the bot may not see it"
            raise InputError(f"{self._place}: refused ({got.status}); {why}", help="docs/remotes.md has credentials")
        if got.status == 429:
            raise InputError(f"{self._place}: asked too often (429)", help="press Re-run later, or give credentials")
        if got.status != 200:
            raise InputError(f"{self._place}: answered {got.status}", help="press Re-run later")
        if DIGEST.match(reference) and _digest(got.body) != reference:
            raise InputError(f"{self._place}: serves something else as {reference[:19]}", help="distrust it")
        return got.body

    def _near(self, tag: str) -> list[str]:
        """Tags that are written almost so; none where the registry does not list them."""
        try:
            got = self._api.get(f"tags/list?n={MOST_TAGS}", {}, MOST_MANIFEST)
            known = [t for t in items(mapping(json.loads(got.body)).get("tags")) if isinstance(t, str)]
        except (InputError, ValueError, RecursionError):
            return []
        return difflib.get_close_matches(tag, known, n=NEAR, cutoff=0.7)

    def _facts(self, digest: str, body: bytes) -> Facts:
        """Platforms and labels of what the digest names; kept if all of it could be read."""
        known = self._kept.get(digest)
        if known is not None:
            return mapping(_json(known))
        manifest = mapping(_json(body))
        whole = True
        if "manifests" in manifest:
            platforms: list[str] | None = list(_platforms(manifest))
            labels = _texts(manifest.get("annotations"))
            if not labels:
                config = self._config_of_first(manifest)
                labels, whole = _texts(_labels(config)), config is not None
        else:
            config = self._config(manifest)
            whole = config is not None
            platforms = [_platform(config)] if config and config.get("os") else None
            labels = _texts(manifest.get("annotations")) | _texts(_labels(config))
        facts = {"platforms": platforms, "labels": labels}
        if whole:
            self._kept.put(json.dumps(facts).encode(), digest)
        return facts

    def _config_of_first(self, index: Mapping[str, Any]) -> Mapping[str, Any] | None:
        digest = next((text(row.get("digest")) for row in _images(index)), "")
        body = self._manifest(digest) if DIGEST.match(digest) else None
        return self._config(mapping(_json(body))) if body is not None else None

    def _config(self, manifest: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """An image's configuration; None where it can't be had, such as from a host that is not allowed."""
        digest = text(mapping(manifest, "config").get("digest"))
        if not DIGEST.match(digest):
            return None
        try:
            got = self._api.get(f"blobs/{digest}", {}, MOST_MANIFEST)
        except InputError:
            return None
        return mapping(_json(got.body)) if got.status == 200 and _digest(got.body) == digest else None


def _labels(config: Mapping[str, Any] | None) -> Any:
    """The labels of an image's configuration."""
    return mapping(config, "config").get("Labels")


def _images(index: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Those of an index that run somewhere; attestations and the like name no platform."""
    for row in rows(index, "manifests"):
        if _platform(mapping(row, "platform")) not in ("", "unknown/unknown"):
            yield row


def _platforms(index: Mapping[str, Any]) -> Iterator[str]:
    yield from dict.fromkeys(_platform(mapping(row, "platform")) for row in _images(index))


def _platform(about: Mapping[str, Any]) -> str:
    """`os/architecture[/variant]`, as `docker build --platform` has it."""
    words = [text(about.get(key)) for key in ("os", "architecture", "variant")]
    return "/".join(word for word in words if word)


def _texts(value: Any) -> dict[str, str]:
    return {key: word for key, word in mapping(value).items() if isinstance(word, str)}


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
