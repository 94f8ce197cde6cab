"""Check runs: limits, order, and which of them count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hubs import REPO, Scene, play

NOTE = {"path": "README.md", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "m"}


def _output(count: int = 0, **more: Any) -> dict[str, Any]:
    return {"title": "t", "summary": "s", "annotations": [NOTE] * count, **more}


def test_fifty_annotations_a_request_and_a_patch_appends(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        sha = (await scene.pull({"README.md": "x\n"}))["head"]["sha"]
        async with scene.bot() as bot:
            asked = {"name": "review-bot", "head_sha": sha}
            many = await bot.call("POST", f"{REPO}/check-runs", {**asked, "output": _output(51)})
            assert many.status == 422
            run = await bot.post(f"{REPO}/check-runs", {**asked, "output": _output(50)})
            await bot.patch(f"{REPO}/check-runs/{run['id']}", {"output": _output(10)})
            notes = await bot.get(f"{REPO}/check-runs/{run['id']}/annotations?per_page=100")
            shown = await bot.get(f"{REPO}/check-runs/{run['id']}")
        assert (len(notes), shown["output"]["annotations_count"]) == (60, 60)

    play(tmp_path, act)


def test_texts_that_are_too_long_are_refused_and_change_nothing(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        sha = (await scene.pull({"README.md": "x\n"}))["head"]["sha"]
        async with scene.bot() as bot:
            run = await bot.post(f"{REPO}/check-runs", {"name": "review-bot", "head_sha": sha})
            url = f"{REPO}/check-runs/{run['id']}"
            for long in ({"summary": "x" * 65536}, {"text": "x" * 65536}):
                asked = {"conclusion": "success", "output": _output(**long)}
                assert (await bot.call("PATCH", url, asked)).status == 422
            await bot.patch(url, {"output": _output(summary="x" * 65535, text="y" * 65535)})
            assert (await bot.get(url))["status"] == "queued"

    play(tmp_path, act)


def test_a_commit_lists_the_latest_run_of_each_name_unless_all_are_asked_for(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        sha = (await scene.pull({"README.md": "x\n"}))["head"]["sha"]
        url = f"{REPO}/commits/{sha}/check-runs"
        async with scene.bot() as bot:
            for conclusion in ("failure", "success"):
                asked = {"name": "review-bot", "head_sha": sha, "conclusion": conclusion}
                await bot.post(f"{REPO}/check-runs", asked)
            await bot.post(f"{REPO}/check-runs", {"name": "other", "head_sha": sha, "status": "in_progress"})
            latest = await bot.get(f"{url}?check_name=review-bot")
            every = await bot.get(f"{url}?filter=all")
            running = await bot.get(f"{url}?status=in_progress&app_id={scene.github.app.id}")
        assert [r["conclusion"] for r in latest["check_runs"]] == ["success"]
        assert (every["total_count"], [r["name"] for r in running["check_runs"]]) == (3, ["other"])

    play(tmp_path, act)


def test_two_pull_requests_of_one_head_share_its_runs(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        pull = await scene.pull({"README.md": "x\n"})
        clone = await scene.clone("dave")
        await clone.git("branch", "next", "origin/main")
        await clone.push("next")
        async with scene.person("alice") as alice, scene.bot() as bot:
            await alice.post(f"{REPO}/pulls", {"title": "x", "head": "topic", "base": "next"})
            asked = {"name": "review-bot", "head_sha": pull["head"]["sha"]}
            run = await bot.post(f"{REPO}/check-runs", asked)
        assert sorted(p["number"] for p in run["pull_requests"]) == [1, 2]

    play(tmp_path, act)


def test_a_completed_run_needs_a_conclusion(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        sha = (await scene.pull({"README.md": "x\n"}))["head"]["sha"]
        async with scene.bot() as bot:
            asked = {"name": "review-bot", "head_sha": sha, "status": "completed"}
            assert (await bot.call("POST", f"{REPO}/check-runs", asked)).status == 422

    # The models say so too: this request is meant to be wrong, and is refused before they are asked.
    play(tmp_path, act)
