"""What is done by clicking on GitHub: installing, suspending, drafts, the merge queue, the manifest flow."""

from __future__ import annotations

import urllib.request
from pathlib import Path

from hubs import REPO, Scene, play

from review_bot.demo.github.background import Background
from review_bot.demo.github.server import StandIn
from review_bot.demo.github.state import Protection


def _events(scene: Scene, event: str) -> list[str | None]:
    return [d.action for d in scene.github.deliveries if d.event == event]


def test_a_suspended_installation_neither_asks_nor_hears(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        async with scene.bot() as bot, scene.as_app() as app:
            scene.github.suspend(scene.installation)
            assert (await bot.call("GET", REPO)).status == 401
            tokens = f"/app/installations/{scene.installation}/access_tokens"
            assert (await app.call("POST", tokens)).status == 403
            await scene.pull({"x.yaml": "x\n"})
            assert "opened" not in _events(scene, "pull_request")
            scene.github.suspend(scene.installation, suspended=False)
            assert (await bot.call("GET", REPO)).status == 200
        assert _events(scene, "installation") == ["created", "suspend", "unsuspend"]

    play(tmp_path, act)


def test_an_installation_that_is_gone_is_not_found(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.github.uninstall(scene.installation)
        async with scene.as_app() as app:
            assert (await app.call("GET", f"{REPO}/installation")).status == 404
            assert await app.get("/app/installations") == []

    play(tmp_path, act)


def test_repositories_come_and_go_with_an_event(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.github.add_repository("org/more", scene.folder / "source")
        scene.github.change_installation(scene.installation, add=["org/more"])
        async with scene.bot() as bot:
            found = await bot.get("/installation/repositories")
        assert [r["full_name"] for r in found["repositories"]] == ["org/config", "org/more"]
        scene.github.change_installation(scene.installation, remove=["org/more"])
        assert _events(scene, "installation_repositories") == ["added", "removed"]

    play(tmp_path, act)


def test_the_merge_queue_asks_for_checks_of_its_own_commit(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"x.yaml": "x\n"})
        asked = {"name": "review-bot", "conclusion": "failure"}
        async with scene.bot() as bot:
            head = await scene.github.enqueue("org/config", 1)
            await bot.post(f"{REPO}/check-runs", {**asked, "head_sha": head})
            assert await scene.github.finish_queue("org/config", 1) is False
            head = await scene.github.enqueue("org/config", 1)
            await bot.post(f"{REPO}/check-runs", {**asked, "head_sha": head, "conclusion": "success"})
            assert await scene.github.finish_queue("org/config", 1) is True
            assert (await bot.get(f"{REPO}/pulls/1"))["merge_commit_sha"] == head
        assert _events(scene, "merge_group") == ["checks_requested", "destroyed"] * 2

    play(tmp_path, act, Protection(required_checks=("review-bot",)))


def test_a_code_of_the_manifest_flow_gives_the_app_once(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        path = f"/app-manifests/{scene.github.new_manifest_code()}/conversions"
        async with scene.caller(None) as nobody:
            made = await nobody.post(path)
            assert made["pem"] == scene.github.app.private_key
            assert (await nobody.call("POST", path)).status == 404

    play(tmp_path, act)


def test_comments_on_a_file_that_changed_again_are_outdated(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"README.md": "one\n", "x.yaml": "x\n"})
        remarks = [{"path": path, "line": 1, "body": "?"} for path in ("README.md", "x.yaml")]
        async with scene.person("carol") as carol:
            await carol.post(f"{REPO}/pulls/1/reviews", {"event": "COMMENT", "body": "b", "comments": remarks})
            clone = await scene.clone("dave")
            await clone.git("checkout", "--quiet", "topic")
            await clone.commit({"x.yaml": "y\n"})
            await clone.push("topic")
            lines = {c["path"]: c["line"] for c in await carol.get(f"{REPO}/pulls/1/comments")}
        assert lines == {"README.md": 1, "x.yaml": None}

    play(tmp_path, act)


def test_it_runs_beside_code_that_is_not_async(tmp_path: Path) -> None:
    with Background(StandIn(tmp_path)) as running:
        running.github.add_user("alice")
        with urllib.request.urlopen(f"{running.github.api_url}/users/alice") as answer:
            assert answer.status == 200
        running.call(running.github.deliver_all)


def test_a_team_gains_and_loses_members(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.github.change_team("org/security", add=["dave"], remove=["erin"])
        async with scene.bot() as bot:
            members = await bot.get("/orgs/org/teams/security/members")
        assert [m["login"] for m in members] == ["dave"]
        assert _events(scene, "membership") == ["added", "removed"]

    play(tmp_path, act)
