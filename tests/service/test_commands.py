"""Commands in comments: each is answered once, by a reaction, and by a sentence where it was refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from town import DEPLOYMENT, FILES, REPOSITORY, Town, played, until

from review_bot.demo.github.faults import Fault
from review_bot.demo.people import Person

BUMP = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")}
LATER = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.6.0")}
OVERRIDE = {**FILES, ".review-bot.yaml": "version: 1\napprovals: {override: {users: [dave, alice]}}\n"}


async def reactions(here: Town, comment: int) -> list[str]:
    """What the bot put on a comment."""
    rows = await here.alice.ask("GET", f"/repos/{REPOSITORY}/issues/comments/{comment}/reactions")
    return [str(r["content"]) for r in rows]


async def reacted(here: Town, comment: dict[str, Any]) -> list[str]:
    async def found() -> list[str] | None:
        return await reactions(here, comment["id"]) or None

    return await until(found, f"a reaction on {comment['body']!r}")


async def replies(here: Town, number: int) -> list[str]:
    return [body for body in await here.sticky(number) if "review-bot:answer" in body]


async def said(here: Town, person: Person, number: int, body: str) -> list[str]:
    """Write a comment; the bot's reactions to it."""
    return await reacted(here, await person.comment(REPOSITORY, number, body))


def test_what_is_done_gets_a_thumb_and_what_is_not_a_reason(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        assert await said(here, here.alice, number, "/approve") == ["confused"]
        assert await said(here, here.mallory, number, "/hold") == ["confused"]
        assert await said(here, here.dave, number, "/hold until monday") == ["+1"]
        assert await said(here, here.carol, number, "fine\n\n/lgtm") == ["+1"]
        assert await said(here, here.dave, number, "/unhold") == ["+1"]
        assert await said(here, here.alice, number, "/rollback") == ["confused"]
        await here.completed(sha, conclusion="success")
        told = await replies(here, number)
        assert len(told) == 3
        assert "`/approve` of `alice` was not done: " in told[0] and f"wrote commit {sha[:7]}" in told[0]
        assert "has no write permission" in told[1]
        assert "not merged yet" in told[2]
        # Nobody is called by being refused.
        assert not any("@alice" in body or "@mallory" in body for body in told)

    played(tmp_path, story)


def test_what_is_no_command_is_left_alone(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        words = [
            "/deploy now",
            "please /approve",
            "> /approve",
            "```\n/approve\n```",
            "<!-- /approve -->",
            "/etc/hosts",
        ]
        quiet = [await here.dave.comment(REPOSITORY, number, body) for body in words]
        await said(here, here.dave, number, "/approve")
        assert [await reactions(here, c["id"]) for c in quiet] == [[] for _ in words]
        assert await replies(here, number) == []

    played(tmp_path, story)


def test_an_answer_is_given_once_whatever_gets_lost(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        await here.sticky(number)
        await until(lambda: _commented(here, number), "the comment")
        here.github.fault(Fault(method="POST", path=rf".*/issues/{number}/comments", after=True, skip=1))
        here.github.fault(Fault(method="POST", path=r".*/reactions", after=True))
        assert await said(here, here.mallory, number, "/approve\n/merge") == ["confused"]
        assert await said(here, here.dave, number, "/review") == ["eyes"]
        assert await said(here, here.dave, number, "/hold") == ["+1"]
        (told,) = await replies(here, number)
        assert "`/approve`" in told and "`/merge`" in told

    played(tmp_path, story)


async def _commented(here: Town, number: int) -> list[str] | None:
    return await here.sticky(number) or None


def test_explain_tells_everything_and_calls_nobody(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        assert await said(here, here.mallory, number, "/explain") == ["+1"]
        (told,) = await replies(here, number)
        assert "0 of 1" in told and "carol" in told and "@carol" not in told and sha[:7] in told

    played(tmp_path, story)


def test_review_looks_again_from_the_start(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        await until(lambda: _commented(here, number), "the comment")
        # What only a new review can mend.
        with closing(sqlite3.connect(here.root / "state" / "bot.sqlite", isolation_level=None)) as database:
            database.execute("UPDATE reviews SET document = json_set(document, '$.comment', 'spoilt')")
        assert await said(here, here.mallory, number, "/review") == ["confused"]
        assert "spoilt" in (await here.sticky(number))[0]
        assert await said(here, here.alice, number, "/review") == ["eyes"]

        async def mended() -> bool | None:
            return "1.5.0" in (await here.sticky(number))[0] or None

        await until(mended, "a fresh review")

    played(tmp_path, story)


def test_the_glass_is_broken_by_whom_it_is_meant_for_loudly_and_for_one_head(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        assert await said(here, here.dave, number, "/override") == ["confused"]
        assert await said(here, here.carol, number, "/override outage") == ["confused"]
        assert await said(here, here.alice, number, "/override outage") == ["confused"]
        assert (await here.completed(sha))["conclusion"] == "action_required"
        assert await said(here, here.dave, number, "/override shop is down, <b>@erin</b> knows") == ["+1"]
        gate = await here.completed(sha, conclusion="success")
        assert "@dave broke the glass" in gate["output"]["title"]
        told = await replies(here, number)
        assert "🚨" in told[-1] and "@erin" not in told[-1] and "<b>" not in told[-1]
        assert any("🚨" in body for body in await here.sticky(number) if "review-bot:sticky" in body)
        assert "review_bot_overrides_total 1.0" in await here.metrics()
        assert 'review_bot_commands_total{answer="refused",command="override"} 3.0' in await here.metrics()
        later = await here.push("bump", LATER)
        await here.completed(later, conclusion="action_required")

    played(tmp_path, story, OVERRIDE)
