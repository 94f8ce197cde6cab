"""What the bot does when GitHub, the network or the machine have a bad day."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
from pathlib import Path

from aiohttp import ClientSession
from repositories import DEPLOYMENT
from town import BOT, REPOSITORY, Town, played, town, until

from review_bot.demo.github.faults import Fault, secondary_limit
from review_bot.server.audit_log import AuditReader

BUMP = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")}
LATEST = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "latest")}


async def said_once(here: Town, number: int, sha: str) -> None:
    """One verdict, one gate, one comment and at most one review, whatever happened before."""
    await here.completed(sha)

    async def comment() -> list[str] | None:
        return await here.sticky(number) or None

    assert len(await until(comment, "the comment")) == 1
    names = [r["name"] for r in await here.alice.runs(REPOSITORY, sha, filter="all")]
    assert sorted(names) == ["review-bot", "review-bot/approvals"]
    assert sum(r["user"]["login"] == BOT for r in await here.alice.reviews(REPOSITORY, number)) <= 1


def test_a_write_that_was_done_though_github_said_502_is_not_done_twice(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        for path in (r".*/check-runs", r".*/comments", r".*/reviews"):
            here.github.fault(Fault(method="POST", path=path, after=True))
        number, sha = await here.open("latest", LATEST)
        await said_once(here, number, sha)

    played(tmp_path, story)


def test_reads_that_fail_or_come_in_half_are_tried_again(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        here.github.fault(Fault(method="GET", path=r".*/pulls/1", status=503))
        here.github.fault(Fault(method="GET", path=r".*/commits/.*/check-runs.*", drop=True))
        here.github.fault(Fault(method="GET", path=r".*/comments.*", truncate=True))
        here.github.fault(Fault(method="POST", path=r".*/config\.git/git-upload-pack", status=500))
        number, sha = await here.open("bump", BUMP)
        await said_once(here, number, sha)

    played(tmp_path, story)


def test_a_secondary_rate_limit_holds_the_installation_back(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        limit = here.github.fault(secondary_limit(2, method="GET", path=r".*/pulls/1", times=50))
        number, sha = await here.open("bump", BUMP)

        async def hit() -> bool | None:
            return limit.hits > 0 or None

        await until(hit, "the rate limit")
        before = here.github.api_calls()
        await asyncio.sleep(1.0)
        assert here.github.api_calls() - before <= 2
        limit.times = 0
        await said_once(here, number, sha)

    played(tmp_path, story)


def test_lost_doubled_and_reordered_deliveries_do_no_harm(tmp_path: Path) -> None:
    async def story() -> None:
        async with town(tmp_path) as here:
            # Nobody listens: these deliveries are lost for good, as GitHub never sends one again.
            number, sha = await here.open("bump", BUMP)
            await here.carol.review(REPOSITORY, number)
            async with here.bot():
                await here.completed(sha)
                await here.dave.review(REPOSITORY, number)
                await here.completed(sha, conclusion="success")
                await here.github.deliver_all()
                for delivery in list(here.github.deliveries):
                    here.github.redeliver(delivery.id)
                await here.github.deliver_all()
                await said_once(here, number, sha)

    asyncio.run(story())


def test_a_delivery_seen_before_costs_no_call(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await said_once(here, number, sha)
        opened = next(d for d in here.github.deliveries if d.event == "pull_request")
        await here.github.deliver_all()
        await asyncio.sleep(1.0)
        before = here.github.api_calls()
        for _ in range(5):
            here.github.redeliver(opened.id)
        await here.github.deliver_all()
        await asyncio.sleep(0.5)
        assert here.github.api_calls() == before

    played(tmp_path, story)


def test_the_webhook_refuses_what_is_not_githubs(tmp_path: Path) -> None:
    async def story() -> None:
        async with town(tmp_path) as here, here.bot() as port, ClientSession() as session:
            url = f"http://127.0.0.1:{port}/webhook"
            async with session.post(url, data=b"{}") as unsigned:
                assert unsigned.status == 401
            async with session.post(url, data=b"{}", headers={"X-Hub-Signature-256": "sha256=00"}) as forged:
                assert forged.status == 401
            async with session.post(url, data=io.BytesIO(b"x" * (25 * 1024 * 1024 + 1))) as large:
                assert large.status == 413
            async with session.get(f"http://127.0.0.1:{port}/metrics") as metrics:
                assert 'review_bot_deliveries_total{answer="refused"} 3.0' in await metrics.text()

    asyncio.run(story())


def test_a_missing_permission_is_left_out_and_the_rest_is_done(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        (installation,) = here.github.world.installations.values()
        del installation.permissions["issues"]
        installation.permissions["pull_requests"] = "read"
        number, sha = await here.open("latest", LATEST)
        assert (await here.completed(sha))["conclusion"] == "action_required"
        assert (await here.runs(sha))["review-bot"]["conclusion"] == "failure"
        assert await here.sticky(number) == []

    played(tmp_path, story)


def test_a_repository_that_can_not_be_fetched_is_said_on_the_pull_request(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        broken = here.github.fault(Fault(method=".*", path=r".*/config\.git/.*upload-pack.*", status=500, times=10_000))
        broken.times = 0
        number, sha = await here.open("bump", BUMP)
        await said_once(here, number, sha)
        broken.times = 10_000
        other = await here.push("bump", {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.6.0")})
        failed = await here.completed(other, "review-bot", "failure")
        assert "could not be fetched" in failed["output"]["summary"]
        broken.times = 0
        await here.alice.comment(REPOSITORY, number, "/review")
        await here.completed(other, "review-bot", "success")

    played(tmp_path, story)
    log = list(AuditReader(tmp_path / "state" / "bot.sqlite").records())
    assert [record["kind"] for record in log][:2] == ["decision", "failure"]
    assert "could not be fetched" in log[1]["body"]["title"]


def test_kill_9_in_the_middle_loses_nothing_and_leaves_no_run_open(tmp_path: Path) -> None:
    async def story() -> None:
        async with town(tmp_path) as here:
            first = await serve(here)
            number, old = await here.open("latest", LATEST)

            async def begun() -> bool | None:
                return "review-bot" in await here.runs(old) or None

            await until(begun, "the run in progress")
            first.send_signal(signal.SIGKILL)
            await first.wait()
            new = await here.push("latest", BUMP)
            second = await serve(here)
            try:
                await said_once(here, number, new)

                async def closed() -> bool | None:
                    runs = await here.alice.runs(REPOSITORY, old, filter="all")
                    return all(r["status"] == "completed" for r in runs) or None

                await until(closed, "the old head's runs")
            finally:
                second.send_signal(signal.SIGTERM)
                assert await second.wait() == 0

    asyncio.run(story())


async def serve(here: Town, **more: str) -> asyncio.subprocess.Process:
    """`review-bot serve` as an operator runs it, ready to work; `more` of its environment."""
    key = here.root / "key.pem"
    key.write_text(here.github.app.private_key)
    settings = {
        "GITHUB_APP_ID": str(here.github.app.id),
        "GITHUB_PRIVATE_KEY_FILE": str(key),
        "GITHUB_WEBHOOK_SECRET": here.github.app.webhook_secret,
        "GITHUB_API_URL": here.github.api_url,
        "GITHUB_URL": here.github.url,
        "REVIEW_BOT_STATE_DIR": str(here.root / "state"),
        "PORT": "0",
        **more,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "review_bot.cli.main", "serve"),
        env={**os.environ, **settings},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    while b"listening on port" not in (line := await process.stderr.readline()):
        assert line, "the server ended"
    port = int(line.rsplit(b" ", 1)[1])
    here.reading = asyncio.create_task(process.stderr.read())
    here.github.webhook_url = f"http://127.0.0.1:{port}/webhook"
    return process
