"""A pull request in, a review and a gate out: the bot against the stand-in, as people see it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from repositories import DEPLOYMENT, POLICY
from town import BOT, REPOSITORY, Town, played, until

from review_bot.demo.github.git import run

BUMP = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")}
LATEST = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "latest")}


def test_a_good_pull_request_is_reviewed_approved_and_merged(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        waiting = await here.completed(sha)
        assert waiting["conclusion"] == "action_required"
        assert "@carol" in waiting["output"]["title"]
        assert (await here.runs(sha))["review-bot"]["conclusion"] == "success"
        assert await here.alice.merge(REPOSITORY, number) != ""
        await here.carol.review(REPOSITORY, number)
        await here.completed(sha, conclusion="success")
        (comment,) = await here.sticky(number)
        assert "**web** 1.4.2 → 1.5.0 (minor)" in comment
        assert await here.alice.merge(REPOSITORY, number) == ""

    played(tmp_path, story)


def test_a_violation_blocks_and_is_shown_on_its_line(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("latest", LATEST)
        verdict = await here.completed(sha, "review-bot")
        assert verdict["conclusion"] == "failure"
        (mark,) = await here.alice.ask("GET", f"/repos/{REPOSITORY}/check-runs/{verdict['id']}/annotations")
        line = LATEST["app/deploy.yaml"].splitlines().index("          image: example.com/web:latest") + 1
        assert (mark["path"], mark["start_line"], mark["annotation_level"]) == ("app/deploy.yaml", line, "failure")
        await here.completed(sha)
        (review,) = await until_reviewed(here, number)
        assert f"app/deploy.yaml:{line}" in review["body"]
        await here.carol.review(REPOSITORY, number)
        blocked = await here.completed(sha)
        assert blocked["conclusion"] == "action_required"
        assert "policy check failed" in blocked["output"]["title"]

    played(tmp_path, story)


async def until_reviewed(here: Town, number: int) -> list[dict[str, object]]:
    async def own() -> list[dict[str, object]] | None:
        return [r for r in await here.alice.reviews(REPOSITORY, number) if r["user"]["login"] == BOT] or None

    return await until(own, "the bot's review")


def test_an_approval_ends_when_the_effect_changes_and_stands_when_it_does_not(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        await here.carol.review(REPOSITORY, number)
        await here.completed(sha, conclusion="success")
        # The same effect, written otherwise.
        same = await here.push("bump", {"app/deploy.yaml": "# the new one\n" + BUMP["app/deploy.yaml"]})
        await here.completed(same, conclusion="success")
        other = await here.push("bump", {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.6.0")})
        output = (await here.completed(other, conclusion="action_required"))["output"]
        assert f"`carol` approved another effect at {sha[:7]}" in output["summary"]
        lines = output["text"].splitlines()
        assert any(line.startswith("-+") and "web:1.5.0" in line for line in lines)
        assert any(line.startswith("++") and "web:1.6.0" in line for line in lines)
        assert await here.alice.merge(REPOSITORY, number) != ""

    played(tmp_path, story)


def test_a_comment_approves_what_was_shown_when_it_was_written(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        await here.alice.comment(REPOSITORY, number, "/approve")
        await here.mallory.comment(REPOSITORY, number, "/approve")
        await here.dave.comment(REPOSITORY, number, "looks right\n\n/approve")
        await here.completed(sha, conclusion="success")
        other = await here.push("bump", {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.6.0")})
        await here.completed(other, conclusion="action_required")

    played(tmp_path, story)


def test_a_new_push_leaves_one_comment_one_review_and_nothing_in_progress(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, first = await here.open("latest", LATEST)
        await here.completed(first)
        (before,) = await until_reviewed(here, number)
        second = await here.push("latest", BUMP)
        await here.completed(second)

        async def updated() -> bool | None:
            (comment,) = await here.sticky(number)
            (review,) = await until_reviewed(here, number)
            done = f"head {second[:7]}" in comment and "Nothing is left" in str(review["body"])
            return (done and review["id"] == before["id"]) or None

        await until(updated, "comment and review on the new head")
        inline = await here.alice.ask("GET", f"/repos/{REPOSITORY}/pulls/{number}/comments")
        assert inline == []
        for sha in (first, second):
            assert {r["status"] for r in await here.alice.runs(REPOSITORY, sha, filter="all")} == {"completed"}

    played(tmp_path, story)


def test_a_burst_of_pushes_ends_with_the_newest_head_reviewed_and_no_run_left_open(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        heads = [sha]
        for patch in range(6):
            heads.append(await here.push("bump", {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", f"1.5.{patch + 1}")}))
        await here.completed(heads[-1])

        async def quiet() -> bool | None:
            states = {r["status"] for h in heads for r in await here.alice.runs(REPOSITORY, h, filter="all")}
            return states == {"completed"} or None

        await until(quiet, "no run in progress")
        (comment,) = await here.sticky(number)
        assert "1.5.6" in comment

    played(tmp_path, story)


def test_a_pull_request_from_a_fork_is_reviewed_by_the_base(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        here.github.fork(REPOSITORY, "mallory")
        await run(here.work, "checkout", "--quiet", "-B", "weaken", "origin/main")
        weaker = {
            **LATEST,
            "policies/main.rego": POLICY.replace(":latest", ":oldest"),
            "OWNERS": "approvers: [mallory]\n",
        }
        sha = await here.mallory.commit(here.work, weaker, "weaken")
        await here.mallory.push(here.work, "mallory/config", "weaken")
        number = await here.mallory.open_pull(REPOSITORY, "mallory:weaken", "Weaken")
        assert (await here.completed(sha, "review-bot"))["conclusion"] == "failure"
        await here.mallory.review(REPOSITORY, number, "COMMENT", "/approve")
        gate = await here.completed(sha)
        assert gate["conclusion"] != "success"
        assert "@mallory" not in gate["output"]["title"]

    played(tmp_path, story)


def test_a_policy_that_lands_on_the_base_turns_the_gate_of_open_pull_requests_back(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        await here.carol.review(REPOSITORY, number)
        await here.completed(sha, conclusion="success")
        stricter = POLICY.replace('":latest"', '":1.5.0"')
        _, other = await here.open("stricter", {"policies/main.rego": stricter})
        await here.completed(other)
        await here.dave.review(REPOSITORY, 2)
        await here.completed(other, conclusion="success")
        assert await here.alice.merge(REPOSITORY, 2) == ""
        await here.completed(sha, "review-bot", "failure")
        await here.completed(sha, conclusion="action_required")

    played(tmp_path, story)


def test_a_base_that_moves_elsewhere_costs_no_write(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        _, other = await here.open("docs", {"README.md": "hello again\n"})
        await here.completed(other)
        await here.dave.review(REPOSITORY, 2)
        await here.completed(other, conclusion="success")

        async def said() -> list[str] | None:
            return await here.sticky(number) or None

        (before,) = await until(said, "the comment")
        assert await here.alice.merge(REPOSITORY, 2) == ""
        tip = (await here.alice.ask("GET", f"/repos/{REPOSITORY}/branches/main"))["commit"]["sha"]

        async def seen() -> bool | None:
            with closing(sqlite3.connect(here.root / "state" / "bot.sqlite")) as database:
                tips = database.execute("SELECT tip FROM reviews WHERE number = ?", (number,)).fetchall()
            return tips == [(tip,)] or None

        await until(seen, "a look at the moved base")
        assert await here.sticky(number) == [before]

    played(tmp_path, story)


def test_a_draft_is_reviewed_and_waits_until_it_is_ready(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP, draft=True)
        gate = await here.completed(sha)
        assert "draft" in gate["output"]["title"]
        await here.github.ready(REPOSITORY, number)

        async def waiting() -> bool | None:
            return "Waiting for" in (await here.runs(sha))["review-bot/approvals"]["output"]["title"] or None

        await until(waiting, "the gate of a ready pull request")

    played(tmp_path, story)


def test_a_change_that_deploys_nothing_is_neutral_and_still_needs_an_owner(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("docs", {"README.md": "hello again\n"})
        assert (await here.completed(sha, "review-bot"))["conclusion"] == "neutral"
        assert (await here.completed(sha))["conclusion"] == "action_required"
        await here.dave.review(REPOSITORY, number)
        await here.completed(sha, conclusion="success")

    played(tmp_path, story)


def test_rerun_reviews_anew(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        _, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        run_id = (await here.runs(sha))["review-bot"]["id"]
        await here.alice.ask("POST", f"/repos/{REPOSITORY}/check-runs/{run_id}/rerequest")

        async def again() -> bool | None:
            return (await here.runs(sha))["review-bot"]["status"] == "completed" or None

        await until(again, "the run that was asked for again")

    played(tmp_path, story)


def test_hundreds_of_findings_are_all_annotated_and_the_comment_stays_in_its_limit(tmp_path: Path) -> None:
    names = [f"web-{n:03}" for n in range(300)]
    documents = "---\n".join(DEPLOYMENT.replace("name: web\nspec", f"name: {n}\nspec") for n in names)

    async def story(here: Town) -> None:
        number, sha = await here.open("many", {"app/many.yaml": documents.replace("1.4.2", "latest")})
        verdict = await here.completed(sha, "review-bot")
        assert verdict["output"]["annotations_count"] == 300
        await here.completed(sha)

        async def said() -> str | None:
            return next(iter(await here.sticky(number)), None)

        comment = await until(said, "the comment")
        assert len(comment.encode()) < 65_536
        assert "Left out for length" in comment

    played(tmp_path, story)


def test_a_laxer_branch_can_not_turn_the_runs_of_a_shared_head_green(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        # A branch without the policy and without owners, and on it the head that main would refuse.
        await here.push(
            "lax", {"policies/main.rego": None, "OWNERS": "approvers: [mallory, dave]\n"}, start="origin/main"
        )
        number, sha = await here.open("latest", LATEST, base="lax")
        await here.completed(sha, "review-bot", "success")
        await here.dave.review(REPOSITORY, number)
        await here.completed(sha, conclusion="success")
        strict = await here.alice.open_pull(REPOSITORY, "latest", "The same for main")
        await here.completed(sha, "review-bot", "failure")
        await here.completed(sha, conclusion="action_required")
        assert await here.alice.merge(REPOSITORY, strict) != ""
        # Whatever is looked at again, in whatever order, it stays so until they part.
        await here.dave.comment(REPOSITORY, number, "/review")
        await here.completed(sha, "review-bot", "failure")
        await here.alice.ask("PATCH", f"/repos/{REPOSITORY}/pulls/{strict}", {"state": "closed"})
        await here.completed(sha, "review-bot", "success")
        await here.completed(sha, conclusion="success")

    played(tmp_path, story)
