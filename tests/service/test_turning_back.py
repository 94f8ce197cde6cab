"""A green gate turns back when what it rests on is gone: the base that was meant, or the people who may agree."""

from __future__ import annotations

import asyncio
from pathlib import Path

from town import DEPLOYMENT, FILES, REPOSITORY, Town, played, town

BUMP = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")}
TEAM = "version: 1\napprovals:\n  rules:\n    - {name: security, require: {teams: [org/security]}}\n"
WITH_TEAM = {**FILES, ".review-bot.yaml": TEAM}


async def approved_by_the_team(here: Town) -> str:
    """A pull request that dave approved as a member of the team; its head."""
    here.github.change_team("org/security", add=["dave"])
    number, sha = await here.open("bump", BUMP)
    await here.completed(sha)
    await here.dave.review(REPOSITORY, number)
    await here.completed(sha, conclusion="success")
    return sha


def test_a_pull_request_that_is_retargeted_is_judged_by_its_new_base(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        lax = {".review-bot.yaml": None, "OWNERS": "approvers: [carol]\n"}
        await here.push("lax", lax, start="origin/main")
        number, sha = await here.open("bump", BUMP, base="lax")
        await here.completed(sha)
        await here.carol.review(REPOSITORY, number)
        await here.completed(sha, conclusion="success")
        await here.alice.ask("PATCH", f"/repos/{REPOSITORY}/pulls/{number}", {"base": "main"})
        gate = await here.completed(sha, conclusion="action_required")
        assert "security" in gate["output"]["title"]

    played(tmp_path, story, WITH_TEAM)


def test_who_leaves_the_team_takes_their_approval_along(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        sha = await approved_by_the_team(here)
        here.github.change_team("org/security", remove=["dave"])
        await here.completed(sha, conclusion="action_required")
        here.github.change_team("org/security", add=["dave"])
        await here.completed(sha, conclusion="success")

    played(tmp_path, story, WITH_TEAM)


def test_who_left_while_the_bot_was_away_is_found_by_the_sweep(tmp_path: Path) -> None:
    async def play() -> None:
        async with town(tmp_path, WITH_TEAM) as here:
            async with here.bot():
                sha = await approved_by_the_team(here)
            here.github.mishaps.lose = True
            here.github.change_team("org/security", remove=["dave"])
            here.github.mishaps.lose = False
            async with here.bot():
                await here.completed(sha, conclusion="action_required")

    asyncio.run(play())
