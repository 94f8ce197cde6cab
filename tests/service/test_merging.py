"""Merging by `/merge` or by configuration: exactly what was decided on, and never while anything is pending."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from town import BOT, DEPLOYMENT, FILES, REPOSITORY, Town, played, until

from review_bot.demo.github.faults import Fault
from review_bot.demo.github.git import run

BUMP = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")}
LATER = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.6.0")}
LATEST = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "latest")}
REBASE = {**FILES, ".review-bot.yaml": "version: 1\nmerge: {method: rebase}\n"}
AUTO = {**FILES, ".review-bot.yaml": "version: 1\nmerge: {auto: true, method: merge}\n"}


async def told(here: Town, number: int, text: str) -> str:
    """Wait for the bot's one word on merging to say this."""

    async def found() -> str | None:
        own = [c for c in await here.sticky(number) if "review-bot:merge" in c]
        return own[0] if len(own) == 1 and text in own[0] else None

    return await until(found, f"a word on merging that says {text!r}")


async def merged(here: Town, number: int) -> dict[str, Any]:
    async def found() -> dict[str, Any] | None:
        pull = await here.alice.pull(REPOSITORY, number)
        return pull if pull["merged"] else None

    return await until(found, f"the merge of #{number}")


async def is_open(here: Town, number: int) -> bool:
    return (await here.alice.pull(REPOSITORY, number))["state"] == "open"


async def approved(here: Town, branch: str = "bump", files: dict[str, str] = BUMP) -> tuple[int, str]:
    number, sha = await here.open(branch, files)
    await here.completed(sha)
    await here.carol.review(REPOSITORY, number)
    await here.completed(sha, conclusion="success")
    return number, sha


def merges(here: Town) -> int:
    return sum(r.method == "PUT" and r.path.endswith("/merge") for r in here.github.requests)


def test_it_is_remembered_until_the_gate_is_green(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        await here.alice.comment(REPOSITORY, number, "/merge")
        said = await told(here, number, "Waiting for the gate: Waiting for owners")
        assert "@carol" not in said
        assert merges(here) == 0
        await here.carol.review(REPOSITORY, number)
        pull = await merged(here, number)
        assert pull["merged_by"]["login"] == BOT
        await told(here, number, "done, as `alice` asked (squash)")
        # What merges into the branch is looked at, though events of the bot's own start nothing.
        await here.alice.fetch(here.work)
        other, tip = await here.open("docs", {"README.md": "x\n"})
        await here.completed(tip)
        assert await is_open(here, other)

    played(tmp_path, story)


def test_the_method_is_the_repositorys_and_its_no_is_told(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        await here.push("two", {"app/deploy.yaml": BUMP["app/deploy.yaml"]}, start="origin/main")
        sha = await here.push("two", {"README.md": "two\n"})
        number = await here.alice.open_pull(REPOSITORY, "two", "Two commits")
        await here.completed(sha)
        await here.carol.review(REPOSITORY, number)
        await here.completed(sha, conclusion="success")
        path = rf".*/pulls/{number}/merge"
        no = '{"message": "Rebase merges are not allowed on this repository."}'
        here.github.fault(Fault(method="PUT", path=path, status=405, body=no))
        await here.dave.comment(REPOSITORY, number, "/merge")
        said = await told(here, number, "not allowed")
        assert "`merge.method` in `.review-bot.yaml` is rebase" in said
        await here.dave.comment(REPOSITORY, number, "/merge")
        await merged(here, number)
        await here.alice.fetch(here.work)
        log = await run(here.work, "log", "--format=%s", "origin/main")
        assert log.decode().splitlines()[:2] == ["change two", "change two"]

    played(tmp_path, story, REBASE)


def test_only_someone_who_may_write_can_ask(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, _ = await approved(here)
        await here.mallory.comment(REPOSITORY, number, "/merge")
        await until(lambda: refused(here, number), "a refusal")
        assert await is_open(here, number) and merges(here) == 0

    played(tmp_path, story)


async def refused(here: Town, number: int) -> list[str] | None:
    return [c for c in await here.sticky(number) if "was not done" in c] or None


def test_a_push_ends_it_and_so_does_taking_it_back(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        await here.alice.comment(REPOSITORY, number, "/merge")
        await told(here, number, "Waiting for")
        later = await here.push("bump", LATER)
        await told(here, number, "not asked for any more")
        await here.carol.review(REPOSITORY, number)
        await here.completed(later, conclusion="success")
        assert await is_open(here, number)
        await asyncio.sleep(1.1)  # GitHub's times are whole seconds
        await here.alice.comment(REPOSITORY, number, "/hold\n/merge")
        await told(here, number, "on hold by")
        await here.alice.comment(REPOSITORY, number, "/merge cancel\n/unhold")
        await told(here, number, "not asked for any more")
        await here.completed(later, conclusion="success")
        assert await is_open(here, number) and merges(here) == 0

    played(tmp_path, story)


def test_checks_of_others_are_waited_for(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await approved(here)
        path = f"/repos/{REPOSITORY}/statuses/{sha}"
        await here.dave.ask("POST", path, {"state": "pending", "context": "build"})
        await here.alice.comment(REPOSITORY, number, "/merge")
        await told(here, number, "checks under way: build")
        await here.dave.ask("POST", path, {"state": "failure", "context": "build"})
        await told(here, number, "checks that fail: build")
        assert await is_open(here, number) and merges(here) == 0
        await here.dave.ask("POST", path, {"state": "success", "context": "build"})
        await merged(here, number)

    played(tmp_path, story)


def test_a_verdict_that_fails_is_never_merged(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("latest", LATEST)
        await here.completed(sha, "review-bot", "failure")
        await here.completed(sha)
        await here.dave.comment(REPOSITORY, number, "/merge")
        await told(here, number, "the check review-bot, which is not green")
        await here.carol.review(REPOSITORY, number)
        await here.github.deliver_all()
        assert await is_open(here, number) and merges(here) == 0

    played(tmp_path, story)


def test_what_is_still_being_worked_out_is_asked_again(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, _ = await approved(here)
        here.github.world.unsettled_reads = 2
        await here.alice.comment(REPOSITORY, number, "/merge")
        await told(here, number, "still working out")
        await merged(here, number)

    played(tmp_path, story)


def test_a_repository_may_say_that_what_is_green_is_merged(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        assert await is_open(here, number)
        await here.carol.review(REPOSITORY, number)
        pull = await merged(here, number)
        assert pull["merged_by"]["login"] == BOT
        await told(here, number, "done (merge)")
        assert merges(here) == 1
        await here.alice.fetch(here.work)
        parents = (await run(here.work, "log", "-1", "--format=%P", "origin/main")).decode().split()
        assert parents[1] == sha

    played(tmp_path, story, AUTO)


def test_a_head_that_moves_at_the_last_moment_is_not_merged(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await approved(here)
        slow = here.github.fault(Fault(method="GET", path=rf".*/commits/{sha}/status", delay=1.0, status=None))
        await here.alice.comment(REPOSITORY, number, "/merge")

        async def asked() -> bool | None:
            return slow.hits > 0 or None

        await until(asked, "the bot to be about to merge")
        here.github.mishaps.lose = True  # so that nothing but GitHub's own answer can tell
        await here.push("bump", LATER)
        await told(here, number, "Head branch was modified")
        assert await is_open(here, number)

    played(tmp_path, story)
