"""Who may call the stand-in, and with what."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import jwt
from hubs import REPO, Scene, app_jwt, play


async def _app_status(scene: Scene, **claims: Any) -> int:
    async with scene.caller(app_jwt(scene.github, **claims)) as app:
        return (await app.call("GET", "/app")).status


def test_a_jwt_lives_ten_minutes_at_most_and_is_not_from_the_future(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        now = int(time.time())
        assert await _app_status(scene) == 200
        assert await _app_status(scene, iss=scene.github.app.id) == 200
        assert await _app_status(scene, exp=now + 660) == 401
        assert await _app_status(scene, exp=now - 1) == 401
        assert await _app_status(scene, exp=None) == 401
        assert await _app_status(scene, iat=now + 60) == 401
        assert await _app_status(scene, iss="999") == 401

    play(tmp_path, act)


def test_a_jwt_signed_by_another_key_or_method_is_refused(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        now = int(time.time())
        forged = jwt.encode({"iat": now, "exp": now + 60, "iss": str(scene.github.app.id)}, "x" * 32, algorithm="HS256")
        async with scene.caller(forged) as app:
            assert (await app.call("GET", "/app")).status == 401

    play(tmp_path, act)


def test_an_installation_token_ends_after_an_hour(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        async with scene.bot() as bot:
            assert (await bot.call("GET", REPO)).status == 200
            scene.github.advance(3601)
            ended = await bot.call("GET", REPO)
            assert (ended.status, ended.json["message"]) == (401, "Bad credentials")

    play(tmp_path, act)


def test_a_token_can_be_asked_for_less_but_not_for_more(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        tokens = f"/app/installations/{scene.installation}/access_tokens"
        async with scene.as_app() as app:
            more = await app.call("POST", tokens, {"permissions": {"administration": "write"}})
            elsewhere = await app.call("POST", tokens, {"repositories": ["secrets"]})
            assert (more.status, elsewhere.status) == (422, 422)
        async with scene.bot(repositories=["config"], permissions={"contents": "read"}) as bot:
            assert (await bot.call("GET", f"{REPO}/contents/README.md")).status == 200
            refused = await bot.call("POST", f"{REPO}/issues", {"title": "x"})
            assert (refused.status, refused.json["message"]) == (403, "Resource not accessible by integration")

    play(tmp_path, act)


def test_what_an_installation_loses_its_tokens_lose(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        async with scene.bot() as bot:
            scene.github.change_installation(scene.installation, remove=["org/config"])
            assert (await bot.call("GET", REPO)).status == 404

    play(tmp_path, act)


def test_a_missing_permission_of_the_app_shows_as_403(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        granted = {k: v for k, v in scene.github.app.permissions.items() if k not in ("members", "administration")}
        scene.github.world.installations[scene.installation].permissions = granted
        async with scene.bot() as bot:
            assert (await bot.call("GET", "/orgs/org/teams/security/members")).status == 403
            refused = await bot.call("GET", f"{REPO}/branches/main/protection")
            assert refused.status == 403
            assert refused.headers["X-Accepted-GitHub-Permissions"] == "administration=read"

    play(tmp_path, act)


def test_a_private_repository_is_not_there_for_those_who_may_not_see_it(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.github.add_user("stranger")
        async with scene.person("stranger") as stranger, scene.caller(None) as nobody:
            assert (await stranger.call("GET", REPO)).status == 404
            assert (await stranger.call("POST", f"{REPO}/issues", {"title": "x"})).status == 404
            assert (await nobody.call("GET", REPO)).status == 401

    play(tmp_path, act)


def test_readers_may_speak_and_writers_may_act(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        pull = await scene.pull({"README.md": "new\n"})
        number = pull["number"]
        async with scene.person("mallory") as reader, scene.person("erin") as by_team:
            assert (await reader.call("POST", f"{REPO}/issues/{number}/comments", {"body": "hi"})).status == 201
            assert (await reader.call("PUT", f"{REPO}/pulls/{number}/merge")).status == 403
            assert (await reader.call("POST", f"{REPO}/issues/{number}/labels", {"labels": ["x"]})).status == 403
            role = await by_team.get(f"{REPO}/collaborators/erin/permission")
            assert (role["permission"], role["role_name"]) == ("write", "write")

    play(tmp_path, act)


def test_only_apps_write_check_runs(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        pull = await scene.pull({"README.md": "new\n"})
        async with scene.person("carol") as admin:
            asked = {"name": "review-bot", "head_sha": pull["head"]["sha"], "conclusion": "success"}
            assert (await admin.call("POST", f"{REPO}/check-runs", asked)).status == 403

    play(tmp_path, act)
