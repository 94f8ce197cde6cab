"""One repository of a registry, asked about images: what a tag stands for, what a digest holds."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from review_bot.core.errors import InputError
from review_bot.core.lenient import items, mapping, text
from review_bot.core.versions.images import TAG
from review_bot.core.versions.manifests import Facts, is_index, labels_in, parts, platform_in
from review_bot.core.versions.release_notes import SOURCE
from review_bot.remotes.folders import Kept
from review_bot.remotes.oci import MANIFESTS
from review_bot.remotes.registry import MOST_MANIFEST, Api
from review_bot.remotes.web import Answer, Unreachable

INDEXES = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"
ACCEPT = {"Accept": f"{INDEXES}, {MANIFESTS}"}
# Of a registry that fails so often in a row the rest of the review asks nothing more.
MOST_FAILURES = 3
MOST_TAGS, NEAR = 1000, 3
# Manifests of one image that are read, and indexes in indexes.
MOST_READ, DEEPEST = 12, 2
_DIGEST = re.compile(r"(sha256|sha384|sha512):[0-9a-f]{64,128}\Z")
AGAIN = "try again later"


class Patience:
    """With one registry, in one review: until when it is asked, and if it is worth while. Threads share it."""

    def __init__(self, until: float, late: InputError) -> None:
        """Raises `late` after the moment `until` (of time.monotonic)."""
        self._until, self._late = until, late
        self._lock, self._failures = threading.Lock(), 0
        self._last: InputError | None = None

    def check(self) -> None:
        """Raises InputError where nothing more should be asked."""
        if time.monotonic() >= self._until:
            raise self._late
        if self._last is not None and self._failures >= MOST_FAILURES:
            raise self._last

    def failed(self, error: InputError, *, at_once: bool = False) -> InputError:
        """The error, which is told for everything else too once there were too many (`at_once`: from now on)."""
        with self._lock:
            self._failures, self._last = MOST_FAILURES if at_once else self._failures + 1, error
        return error

    def answered(self) -> None:
        with self._lock:
            if self._failures < MOST_FAILURES:
                self._failures = 0


class ImageRepository:
    """Every question raises InputError where the registry can't tell."""

    def __init__(self, api: Api, place: str, kept: Kept, patience: Patience) -> None:
        """`place` is what people call it; what a digest holds is `kept`."""
        self._api, self._place, self._kept, self._patience = api, place, kept, patience

    def stands_for(self, reference: str) -> str | None:
        """The digest of a tag or digest, None if there is no such thing.

        Asked by HEAD, since registries count each GET as a pull; that there is none is asked twice.
        """
        named = _DIGEST.match(reference) is not None
        got = self._manifest(reference, head=True)
        said = got.headers.get("docker-content-digest", "") if got.status == 200 else ""
        if said == reference if named else _DIGEST.match(said):
            return said
        got = self._manifest(reference)
        if got.status == 404:
            return None
        if got.status != 200:
            raise self._odd(got)
        if named and _digest(got.body, reference) != reference:
            raise self._changed(reference)
        return reference if named else _digest(got.body)

    def facts(self, digest: str) -> Facts:
        """What the digest holds; kept for ever, as the digest says what it is."""
        known = _json(self._kept.get("facts", digest))
        if known is not None:
            return Facts.of_json(known)
        reading = _Reading(self)
        manifest = reading.manifest(digest)
        built = tuple(dict.fromkeys(reading.built_for(manifest)))
        rows = tuple(part.digest for part in parts(manifest)) if is_index(manifest) else ()
        facts = Facts(built, reading.labels(manifest), rows)
        self._kept.put(json.dumps(facts.to_json()).encode(), "facts", digest)
        return facts

    def near(self, tag: str) -> tuple[str, ...] | None:
        """Tags that are written almost so, None if there is no such repository; nothing where that can't be had."""
        try:
            got = self._asked(f"tags/list?n={MOST_TAGS}", {})
        except InputError:
            return ()
        if got.status == 404:
            return None
        listed = items(mapping(_json(got.body)).get("tags"))[:MOST_TAGS]
        known = [word for word in listed if isinstance(word, str) and TAG.match(word)]
        return tuple(difflib.get_close_matches(tag, known, n=NEAR, cutoff=0.7))

    def content(self, path: str, digest: str) -> Mapping[str, Any]:
        """The JSON at a path of the API, which is what its digest says."""
        got = self._asked(f"{path}/{digest}", ACCEPT if path == "manifests" else {})
        if got.status != 200:
            raise self._odd(got)
        if _digest(got.body, digest) != digest:
            raise self._changed(digest)
        return mapping(_json(got.body))

    def _manifest(self, reference: str, *, head: bool = False) -> Answer:
        return self._asked(f"manifests/{reference}", ACCEPT, head=head)

    def _asked(self, path: str, headers: Mapping[str, str], *, head: bool = False) -> Answer:
        """An answer that is neither a refusal nor a failure. What fails counts against the registry."""
        self._patience.check()
        try:
            got = self._api.get(path, headers, MOST_MANIFEST, head=head)
        except Unreachable as error:
            raise self._patience.failed(error) from error
        if got.status == 429:
            words = "it was asked too often (429)"
            raise self._patience.failed(InputError(words, help=f"{AGAIN}, or give credentials"), at_once=True)
        if got.status >= 500:
            raise self._patience.failed(InputError(f"it answered {got.status}", help=AGAIN))
        self._patience.answered()
        if got.status in (401, 403):
            why = "there is no such repository, or the bot may not see it"
            raise InputError(f"{self._place}: refused ({got.status}); {why}", help="docs/remotes.md has credentials")
        return got

    def _odd(self, got: Answer) -> InputError:
        return InputError(f"{self._place}: answered {got.status}", help=AGAIN)

    def _changed(self, digest: str) -> InputError:
        return InputError(f"{self._place}: serves something else as {digest[:19]}", help="distrust this registry")


