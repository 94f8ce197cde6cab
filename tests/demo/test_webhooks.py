"""Webhooks: signed, in order, once each; and what can happen to them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from hubs import REPO, Scene, play

from review_bot.demo.github import webhooks


class Listener:
    """What an App's endpoint hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.status = 202
        self.slow = 0.0

    @property
    def events(self) -> list[str]:
        return [headers["X-GitHub-Event"] for headers, _ in self.heard]

    async def hear(self, request: web.Request) -> web.Response:
        self.heard.append((dict(request.headers), await request.read()))
        await asyncio.sleep(self.slow)
        return web.Response(status=self.status)


@asynccontextmanager
async def listening(scene: Scene) -> AsyncIterator[Listener]:
    listener = Listener()
    app = web.Application()
    app.router.add_post("/webhook", listener.hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    scene.github.webhook_url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhook"
    try:
        yield listener
    finally:
        await scene.github.deliver_all()
        scene.github.webhook_url = None
        await runner.cleanup()


def test_a_delivery_is_signed_and_says_what_it_is(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        async with listening(scene) as listener:
            await scene.pull({"README.md": "x\n"})
            await scene.github.deliver_all()
        headers, body = listener.heard[-1]
        secret = scene.github.app.webhook_secret.encode()
        assert headers["X-Hub-Signature-256"] == f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"
        assert headers["X-GitHub-Hook-Installation-Target-Type"] == "integration"
        assert headers["X-GitHub-Hook-Installation-Target-ID"] == str(scene.github.app.id)
        assert headers["User-Agent"].startswith("GitHub-Hookshot/")
        payload = json.loads(body)
        assert payload["installation"]["id"] == scene.installation
        assert payload["repository"]["full_name"] == "org/config" and payload["organization"]["login"] == "org"

    play(tmp_path, act)


def test_events_come_in_the_order_in_which_things_happened(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        async with listening(scene) as listener:
            await scene.pull({"README.md": "x\n"})
            async with scene.person("carol") as carol:
                await carol.post(f"{REPO}/issues/1/comments", {"body": "/review"})
                await carol.post(f"{REPO}/pulls/1/reviews", {"event": "APPROVE"})
            await scene.github.deliver_all()
        expected = ["push", "check_suite", "pull_request", "issue_comment", "pull_request_review"]
        assert [e for e in listener.events if e != "installation"] == expected
        assert len({headers["X-GitHub-Delivery"] for headers, _ in listener.heard}) == len(listener.heard)

    play(tmp_path, act)


def test_a_push_to_a_head_says_what_was_there_before(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        pull = await scene.pull({"README.md": "x\n"})
        clone = await scene.clone("dave")
        await clone.git("checkout", "--quiet", "topic")
        sha = await clone.commit({"README.md": "y\n"})
        await clone.push("topic")
        (event,) = [d.json for d in scene.github.deliveries if d.action == "synchronize"]
        assert (event["before"], event["after"]) == (pull["head"]["sha"], sha)
        assert event["pull_request"]["head"]["sha"] == sha and event["sender"]["login"] == "dave"

    play(tmp_path, act)


def test_a_failed_delivery_is_listed_and_comes_again_only_when_asked(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        async with listening(scene) as listener:
            listener.status = 500
            await scene.pull({"README.md": "x\n"})
            await scene.github.deliver_all()
            heard = len(listener.heard)
            async with scene.as_app() as app:
                first = await app.call("GET", "/app/hook/deliveries?per_page=1")
                (newest,) = first.json
                assert (newest["event"], newest["action"], newest["status_code"]) == ("pull_request", "opened", 500)
                assert "cursor=v1_" in first.headers["Link"]
                listener.status = 202
                assert (await app.call("POST", f"/app/hook/deliveries/{newest['id']}/attempts")).status == 202
            await scene.github.deliver_all()
        assert len(listener.heard) == heard + 1
        assert listener.heard[-1][0]["X-GitHub-Delivery"] == newest["guid"]

    play(tmp_path, act)


def test_nobody_is_waited_for_longer_than_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert webhooks.TIMEOUT_SECONDS == 10
    monkeypatch.setattr(webhooks, "TIMEOUT_SECONDS", 0.2)

    async def act(scene: Scene) -> None:
        async with listening(scene) as listener:
            await scene.github.deliver_all()
            listener.slow = 0.6
            await scene.pull({"README.md": "x\n"})
            await scene.github.deliver_all()
            assert {d.status for d in scene.github.deliveries if d.event == "push"} == {0}
            assert len(listener.heard) == len({d.guid for d in scene.github.deliveries if d.event != "installation"})

    play(tmp_path, act)


def test_deliveries_get_lost_doubled_and_reordered_on_demand(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        comments = f"{REPO}/issues/1/comments"
        await scene.pull({"README.md": "x\n"})
        async with listening(scene) as listener, scene.person("alice") as alice:
            await scene.github.deliver_all()
            listener.heard.clear()
            scene.github.mishaps.lose = True
            await alice.post(comments, {"body": "lost"})
            scene.github.mishaps.lose, scene.github.mishaps.double = False, True
            await alice.post(comments, {"body": "twice"})
            scene.github.mishaps.double, scene.github.mishaps.reorder = False, True
            for word in ("second", "first"):
                await alice.post(comments, {"body": word})
            await scene.github.deliver_all()
        said = [json.loads(body)["comment"]["body"] for _, body in listener.heard]
        assert said == ["twice", "twice", "first", "second"]

    play(tmp_path, act)


def test_an_app_hears_nothing_of_what_it_may_not_read(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        del scene.github.world.installations[scene.installation].permissions["checks"]
        await scene.pull({"README.md": "x\n"})
        await asyncio.sleep(0)
        assert "check_suite" not in {d.event for d in scene.github.deliveries}

    play(tmp_path, act)
