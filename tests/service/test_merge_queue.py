"""A merge queue's group is reviewed on its own merged tree, needs the approvals of its members, and can fail."""

from __future__ import annotations

import asyncio
from pathlib import Path

from test_merging import told
from town import DEPLOYMENT, FILES, REPOSITORY, Town, played, town

from review_bot.demo.github.git import run
from review_bot.demo.github.render_commits import simple_commit
from review_bot.demo.github.state import Protection

BUMP = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")}
CHECKS = ("review-bot", "review-bot/approvals")


def queued(here: Town) -> None:
    """Let main have a merge queue."""
    apps = {name: here.github.app.id for name in CHECKS}
    rule = Protection(required_checks=CHECKS, apps=apps, merge_queue=True)
    here.github.protect(REPOSITORY, "main", rule)


async def approved(here: Town, branch: str, files: dict[str, str]) -> tuple[int, str]:
    number, sha = await here.open(branch, files)
    await here.completed(sha)
    await here.carol.review(REPOSITORY, number)
    await here.completed(sha, conclusion="success")
    return number, sha


async def judged(here: Town, group: str) -> tuple[str, str]:
    """The conclusions of verdict and gate on a group's commit, once both are there."""
    gate = await here.completed(group)
    verdict = await here.completed(group, "review-bot")
    return verdict["conclusion"], gate["conclusion"]


