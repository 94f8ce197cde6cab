"""Faults on demand, and what is counted."""

from __future__ import annotations

import io
import time
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from hubs import REPO, Scene, play

from review_bot.demo.github import limits
from review_bot.demo.github.faults import Fault, primary_limit, secondary_limit

COMMENTS = f"{REPO}/issues/1/comments"


def test_a_fault_happens_as_often_as_asked_and_to_what_it_names(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"README.md": "x\n"})
        fault = scene.github.fault(Fault("POST", r".*/comments", status=502, times=2, skip=1))
        async with scene.bot() as bot:
            statuses = [(await bot.call("POST", COMMENTS, {"body": str(n)})).status for n in range(4)]
            assert statuses == [201, 502, 502, 201]
            assert [c["body"] for c in await bot.get(COMMENTS)] == ["0", "3"]
        assert fault.hits == 2
        # What failed was a call all the same.
        assert [r.status for r in scene.github.requests if r.method == "POST" and "comments" in r.path] == statuses
        assert scene.github.api_calls(scene.installation) == 5

    play(tmp_path, act)


def test_a_late_fault_does_the_work_first(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"README.md": "x\n"})
        async with scene.bot() as bot:
            scene.github.fault(Fault("POST", r".*/comments", after=True))
            assert (await bot.call("POST", COMMENTS, {"body": "one"})).status == 502
            scene.github.fault(Fault("POST", r".*/comments", after=True, drop=True))
            with pytest.raises(aiohttp.ClientError):
                await bot.call("POST", COMMENTS, {"body": "two"})
            assert [c["body"] for c in await bot.get(COMMENTS)] == ["one", "two"]

    play(tmp_path, act)


def test_a_connection_breaks_before_or_within_an_answer(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        async with scene.bot() as bot:
            # Twice, since aiohttp's client asks again by itself where a connection that it kept was reset.
            for fault in (Fault("GET", REPO, drop=True, times=2), Fault("GET", REPO, truncate=True)):
                scene.github.fault(fault)
                with pytest.raises(aiohttp.ClientError):
                    await bot.call("GET", REPO)
            assert (await bot.call("GET", REPO)).status == 200

    play(tmp_path, act)


def test_an_answer_can_be_late(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        async with scene.bot() as bot:
            scene.github.fault(Fault("GET", REPO, status=None, delay=0.3))
            began = time.monotonic()
            assert (await bot.call("GET", REPO)).status == 200
            assert time.monotonic() - began >= 0.3

    play(tmp_path, act)


def test_a_body_that_is_no_json_or_too_large_is_refused(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        headers = {"Authorization": f"Bearer {scene.github.token_of('alice')}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            for body, status in ((b"{", 400), (b'"text"', 400), (b" " * (26 * 1024 * 1024), 413)):
                async with session.post(scene.github.api_url + f"{REPO}/issues", data=io.BytesIO(body)) as answer:
                    assert answer.status == status

    play(tmp_path, act)


def test_rate_limits_speak_as_github_does(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        async with scene.bot() as bot:
            scene.github.fault(secondary_limit(retry_after=7))
            slow = await bot.call("GET", REPO)
            assert (slow.status, slow.headers["retry-after"]) == (403, "7")
            assert "secondary rate limit" in slow.json["message"]
            scene.github.fault(primary_limit(reset=1234567890))
            used = await bot.call("GET", REPO)
            assert (used.status, used.headers["x-ratelimit-remaining"]) == (403, "0")
            assert used.headers["x-ratelimit-reset"] == "1234567890"

    play(tmp_path, act)


def test_an_answer_that_has_not_changed_is_not_sent_again(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        async with scene.bot() as bot:
            first = await bot.call("GET", REPO)
            again = await bot.call("GET", REPO, headers={"If-None-Match": first.headers["ETag"]})
            assert again.status == 304 and again.json is None
            left = [answer.headers["x-ratelimit-remaining"] for answer in (first, again)]
            assert left == ["4999", "4999"]

    play(tmp_path, act)


def test_calls_and_content_are_counted_by_installation(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"README.md": "x\n"})
        async with scene.bot() as bot:
            await bot.get(REPO)
            for n in range(3):
                await bot.post(COMMENTS, {"body": str(n)})
        github = scene.github
        assert github.api_calls(scene.installation) == 4
        assert github.content_writes(scene.installation) == 3
        assert github.hub.limits.most_content(timedelta(minutes=1), scene.installation) == 3

    play(tmp_path, act)


def test_content_limits_are_enforced_where_a_test_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONTENT_PER_MINUTE", 2)

    async def act(scene: Scene) -> None:
        await scene.pull({"README.md": "x\n"})
        scene.github.enforces_limits = True
        async with scene.bot() as bot:
            statuses = [(await bot.call("POST", COMMENTS, {"body": str(n)})).status for n in range(3)]
            assert statuses == [201, 201, 403]
            scene.github.advance(61)
            assert (await bot.call("POST", COMMENTS, {"body": "later"})).status == 201

    play(tmp_path, act)


def test_an_endpoint_that_is_not_there_is_remembered(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        async with scene.bot() as bot:
            missing = await bot.call("GET", "/no/such/thing")
        assert (missing.status, missing.json["message"]) == (404, "Not Found")
        assert scene.github.unknown == [("GET", "/no/such/thing")]

    play(tmp_path, act)


def test_an_api_version_that_is_not_spoken_is_refused(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        async with scene.bot() as bot:
            statuses = {
                version: (await bot.call("GET", REPO, headers={"X-GitHub-Api-Version": version})).status
                for version in ("2022-11-28", "2021-01-01")
            }
        assert statuses == {"2022-11-28": 200, "2021-01-01": 400}

    play(tmp_path, act)


def test_both_prefixes_answer(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        async with scene.bot() as bot:
            bot.base = scene.github.url
            assert (await bot.get(REPO))["full_name"] == "org/config"

    play(tmp_path, act)