class _Reading:
    """Reads what one image consists of, within bounds."""

    def __init__(self, repository: ImageRepository) -> None:
        self._repository, self._left = repository, MOST_READ
        self._seen: dict[str, Mapping[str, Any]] = {}

    def manifest(self, digest: str) -> Mapping[str, Any]:
        return self._read("manifests", digest)

    def built_for(self, manifest: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
        """The platforms that an image says it runs on; what an index does not say its manifests do."""
        if not is_index(manifest):
            yield from (found for found in [platform_in(self._config(manifest))] if found)
        elif depth < DEEPEST:
            for part in parts(manifest):
                if part.platform:
                    yield part.platform
                elif part.platform is None:
                    yield from self.built_for(self._read("manifests", part.digest), depth + 1)

    def labels(self, manifest: Mapping[str, Any]) -> Mapping[str, str]:
        """What stands in annotations, and in the configuration (an index has its first image's)."""
        noted = labels_in(mapping(manifest, "annotations"))
        if SOURCE in noted:
            return noted
        try:
            for _ in range(DEEPEST):
                first = next(parts(manifest), None) if is_index(manifest) else None
                manifest = self._read("manifests", first.digest) if first is not None else manifest
            return labels_in(mapping(self._config(manifest), "config", "Labels")) | noted
        except InputError:
            return noted  # the link to the notes is no more than a courtesy

    def _config(self, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._read("blobs", text(mapping(manifest, "config").get("digest")))

    def _read(self, path: str, digest: str) -> Mapping[str, Any]:
        if digest not in self._seen:
            if not _DIGEST.match(digest):
                return {}
            if self._left == 0:
                raise InputError("the image has too many parts to read", help="name the platforms in its index")
            self._left -= 1
            self._seen[digest] = self._repository.content(path, digest)
        return self._seen[digest]


def _json(data: bytes | None) -> Any:
    try:
        return json.loads(data) if data is not None else None
    except (ValueError, RecursionError):
        return None


def _digest(data: bytes, like: str = "sha256:") -> str:
    """The digest, by the algorithm of another one."""
    algorithm = like.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
