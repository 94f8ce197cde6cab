"""What people and Apps say on a pull request, and GitHub's limits on it."""

from __future__ import annotations

from pathlib import Path

from hubs import REPO, Scene, play

FILE = "apps/web/deployment.yaml"
CHANGED = "".join(f"line {n}\n" if n != 20 else "changed\n" for n in range(1, 41))


def test_nobody_approves_their_own_pull_request(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({FILE: CHANGED})
        async with scene.person("alice") as alice:
            refused = await alice.call("POST", f"{REPO}/pulls/1/reviews", {"event": "APPROVE"})
        assert (refused.status, refused.json["errors"]) == (422, ["Can not approve your own pull request"])

    play(tmp_path, act)


def test_a_review_keeps_the_commit_that_it_was_made_on(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        pull = await scene.pull({FILE: CHANGED})
        async with scene.person("carol") as carol:
            await carol.post(f"{REPO}/pulls/1/reviews", {"event": "APPROVE"})
            clone = await scene.clone("dave")
            await clone.git("checkout", "--quiet", "topic")
            await clone.commit({"more.yaml": "x\n"})
            await clone.push("topic")
            (review,) = await carol.get(f"{REPO}/pulls/1/reviews")
        assert (review["state"], review["commit_id"]) == ("APPROVED", pull["head"]["sha"])

    play(tmp_path, act)


def test_a_comment_stands_on_a_line_that_the_diff_shows(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        pull = await scene.pull({FILE: CHANGED})
        place = {"body": "why?", "path": FILE, "commit_id": pull["head"]["sha"], "side": "RIGHT"}
        async with scene.person("carol") as carol:
            made = await carol.post(f"{REPO}/pulls/1/comments", {**place, "line": 20})
            assert (made["line"], made["position"]) == (20, 5)
            assert made["diff_hunk"].splitlines()[-1] == "+changed"
            outside = await carol.call("POST", f"{REPO}/pulls/1/comments", {**place, "line": 2})
            elsewhere = await carol.call("POST", f"{REPO}/pulls/1/comments", {**place, "path": "README.md", "line": 1})
        assert (outside.status, outside.json["errors"]) == (422, ["Line could not be resolved"])
        assert (elsewhere.status, elsewhere.json["errors"]) == (422, ["Path could not be resolved"])

    play(tmp_path, act)


def test_one_bad_line_refuses_the_whole_review(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({FILE: CHANGED})
        remarks = [{"path": FILE, "line": line, "body": "x"} for line in (20, 2)]
        async with scene.person("carol") as carol:
            asked = {"event": "COMMENT", "body": "x", "comments": remarks}
            assert (await carol.call("POST", f"{REPO}/pulls/1/reviews", asked)).status == 422
            assert await carol.get(f"{REPO}/pulls/1/reviews") == []
            assert await carol.get(f"{REPO}/pulls/1/comments") == []

    play(tmp_path, act)


def test_a_pending_review_is_seen_by_its_author_alone(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({FILE: CHANGED})
        reviews = f"{REPO}/pulls/1/reviews"
        async with scene.person("carol") as carol, scene.person("dave") as dave:
            pending = await carol.post(reviews, {"body": "later"})
            assert (len(await carol.get(reviews)), len(await dave.get(reviews))) == (1, 0)
            assert (await carol.call("POST", reviews, {"event": "APPROVE"})).status == 422
            await carol.delete(f"{reviews}/{pending['id']}")
            assert await carol.get(reviews) == []

    play(tmp_path, act)


def test_a_comment_has_a_longest_length(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({FILE: CHANGED})
        comments = f"{REPO}/issues/1/comments"
        async with scene.bot() as bot:
            await bot.post(comments, {"body": "é" * 65536})
            long = await bot.call("POST", comments, {"body": "x" * 65537})
            blank = await bot.call("POST", comments, {"body": " "})
        assert (long.status, long.json["errors"]) == (422, ["Body is too long (maximum is 65536 characters)"])
        assert blank.status == 422

    play(tmp_path, act)


def test_what_is_left_of_a_deleted_account_has_no_author(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({FILE: CHANGED})
        async with scene.person("dave") as dave, scene.bot() as bot:
            await dave.post(f"{REPO}/issues/1/comments", {"body": "/approve"})
            await dave.post(f"{REPO}/pulls/1/reviews", {"event": "APPROVE"})
            scene.github.remove_user("dave")
            assert (await dave.call("GET", "/user")).status == 401
            (comment,) = await bot.get(f"{REPO}/issues/1/comments")
            (review,) = await bot.get(f"{REPO}/pulls/1/reviews")
            assert (comment["user"], review["user"]) == (None, None)
            assert (await bot.call("GET", f"{REPO}/collaborators/dave/permission")).status == 404

    play(tmp_path, act)


def test_an_app_edits_its_own_comments_only(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({FILE: CHANGED})
        async with scene.bot() as bot, scene.person("mallory") as mallory:
            theirs = await mallory.post(f"{REPO}/issues/1/comments", {"body": "mine"})
            ours = await bot.post(f"{REPO}/issues/1/comments", {"body": "ours"})
            assert ours["performed_via_github_app"]["slug"] == "review-bot"
            assert ours["user"]["login"] == "review-bot[bot]"
            refused = await bot.call("PATCH", f"{REPO}/issues/comments/{theirs['id']}", {"body": "x"})
            assert refused.status == 403
            assert (await mallory.call("DELETE", f"{REPO}/issues/comments/{ours['id']}")).status == 403

    play(tmp_path, act)
