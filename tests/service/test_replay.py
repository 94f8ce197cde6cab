"""`review-bot replay` against GitHub's stand-in: what did not arrive is sent again."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

from repositories import run
from town import REPOSITORY, Town, played

from review_bot.demo.github.faults import Fault

FILES = {"README.md": "hello\n"}


async def replay(here: Town, *words: str) -> tuple[int, str]:
    """Exit status, and all that was said."""
    env = {
        "GITHUB_APP_ID": str(here.github.app.id),
        "GITHUB_PRIVATE_KEY": here.github.app.private_key,
        "GITHUB_API_URL": here.github.api_url,
    }
    done = await asyncio.to_thread(run, "replay", *words, env=os.environ | env)
    return done.returncode, done.stdout + done.stderr


def test_a_lost_event_is_sent_again_and_the_review_follows(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        here.github.hub.webhooks.mishaps.lose = True
        _, sha = await here.open("change", FILES)
        here.github.hub.webhooks.mishaps.lose = False
        status, said = await replay(here, "--list")
        assert (status, "pull_request.opened" in said, "no answer" in said) == (1, True, True)
        status, said = await replay(here)
        assert status == 0, said
        assert "GitHub sends" in said
        await here.completed(sha)
        await here.github.deliver_all()
        status, said = await replay(here)
        assert (status, said.startswith("all of ")) == (0, True)

    played(tmp_path, story)


def test_what_arrived_in_a_later_attempt_is_not_missed(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        here.github.hub.webhooks.mishaps.lose = True
        await here.open("change", FILES)
        here.github.hub.webhooks.mishaps.lose = False
        assert (await replay(here))[0] == 0
        await here.github.deliver_all()
        status, said = await replay(here, "-o", "json")
        assert (status, json.loads(said)["missed"]) == (0, [])

    played(tmp_path, story)


def test_what_github_does_not_send_again_is_said(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        here.github.hub.webhooks.mishaps.lose = True
        await here.open("change", FILES)
        here.github.hub.webhooks.mishaps.lose = False
        here.github.fault(Fault(method="POST", path=r"/app/hook/deliveries/\d+/attempts", status=422, times=50))
        status, said = await replay(here)
        assert status == 1
        assert "is not sent again" in said

    played(tmp_path, story)


def test_more_than_a_page_is_looked_at(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        here.github.hub.webhooks.mishaps.lose = True
        number, _ = await here.open("change", FILES)
        for index in range(110):
            await here.dave.comment(REPOSITORY, number, f"remark {index}")
        here.github.hub.webhooks.mishaps.lose = False
        status, said = await replay(here, "--list", "-o", "json")
        found = json.loads(said)["missed"]
        assert (status, sum(row["event"] == "issue_comment.created" for row in found)) == (1, 110)

    played(tmp_path, story)


def test_hours_that_github_does_not_keep_are_wrong_usage(tmp_path: Path) -> None:
    done = run("replay", "--hours", "100")
    assert done.returncode == 2
    assert "72" in done.stderr