def test_a_group_of_an_approved_pull_request_is_merged(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        queued(here)
        number, _ = await approved(here, "bump", BUMP)
        group = await here.github.enqueue(REPOSITORY, number)
        assert await judged(here, group) == ("success", "success")
        assert await here.github.finish_queue(REPOSITORY, number) is True
        await here.alice.fetch(here.work)
        assert (await run(here.work, "rev-parse", "origin/main")).decode().strip() == group

    played(tmp_path, story)


def test_a_group_without_approval_fails_and_is_dropped(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        queued(here)
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        group = await here.github.enqueue(REPOSITORY, number)
        assert await judged(here, group) == ("success", "failure")
        gate = (await here.runs(group))["review-bot/approvals"]
        assert f"#{number}" in gate["output"]["title"] and "has not approved" in gate["output"]["summary"]
        assert await here.github.finish_queue(REPOSITORY, number) is False

    played(tmp_path, story)


def test_two_harmless_changes_that_do_a_third_thing_together_fail(tmp_path: Path) -> None:
    """Each was approved by itself; what the second does on top of the first nobody has seen."""
    files = {
        **FILES,
        "app/kustomization.yaml": "resources: [deploy.yaml]\n",
        "app/patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n",
    }
    first = {"app/kustomization.yaml": "resources: [deploy.yaml]\npatches: [{path: patch.yaml}]\n"}
    second = {"app/patch.yaml": files["app/patch.yaml"].replace("replicas: 2", "replicas: 40")}

    async def story(here: Town) -> None:
        queued(here)
        one, _ = await approved(here, "one", first)
        two, _ = await approved(here, "two", second)
        groups = [await here.github.enqueue(REPOSITORY, number) for number in (one, two)]
        assert await judged(here, groups[0]) == ("success", "success")
        assert await judged(here, groups[1]) == ("success", "failure")
        summary = (await here.runs(groups[1]))["review-bot/approvals"]["output"]["summary"]
        assert f"✓ #{one} is approved" in summary and f"✗ #{two}: what it does here is not the effect" in summary
        assert await here.github.finish_queue(REPOSITORY, one) is True
        assert await here.github.finish_queue(REPOSITORY, two) is False

    played(tmp_path, story, files)


def test_groups_stand_on_each_other_and_merge_in_order(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        queued(here)
        one, _ = await approved(here, "one", BUMP)
        two, _ = await approved(here, "two", {"README.md": "hello again\n"})
        groups = [await here.github.enqueue(REPOSITORY, number) for number in (one, two)]
        for group in groups:
            assert await judged(here, group) == ("success", "success")
        for number in (one, two):
            assert await here.github.finish_queue(REPOSITORY, number) is True

    played(tmp_path, story)


def test_an_approval_that_is_taken_back_turns_a_group_that_had_passed(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        queued(here)
        number, _ = await approved(here, "bump", BUMP)
        group = await here.github.enqueue(REPOSITORY, number)
        assert await judged(here, group) == ("success", "success")
        await here.carol.review(REPOSITORY, number, "REQUEST_CHANGES", "wait")
        await here.completed(group, conclusion="failure")
        assert await here.github.finish_queue(REPOSITORY, number) is False

    played(tmp_path, story)


def test_a_merged_tree_that_breaks_a_policy_fails(tmp_path: Path) -> None:
    """The branch was green; main has moved on to a policy that it breaks, and the bot has not seen that yet."""

    async def story(here: Town) -> None:
        queued(here)
        number, _ = await approved(here, "bump", BUMP)
        here.github.mishaps.lose = True
        stricter = FILES["policies/main.rego"].replace('":latest"', '":1.5.0"')
        repository = here.github.repository(REPOSITORY)
        tip = await repository.git.branch("main") or ""
        tree = await repository.git.edit(tip, {"policies/main.rego": stricter.encode()})
        author = here.github.hub.web_flow()
        moved = await repository.git.commit_tree(tree, [tip], "stricter", author, author)
        await repository.git.update_ref("refs/heads/main", moved)
        here.github.mishaps.lose = False
        group = await here.github.enqueue(REPOSITORY, number)
        assert await judged(here, group) == ("failure", "failure")

    played(tmp_path, story)


async def pretended(here: Town, branch: str, sha: str, base: str) -> None:
    """A branch that is only named like a group's, and the event that GitHub would send for one."""
    repository = here.github.repository(REPOSITORY)
    await repository.git.update_ref(f"refs/heads/{branch}", sha)
    group = {
        "head_sha": sha,
        "head_ref": f"refs/heads/{branch}",
        "base_sha": base,
        "base_ref": "refs/heads/main",
        "head_commit": simple_commit(await repository.git.commit(sha)),
    }
    alice = here.github.world.accounts["alice"]
    here.github.hub.emit("merge_group", "checks_requested", {"merge_group": group}, repository, alice)


def test_what_a_group_holds_beyond_its_members_fails(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        queued(here)
        number, sha = await approved(here, "bump", BUMP)
        tip = (await run(here.work, "rev-parse", "origin/main")).decode().strip()
        more = await here.push("more", {"README.md": "smuggled\n"}, start=sha)
        await pretended(here, f"gh-readonly-queue/main/pr-{number}-{tip}", more, tip)
        assert await judged(here, more) == ("success", "failure")
        assert "does not hold what" in (await here.runs(more))["review-bot/approvals"]["output"]["summary"]

    played(tmp_path, story)


def test_a_group_can_not_speak_for_another_pull_request(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        queued(here)
        number, _ = await approved(here, "bump", BUMP)
        other, sha = await here.open("same", BUMP)
        await here.completed(sha)
        tip = (await run(here.work, "rev-parse", "origin/main")).decode().strip()
        await pretended(here, f"gh-readonly-queue/main/pr-{number}-{tip}", sha, tip)
        await here.github.deliver_all()
        third, later = await here.open("third", {"README.md": "x\n"})
        await here.completed(later)
        assert (await here.runs(sha))["review-bot/approvals"]["conclusion"] == "action_required"
        assert other < third

    played(tmp_path, story)


def test_a_group_that_came_or_went_while_the_bot_was_away_is_found(tmp_path: Path) -> None:
    async def story() -> None:
        async with town(tmp_path) as here:
            queued(here)
            async with here.bot():
                number, _ = await approved(here, "bump", BUMP)
            group = await here.github.enqueue(REPOSITORY, number)
            async with here.bot():
                assert await judged(here, group) == ("success", "success")
            assert await here.github.finish_queue(REPOSITORY, number) is True

    asyncio.run(story())


def test_merge_on_a_branch_with_a_queue_is_left_to_the_button(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        queued(here)
        number, _ = await approved(here, "bump", BUMP)
        await here.alice.comment(REPOSITORY, number, "/merge")
        await told(here, number, "Merge when ready")

    played(tmp_path, story)
