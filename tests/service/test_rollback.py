"""`/rollback` on a merged pull request: one reverting pull request, through the same gate."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest
from test_bad_days import serve
from town import BOT, DEPLOYMENT, FILES, REPOSITORY, Town, played, town, until

from review_bot.demo.github.faults import Fault
from review_bot.demo.github.git import run

BUMP = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")}
AGAIN = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.6.0")}


async def merged(here: Town, files: dict[str, str] = BUMP, branch: str = "bump") -> int:
    """A pull request that went through the gate and was merged."""
    number, sha = await here.open(branch, files)
    await here.completed(sha)
    await here.carol.review(REPOSITORY, number)
    await here.completed(sha, conclusion="success")
    assert await here.alice.merge(REPOSITORY, number) == ""
    await here.alice.fetch(here.work)
    return number


async def reverts(here: Town) -> list[dict[str, Any]]:
    rows = await here.alice.ask("GET", f"/repos/{REPOSITORY}/pulls?state=all")
    return [r for r in rows if r["user"]["login"] == BOT]


async def answer(here: Town, number: int, text: str) -> str:
    """Wait for the bot's one answer to a rollback to say this."""

    async def found() -> str | None:
        own = [c for c in await here.sticky(number) if "review-bot:rollback" in c]
        return own[0] if len(own) == 1 and text in own[0] else None

    return await until(found, f"an answer that says {text!r}")


