"""Asks registries whether images are there, for which platforms, and where their release notes are."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from review_bot.cluster.crowd import each
from review_bot.core.errors import InputError
from review_bot.core.remote_hosts import RemoteHost, RemoteHosts
from review_bot.core.versions.images import HUB, Image
from review_bot.core.versions.registries import Answer, ImageSettings
from review_bot.core.versions.release_notes import notes_address
from review_bot.remotes.folders import Kept
from review_bot.remotes.image_repository import AGAIN, ImageRepository, Patience
from review_bot.remotes.registry import Api
from review_bot.remotes.web import Web

# For all registries of a review together.
SECONDS = 20
THREADS = 8
# Docker's name for its registry is not where the registry's API is.
HOSTS = {HUB: "registry-1.docker.io"}


class AskedRegistries:
    """Asks the operator's hosts only. What a digest holds is kept, what a tag stands for is asked each time."""

    def __init__(self, settings: ImageSettings, hosts: RemoteHosts, folder: Path) -> None:
        self.settings = settings
        self._web = Web(hosts)
        self._kept = Kept(folder / "images")

    def ask(self, images: Sequence[Image]) -> Mapping[Image, Answer]:
        """An answer for each image, within `SECONDS` whatever the registries do."""
        until = time.monotonic() + SECONDS
        late = InputError(f"it did not answer within {SECONDS} s", help=AGAIN)
        patience = {image.registry: Patience(until, late) for image in images}
        places: dict[str, list[Image]] = defaultdict(list)
        for image in dict.fromkeys(images):
            places[image.place].append(image)
        answers: dict[Image, Answer] = {}

        def ask_one_place(those: Sequence[Image]) -> None:
            repository = self._repository(those[0], patience[those[0].registry])
            for image in those:
                answers[image] = _answer(repository, image, self.settings) if repository else Answer(allowed=False)

        each(ask_one_place, list(places.values()), threads=THREADS, deadline=until)
        return {image: answers.get(image) or _silent(late) for image in dict.fromkeys(images)}

    def _repository(self, image: Image, patience: Patience) -> ImageRepository | None:
        """None where the operator lets nobody ask."""
        host = HOSTS.get(image.registry, image.registry)
        row = self._row(image.registry, image.repository) or self._row(host, image.repository)
        if row is None:
            return None
        return ImageRepository(Api(host, image.repository, row, self._web), image.place, self._kept, patience)

    def _row(self, host: str, repository: str) -> RemoteHost | None:
        return self._web.hosts.find(f"https://{host}/{repository}")


def _answer(repository: ImageRepository, image: Image, settings: ImageSettings) -> Answer:
    try:
        digest = repository.stands_for(image.digest or image.tag or "latest")
        if digest is None:
            near = repository.near(image.tag or "latest")
            return Answer(exists=False, near=() if image.digest else near or (), place_exists=near is not None)
    except InputError as error:
        return _silent(error)
    answer = Answer()
    try:
        facts = repository.facts(digest)
        answer = Answer(platforms=facts.platforms, notes=notes_address(facts.labels, image.tag))
    except InputError as error:
        # Without platforms that must be there, all that is missing is a link.
        answer = Answer(trouble=error.message, help=error.help) if settings.platforms else answer
    try:
        return replace(answer, tag_at=_tag_at(repository, image)) if image.digest and image.tag else answer
    except InputError as error:
        return replace(answer, trouble=error.message, help=error.help)


def _tag_at(repository: ImageRepository, image: Image) -> str | None:
    """Where the tag beside a digest has gone; None if it still means the digest, or an index that holds it."""
    now = repository.stands_for(image.tag or "")
    if now is None:
        return ""
    return None if now == image.digest or image.digest in repository.facts(now).parts else now


def _silent(error: InputError) -> Answer:
    return Answer(exists=None, trouble=error.message, help=error.help)
