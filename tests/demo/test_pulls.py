"""Pull requests: what they list, who merges them, and what stands in the way."""

from __future__ import annotations

import asyncio
import base64
import re
from pathlib import Path

import pytest
from hubs import REPO, Scene, play

from review_bot.demo.github import routes_pulls
from review_bot.demo.github.state import Protection

BOTH = Protection(required_checks=("review-bot", "review-bot/approvals"), required_approvals=1, dismiss_stale=True)


async def _check(scene: Scene, name: str, sha: str, conclusion: str) -> None:
    async with scene.bot() as bot:
        await bot.post(f"{REPO}/check-runs", {"name": name, "head_sha": sha, "conclusion": conclusion})


def test_lists_come_in_pages_that_link_to_each_other(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        pull = await scene.pull({f"apps/{n}.yaml": "x\n" for n in range(7)})
        files = f"{REPO}/pulls/{pull['number']}/files"
        async with scene.bot() as bot:
            first = await bot.call("GET", f"{files}?per_page=3")
            relations = dict(re.findall(r'[?&]page=(\d)[^>]*>; rel="(\w+)"', first.headers["Link"]))
            assert relations == {"2": "next", "3": "last"}
            last = await bot.call("GET", f"{files}?per_page=3&page=3")
            assert [f["filename"] for f in last.json] == ["apps/6.yaml"]
            assert 'rel="prev"' in last.headers["Link"] and 'rel="next"' not in last.headers["Link"]

    play(tmp_path, act)


def test_files_and_commits_stop_at_a_cap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (routes_pulls.FILES_CAP, routes_pulls.COMMITS_CAP) == (3000, 250)
    monkeypatch.setattr(routes_pulls, "FILES_CAP", 4)
    monkeypatch.setattr(routes_pulls, "COMMITS_CAP", 2)

    async def act(scene: Scene) -> None:
        clone = await scene.clone("alice")
        for n in range(5):
            await clone.commit({f"apps/{n}.yaml": "x\n"}, branch="topic")
        await clone.push("topic")
        async with scene.person("alice") as alice:
            pull = await alice.post(f"{REPO}/pulls", {"title": "Big", "head": "topic", "base": "main"})
            assert (pull["changed_files"], pull["commits"]) == (5, 5)
            assert len(await alice.get(f"{REPO}/pulls/{pull['number']}/files?per_page=100")) == 4
            assert len(await alice.get(f"{REPO}/pulls/{pull['number']}/commits?per_page=100")) == 2

    play(tmp_path, act)


def test_a_file_is_added_changed_removed_or_renamed_from(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        text = "".join(f"line {n}\n" for n in range(1, 41))
        changes = {"apps/web/deployment.yaml": None, "apps/web/deploy.yaml": text + "more\n", "new.yaml": "a\n"}
        pull = await scene.pull({**changes, "README.md": None})
        async with scene.bot() as bot:
            files = {f["filename"]: f for f in await bot.get(f"{REPO}/pulls/{pull['number']}/files")}
        statuses = {name: f["status"] for name, f in files.items()}
        assert statuses == {"README.md": "removed", "apps/web/deploy.yaml": "renamed", "new.yaml": "added"}
        assert files["apps/web/deploy.yaml"]["previous_filename"] == "apps/web/deployment.yaml"
        assert files["new.yaml"]["patch"] == "@@ -0,0 +1 @@\n+a"
        assert (files["apps/web/deploy.yaml"]["additions"], files["README.md"]["deletions"]) == (1, 1)

    play(tmp_path, act)


def test_an_author_whom_github_does_not_know_is_null(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        clone = await scene.clone("alice")
        await clone.git("checkout", "--quiet", "-b", "topic")
        (clone.folder / "x.yaml").write_text("x\n")
        await clone.git("add", ".")
        await clone.git("commit", "--quiet", "--author", "Ghost <ghost@nowhere.test>", "-m", "x")
        await clone.push("topic")
        async with scene.person("alice") as alice:
            pull = await alice.post(f"{REPO}/pulls", {"title": "x", "head": "topic", "base": "main"})
            (commit,) = await alice.get(f"{REPO}/pulls/{pull['number']}/commits")
        assert commit["author"] is None and commit["committer"]["login"] == "alice"

    play(tmp_path, act)


def test_a_fork_brings_its_head_into_the_parent(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.github.fork("org/config", "mallory")
        clone = await scene.clone("mallory", "mallory/config")
        sha = await clone.commit({"README.md": "forked\n"}, branch="topic")
        await clone.push("topic")
        async with scene.person("mallory") as mallory:
            pull = await mallory.post(f"{REPO}/pulls", {"title": "x", "head": "mallory:topic", "base": "main"})
            assert pull["head"]["repo"]["full_name"] == "mallory/config" and pull["head"]["repo"]["fork"]
            refs = scene.github.repository("org/config").git
            assert (await refs.refs("refs/pull"))["refs/pull/1/head"] == sha
            newer = await clone.commit({"README.md": "forked again\n"}, branch="topic")
            await clone.push("topic")
            assert (await mallory.get(f"{REPO}/pulls/1"))["head"]["sha"] == newer

    play(tmp_path, act)


def test_protection_refuses_a_merge_until_checks_and_people_agree(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        pull = await scene.pull({"README.md": "new\n"})
        number, sha = pull["number"], pull["head"]["sha"]
        assert pull["mergeable_state"] == "blocked"
        async with scene.person("dave") as dave, scene.person("mallory") as reader:
            refused = await dave.call("PUT", f"{REPO}/pulls/{number}/merge")
            assert refused.status == 405
            assert "2 of 2 required status checks have not succeeded: 2 expected." in refused.json["message"]
            await _check(scene, "review-bot", sha, "neutral")
            await _check(scene, "review-bot/approvals", sha, "action_required")
            refused = await dave.call("PUT", f"{REPO}/pulls/{number}/merge")
            assert "1 of 2 required status checks have not succeeded: 1 failing." in refused.json["message"]
            await _check(scene, "review-bot/approvals", sha, "success")
            await reader.post(f"{REPO}/pulls/{number}/reviews", {"event": "APPROVE"})
            refused = await dave.call("PUT", f"{REPO}/pulls/{number}/merge")
            assert "At least 1 approving review is required" in refused.json["message"]
            await dave.post(f"{REPO}/pulls/{number}/reviews", {"event": "APPROVE"})
            merged = await dave.call("PUT", f"{REPO}/pulls/{number}/merge", {"merge_method": "squash"})
            assert (merged.status, merged.json["merged"]) == (200, True)

    play(tmp_path, act, BOTH)


def test_a_check_of_another_app_does_not_satisfy_a_rule_that_names_its_source(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        rule = Protection(required_checks=("review-bot",), apps={"review-bot": 1})
        scene.github.protect("org/config", "main", rule)
        pull = await scene.pull({"README.md": "new\n"})
        await _check(scene, "review-bot", pull["head"]["sha"], "success")
        async with scene.person("alice") as alice:
            await alice.post(f"{REPO}/statuses/{pull['head']['sha']}", {"state": "success", "context": "review-bot"})
            assert (await alice.get(f"{REPO}/pulls/1"))["mergeable_state"] == "blocked"

    play(tmp_path, act)


def test_a_push_ends_approvals_where_the_rule_says_so(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"README.md": "new\n"})
        async with scene.person("dave") as dave:
            await dave.post(f"{REPO}/pulls/1/reviews", {"event": "APPROVE"})
            clone = await scene.clone("erin")
            await clone.git("checkout", "--quiet", "topic")
            await clone.commit({"README.md": "newer\n"})
            await clone.push("topic")
            (review,) = await dave.get(f"{REPO}/pulls/1/reviews")
        assert review["state"] == "DISMISSED"
        assert "dismissed" in [d.action for d in scene.github.deliveries if d.event == "pull_request_review"]

    play(tmp_path, act, BOTH)


def test_a_merge_that_names_another_head_is_refused(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"README.md": "new\n"})
        async with scene.person("alice") as alice:
            stale = await alice.call("PUT", f"{REPO}/pulls/1/merge", {"sha": "0" * 40})
        assert stale.status == 409
        assert stale.json["message"] == "Head branch was modified. Review and try the merge again."

    play(tmp_path, act)


@pytest.mark.parametrize(("method", "parents"), [("merge", 2), ("squash", 1), ("rebase", 1)])
def test_every_method_leaves_its_kind_of_commit(tmp_path: Path, method: str, parents: int) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"README.md": "new\n"})
        clone = await scene.clone("dave")
        await clone.commit({"other.yaml": "x\n"}, branch="main")
        await clone.push("main")
        async with scene.person("alice") as alice:
            merged = await alice.put(f"{REPO}/pulls/1/merge", {"merge_method": method})
            commit = await alice.get(f"{REPO}/commits/{merged['sha']}")
            assert len(commit["parents"]) == parents
            for path in ("README.md", "other.yaml"):
                await alice.get(f"{REPO}/contents/{path}?ref=main")
            pull = await alice.get(f"{REPO}/pulls/1")
            assert pull["merged"] and pull["state"] == "closed" and pull["merge_commit_sha"] == merged["sha"]

    play(tmp_path, act)


def test_a_rebase_carries_every_commit_over(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        clone = await scene.clone("alice")
        for name in ("a", "b", "c"):
            await clone.commit({f"{name}.yaml": "x\n", "README.md": f"{name}\n"}, f"Add {name}", branch="topic")
        await clone.push("topic")
        other = await scene.clone("dave")
        await other.commit({"x.yaml": "x\n"}, branch="main")
        await other.push("main")
        async with scene.person("alice") as alice:
            await alice.post(f"{REPO}/pulls", {"title": "x", "head": "topic", "base": "main"})
            await alice.put(f"{REPO}/pulls/1/merge", {"merge_method": "rebase"})
            commits = await alice.get(f"{REPO}/commits?per_page=4")
            assert [c["commit"]["message"] for c in commits] == ["Add c", "Add b", "Add a", "Change"]
            found = await alice.get(f"{REPO}/contents/README.md")
            assert base64.b64decode(found["content"]) == b"c\n"

    play(tmp_path, act)


def test_changes_that_conflict_are_dirty(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"README.md": "mine\n"})
        clone = await scene.clone("dave")
        await clone.commit({"README.md": "theirs\n"}, branch="main")
        await clone.push("main")
        async with scene.person("alice") as alice:
            pull = await alice.get(f"{REPO}/pulls/1")
            assert (pull["mergeable"], pull["mergeable_state"]) == (False, "dirty")
            assert (await alice.call("PUT", f"{REPO}/pulls/1/merge")).status == 405

    play(tmp_path, act)


def test_mergeability_is_not_known_at_once_if_a_test_asks_for_that(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"README.md": "mine\n"})
        scene.github.world.unsettled_reads = 1
        async with scene.person("alice") as alice:
            assert (await alice.get(f"{REPO}/pulls/1"))["mergeable"] is None
            assert (await alice.get(f"{REPO}/pulls/1"))["mergeable"] is True

    play(tmp_path, act)


def test_retargeting_says_what_the_base_was(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        pull = await scene.pull({"README.md": "mine\n"})
        clone = await scene.clone("dave")
        await clone.commit({"x.yaml": "x\n"}, branch="next")
        await clone.push("next")
        async with scene.person("alice") as alice:
            await alice.patch(f"{REPO}/pulls/1", {"base": "next"})
        (event,) = [d for d in scene.github.deliveries if d.action == "edited"]
        assert event.json["changes"] == {"base": {"ref": {"from": "main"}, "sha": {"from": pull["base"]["sha"]}}}
        assert event.json["pull_request"]["base"]["ref"] == "next"
        assert not [d for d in scene.github.deliveries if d.action == "synchronize"]

    play(tmp_path, act)


def test_a_branch_is_brought_up_to_date_with_its_base(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        pull = await scene.pull({"README.md": "mine\n"})
        async with scene.person("alice") as alice:
            assert (await alice.call("PUT", f"{REPO}/pulls/1/update-branch")).status == 422
            clone = await scene.clone("dave")
            await clone.commit({"x.yaml": "x\n"}, branch="main")
            await clone.push("main")
            assert (await alice.call("PUT", f"{REPO}/pulls/1/update-branch")).status == 202
            after = await alice.get(f"{REPO}/pulls/1")
            assert after["head"]["sha"] != pull["head"]["sha"] and after["changed_files"] == 1

    play(tmp_path, act)


def test_a_pull_request_into_a_branch_that_is_deleted_is_closed(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"README.md": "mine\n"})
        clone = await scene.clone("dave")
        await clone.git("branch", "next", "origin/main")
        await clone.push("next")
        async with scene.person("alice") as alice:
            await alice.patch(f"{REPO}/pulls/1", {"base": "next"})
            await alice.delete(f"{REPO}/git/refs/heads/next")
            assert (await alice.get(f"{REPO}/pulls/1"))["state"] == "closed"

    play(tmp_path, act)


def test_many_looks_at_once_agree(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"README.md": "mine\n"})
        clone = await scene.clone("dave")
        async with scene.person("alice") as alice:
            await clone.commit({"x.yaml": "x\n"}, branch="main")
            await clone.push("main")
            looks = await asyncio.gather(*(alice.get(f"{REPO}/pulls/1") for _ in range(8)))
        assert len({p["merge_commit_sha"] for p in looks}) == 1 and all(p["mergeable"] for p in looks)

    play(tmp_path, act)


def test_the_same_branch_is_not_opened_twice_nor_without_commits(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"README.md": "mine\n"})
        async with scene.person("alice") as alice:
            twice = await alice.call("POST", f"{REPO}/pulls", {"title": "x", "head": "topic", "base": "main"})
            none = await alice.call("POST", f"{REPO}/pulls", {"title": "x", "head": "main", "base": "main"})
            unknown = await alice.call("POST", f"{REPO}/pulls", {"title": "x", "head": "nope", "base": "main"})
        assert "already exists for org:topic" in twice.json["errors"][0]["message"]
        assert none.json["errors"][0]["message"] == "No commits between main and main"
        assert unknown.json["errors"][0]["field"] == "head"

    play(tmp_path, act)


def test_a_list_is_found_by_head_base_and_state(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"README.md": "one\n"}, branch="one")
        await scene.pull({"README.md": "two\n"}, branch="two", by="dave")
        async with scene.person("alice") as alice:
            await alice.patch(f"{REPO}/pulls/1", {"state": "closed"})
            found = {q: [p["number"] for p in await alice.get(f"{REPO}/pulls?{q}")] for q in QUERIES}
        assert found == QUERIES

    play(tmp_path, act)


QUERIES = {
    "": [2],
    "state=all": [2, 1],
    "state=closed": [1],
    "state=all&direction=asc": [1, 2],
    "state=all&head=org:one": [1],
    "base=next": [],
}