def test_it_opens_a_reverting_pull_request_that_goes_through_the_gate(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number = await merged(here)
        await here.carol.comment(REPOSITORY, number, "this breaks checkout\n\n/rollback")
        said = await answer(here, number, "reverts this, asked for by `carol`")
        (made,) = await reverts(here)
        assert f"[#{made['number']}]({made['html_url']})" in said
        assert made["title"] == 'Revert "Change bump"'
        assert f"Reverts #{number}" in made["body"]
        sha = made["head"]["sha"]
        waiting = await here.completed(sha)
        assert waiting["conclusion"] == "action_required"
        # Who asked for it wrote it, so to speak.
        await here.carol.review(REPOSITORY, made["number"])
        assert "@dave" in (await here.completed(sha))["output"]["title"]
        await here.dave.review(REPOSITORY, made["number"])
        await here.completed(sha, conclusion="success")
        assert await here.alice.merge(REPOSITORY, made["number"]) == ""
        await here.alice.fetch(here.work)
        text = await run(here.work, "show", "origin/main:app/deploy.yaml")
        assert text.decode() == DEPLOYMENT

    played(tmp_path, story)


def test_a_second_request_and_lost_answers_leave_one_pull_request(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number = await merged(here)
        for path in (r".*/pulls", r".*/config\.git/git-receive-pack"):
            here.github.fault(Fault(method="POST", path=path, after=True))
        here.github.fault(Fault(method="POST", path=rf".*/issues/{number}/comments", after=True, skip=1))
        await here.carol.comment(REPOSITORY, number, "/rollback")
        await answer(here, number, "asked for by `carol`")
        await here.dave.comment(REPOSITORY, number, "/rollback")
        await answer(here, number, "asked for by `dave`")
        assert len(await reverts(here)) == 1

    played(tmp_path, story)


def test_only_a_command_of_someone_who_may_write_counts(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        await here.dave.comment(REPOSITORY, number, "if this fails I'll say\n/rollback")
        await here.carol.review(REPOSITORY, number)
        await here.completed(sha, conclusion="success")
        await asyncio.sleep(1.1)  # GitHub's times are whole seconds
        assert await here.alice.merge(REPOSITORY, number) == ""
        await here.mallory.comment(REPOSITORY, number, "/rollback")
        await here.dave.comment(REPOSITORY, number, "> /rollback\n")
        await here.dave.comment(REPOSITORY, number, "please /rollback")
        edited = await here.dave.comment(REPOSITORY, number, "fine")
        await asyncio.sleep(1.1)
        path = f"/repos/{REPOSITORY}/issues/comments/{edited['id']}"
        await here.dave.ask("PATCH", path, {"body": "/rollback"})
        await here.github.deliver_all()
        # What comes later is looked at later.
        other, _ = await here.open("other", {"README.md": "x\n"})
        await until(lambda: said(here, other), "the other one's comment")
        assert await reverts(here) == []
        # The verdict, and the sentence that says why nothing can be rolled back before the merge.
        assert len(await here.sticky(number)) == 2

    async def said(here: Town, number: int) -> list[str] | None:
        return await here.sticky(number) or None

    played(tmp_path, story)


def test_a_conflict_is_answered_with_what_to_do(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number = await merged(here)
        later = await merged(here, AGAIN, "again")
        await here.carol.comment(REPOSITORY, number, "/rollback")
        said = await answer(here, number, "can't be reverted by itself")
        assert "`app/deploy.yaml`" in said
        assert await reverts(here) == []
        # The advice works.
        await here.carol.comment(REPOSITORY, later, "/rollback")
        await answer(here, later, "reverts this")
        (made,) = await reverts(here)
        await here.completed(made["head"]["sha"])
        await here.dave.review(REPOSITORY, made["number"])
        await here.completed(made["head"]["sha"], conclusion="success")
        assert await here.alice.merge(REPOSITORY, made["number"]) == ""
        await here.carol.comment(REPOSITORY, number, "/rollback")
        await answer(here, number, "reverts this")
        assert len(await reverts(here)) == 2

    played(tmp_path, story)


def test_a_missing_right_is_said(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number = await merged(here)
        (installation,) = here.github.world.installations.values()
        installation.permissions["contents"] = "read"
        await here.carol.comment(REPOSITORY, number, "/rollback")
        await answer(here, number, "does not let the bot open")
        assert await reverts(here) == []

    played(tmp_path, story)


@pytest.mark.parametrize("method", ["merge", "rebase"])
def test_the_other_ways_to_merge_are_reverted_as_a_whole(tmp_path: Path, method: str) -> None:
    async def story(here: Town) -> None:
        await here.push("two", {"app/deploy.yaml": BUMP["app/deploy.yaml"]}, start="origin/main")
        sha = await here.push("two", {"README.md": "two\n"})
        number = await here.alice.open_pull(REPOSITORY, "two", "Two commits")
        await here.completed(sha)
        await here.carol.review(REPOSITORY, number)
        await here.completed(sha, conclusion="success")
        await here.alice.ask("PUT", f"/repos/{REPOSITORY}/pulls/{number}/merge", {"merge_method": method})
        await here.carol.comment(REPOSITORY, number, "/rollback")
        await answer(here, number, "reverts this")
        (made,) = await reverts(here)
        await here.alice.fetch(here.work)
        for name in ("app/deploy.yaml", "README.md"):
            assert (await run(here.work, "show", f"{made['head']['sha']}:{name}")).decode() == FILES[name]

    played(tmp_path, story)


def test_a_request_that_was_made_while_the_bot_was_away_is_found(tmp_path: Path) -> None:
    async def story() -> None:
        async with town(tmp_path) as here:
            async with here.bot():
                number = await merged(here)
            await here.carol.comment(REPOSITORY, number, "/rollback")
            async with here.bot():
                await answer(here, number, "reverts this")
                assert len(await reverts(here)) == 1

    asyncio.run(story())


def test_kill_9_between_the_pull_request_and_the_answer_leaves_one_of_each(tmp_path: Path) -> None:
    async def story() -> None:
        async with town(tmp_path) as here:
            first = await serve(here)
            number = await merged(here)

            async def commented() -> list[str] | None:
                return await here.sticky(number) or None

            # The bot's own comment must be there, or it would be the one that the fault lets pass.
            await until(commented, "the comment")
            slow = Fault(method="POST", path=rf".*/issues/{number}/comments", delay=30, status=None, skip=1)
            here.github.fault(slow)
            await here.carol.comment(REPOSITORY, number, "/rollback")

            async def waits() -> bool | None:
                return slow.hits > 0 or None

            await until(waits, "the answer under way")
            first.send_signal(signal.SIGKILL)
            await first.wait()
            second = await serve(here)
            try:
                await answer(here, number, "reverts this")
                (made,) = await reverts(here)
                await here.completed(made["head"]["sha"])
            finally:
                second.send_signal(signal.SIGTERM)
                assert await second.wait() == 0

    asyncio.run(story())
