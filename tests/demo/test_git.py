"""git as people and the App use it: over HTTP, with tokens."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import aiohttp
import pytest
from callers import Clone
from hubs import REPO, Scene, play

from review_bot.demo.github import git
from review_bot.demo.github.git import GitError
from review_bot.demo.github.state import Protection


async def _remote(scene: Scene, login: str, token: str) -> str:
    address = f"{scene.github.url}/org/config.git".replace(
        "http://", f"http://{login}:{token}@" if token else "http://"
    )
    return (await git.run(scene.folder, "ls-remote", address)).decode()


def test_the_app_clones_with_its_token_and_strangers_do_not(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        async with scene.as_app() as app:
            made = await app.post(f"/app/installations/{scene.installation}/access_tokens")
        assert "refs/heads/main" in await _remote(scene, "x-access-token", made["token"])
        scene.github.add_user("stranger")
        for login, token in (("", ""), ("alice", "wrong"), ("stranger", scene.github.token_of("stranger"))):
            with pytest.raises(GitError):
                await _remote(scene, login, token)

    play(tmp_path, act)


def test_readers_do_not_push(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        clone = await scene.clone("mallory")
        await clone.commit({"x.yaml": "x\n"}, branch="topic")
        with pytest.raises(GitError, match="403"):
            await clone.push("topic")

    play(tmp_path, act)


def test_a_protected_branch_takes_pushes_from_administrators_only(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        for login, allowed in (("alice", False), ("carol", True)):
            clone = await scene.clone(login)
            await clone.commit({f"{login}.yaml": "x\n"})
            if allowed:
                await clone.push("main")
            else:
                with pytest.raises(GitError, match="GH006: Protected branch update failed for refs/heads/main"):
                    await clone.push("main")

    play(tmp_path, act, Protection())


def test_the_refs_of_a_pull_request_can_be_fetched_and_not_written(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        pull = await scene.pull({"x.yaml": "x\n"})
        clone = await scene.clone("dave")
        await clone.git("fetch", "--quiet", "origin", "refs/pull/1/head", "refs/pull/1/merge")
        heads = (await clone.git("ls-remote", "origin", "refs/pull/*")).split()
        assert heads[0] == pull["head"]["sha"] and heads[1] == "refs/pull/1/head" and heads[3] == "refs/pull/1/merge"
        merge = await clone.git("rev-list", "--parents", "--max-count=1", heads[2])
        assert merge.split()[2] == pull["head"]["sha"]
        with pytest.raises(GitError):
            await clone.git("push", "--quiet", "origin", "HEAD:refs/pull/1/head")

    play(tmp_path, act)


def test_gits_packed_questions_are_understood(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        question = b"0014command=ls-refs\n00010009peel\n000csymrefs\n0000"
        headers = {
            "Content-Type": "application/x-git-upload-pack-request",
            "Content-Encoding": "gzip",
            "Git-Protocol": "version=2",
        }
        headers["Authorization"] = aiohttp.encode_basic_auth("alice", scene.github.token_of("alice"))
        address = f"{scene.github.url}/org/config.git/git-upload-pack"
        async with aiohttp.ClientSession() as session:
            async with session.post(address, data=gzip.compress(question), headers=headers) as answer:
                assert answer.status == 200
                assert b"refs/heads/main" in await answer.read()

    play(tmp_path, act)


def test_pushes_at_the_same_time_each_say_what_they_moved(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        clones = [await scene.clone(login) for login in ("alice", "carol", "dave", "erin")]
        for n, clone in enumerate(clones):
            await clone.commit({f"{n}.yaml": "x\n"}, branch=f"topic-{n}")
        await asyncio.gather(*(clone.push(f"topic-{n}") for n, clone in enumerate(clones)))
        pushed = [d.json["ref"] for d in scene.github.deliveries if d.event == "push"]
        assert sorted(pushed) == [f"refs/heads/topic-{n}" for n in range(4)]

    play(tmp_path, act)


def test_a_large_push_comes_whole(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        # Above http.postBuffer git sends the pack in chunks, after a probe.
        big = "\n".join(f"{n * 7919:x}{n * n:x}" for n in range(200_000))
        pull = await scene.pull({"big.txt": big})
        clone = await scene.clone("dave")
        await clone.git("fetch", "--quiet", "--depth=1", "origin", pull["head"]["sha"])
        assert await clone.git("show", "FETCH_HEAD:big.txt") == big

    play(tmp_path, act)


def test_a_forced_push_and_a_deleted_branch_reach_the_pull_request(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"x.yaml": "x\n"})
        clone = await scene.clone("dave")
        await clone.git("checkout", "--quiet", "-b", "topic", "origin/topic")
        await clone.git("commit", "--quiet", "--amend", "-m", "Another")
        await clone.push("topic", force=True)
        async with scene.person("alice") as alice:
            assert (await alice.get(f"{REPO}/pulls/1"))["head"]["sha"] == await clone.git("rev-parse", "HEAD")
            await clone.git("push", "--quiet", "origin", ":topic")
            closed = await alice.get(f"{REPO}/pulls/1")
            assert (closed["state"], closed["merged"]) == ("closed", False)

    play(tmp_path, act)


def test_a_head_that_reaches_its_base_by_a_push_is_merged(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"x.yaml": "x\n"})
        clone = await scene.clone("dave")
        await clone.git("merge", "--quiet", "--no-ff", "-m", "Merge", "origin/topic")
        await clone.push("main")
        async with scene.person("alice") as alice:
            assert (await alice.get(f"{REPO}/pulls/1"))["merged"] is True

    play(tmp_path, act)


def test_a_repository_can_begin_as_a_git_repository(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        source = scene.folder / "with-history"
        source.mkdir()
        await git.run(source, "init", "--quiet", "--initial-branch=main")
        clone = Clone(source, "Alice", "alice@example.com")
        await clone.commit({"a.yaml": "a\n"}, "One")
        await clone.commit({"a.yaml": "b\n"}, "Two", branch="feature")
        made = scene.github.add_repository("org/other", source)
        assert set(await made.git.refs()) == {"refs/heads/main", "refs/heads/feature"}

    play(tmp_path, act)
