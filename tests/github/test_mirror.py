"""A mirror brings what a pull request stands on, and says what it could not bring."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from repositories import DEPLOYMENT
from town import REPOSITORY, Town, town

from review_bot.demo.github.git import run
from review_bot.github.mirror import Fetched, FetchError, Mirrors

BUMP = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")}


def told(root: Path, story: Callable[[Town], Awaitable[None]]) -> None:
    async def play() -> None:
        async with town(root) as here:
            await story(here)

    asyncio.run(play())


async def fetched(here: Town, folder: Path, repository: str, number: int, base: str, sha: str) -> Fetched:
    token = here.github.token_of("alice")
    return await Mirrors(folder, here.github.url).fetch(repository, number, base, sha, token)


def test_base_and_head_are_there_by_their_shas(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        found = await Mirrors(tmp_path / "m", here.github.url).fetch(
            REPOSITORY, number, "main", sha, here.github.token_of("alice")
        )
        assert (found.head, found.tip) == (sha, found.repository.resolve("refs/review-bot/base/main"))
        assert found.repository.merge_base(found.tip, found.head) == found.tip

    told(tmp_path / "t", story)


def test_a_head_that_has_no_pull_ref_yet_is_asked_for_by_its_sha(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await run(here.github.repository(REPOSITORY).git.path, "update-ref", "-d", f"refs/pull/{number}/head")
        found = await Mirrors(tmp_path / "m", here.github.url).fetch(
            REPOSITORY, number, "main", sha, here.github.token_of("alice")
        )
        assert found.head == sha

    told(tmp_path / "t", story)


@pytest.mark.parametrize(
    ("repository", "base", "sha", "said"),
    [
        ("org/nothing", "main", "0" * 40, "not found"),
        (REPOSITORY, "nowhere", "0" * 40, "nowhere"),
        (REPOSITORY, "main", "1" * 40, "does not serve the commit 111111111111 yet"),
        (REPOSITORY, "main", "--upload-pack=touch x", "does not serve the commit"),
    ],
)
def test_what_can_not_be_fetched_is_said_in_words(
    tmp_path: Path, repository: str, base: str, sha: str, said: str
) -> None:
    async def story(here: Town) -> None:
        number, _ = await here.open("bump", BUMP)
        with pytest.raises(FetchError, match=said):
            await Mirrors(tmp_path / "m", here.github.url).fetch(
                repository, number, base, sha, here.github.token_of("alice")
            )

    told(tmp_path / "t", story)
