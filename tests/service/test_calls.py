"""What an event costs of GitHub's limit. The figures stand in docs/benchmarks.md; here is what they may grow to."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path

from town import DEPLOYMENT, REPOSITORY, Town, played

BUMP = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")}


async def cost(here: Town, event: Awaitable[object]) -> int:
    """The bot's calls that count, until it is at rest again."""
    await here.settled()
    seen = len(here.github.world.requests)
    await event
    await here.settled()
    own = [r for r in here.github.world.requests[seen:] if r.actor in ("app", "installation") and r.route]
    return sum(r.status != 304 for r in own)


def test_an_approval_costs_five_calls_at_most_and_words_that_change_nothing_three(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        assert await cost(here, here.alice.comment(REPOSITORY, number, "please have a look")) <= 3
        assert await cost(here, here.carol.review(REPOSITORY, number)) <= 5
        await here.completed(sha, conclusion="success")

    played(tmp_path, story)
