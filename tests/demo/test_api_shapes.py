"""Every endpoint and every event of the stand-in keeps to GitHub's published models (see `play`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from callers import Caller
from hubs import REPO, Scene, play

from review_bot.demo.github.server import ROUTES

SHIFTED = "".join(f"line {n}\n" for n in range(2, 44))
APP = ("/app", "/app/installations", f"{REPO}/installation", "/orgs/org/installation", "/app/hook/deliveries")
ORGANISATION = (
    "/orgs/org/teams",
    "/orgs/org/teams/security",
    "/orgs/org/teams/security/members",
    "/orgs/org/teams/security/memberships/erin",
    "/orgs/org/members",
    "/orgs/org/memberships/erin",
    "/users/alice",
    "/search/users?q=alice@example.com+in:email",
    "/rate_limit",
    "/installation/repositories",
)
REPOSITORY = (
    "",
    "/branches",
    "/branches/main",
    "/git/ref/heads/main",
    "/git/matching-refs/heads/",
    "/commits",
    "/compare/main...topic",
    "/contents",
    "/contents/README.md",
    "/contents/apps",
    "/pulls",
    "/issues",
    "/issues/comments",
    "/labels",
    "/collaborators",
    "/collaborators/alice/permission",
)
STATUS_CHECKS = {
    "required_status_checks": [{"context": "review-bot", "integration_id": 1}],
    "strict_required_status_checks_policy": False,
}
PULL = ("", "/files", "/commits", "/reviews", "/comments", "/requested_reviewers")
COMMIT = ("", "/check-runs", "/check-suites", "/status", "/statuses", "/pulls")


def test_what_an_app_reads_has_githubs_shape(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        pull = await scene.pull({"apps/web/deployment.yaml": SHIFTED})
        number, sha = pull["number"], pull["head"]["sha"]
        async with scene.as_app() as app:
            for path in (*APP, f"/app/installations/{scene.installation}"):
                await app.get(path)
        paths = [*ORGANISATION, *(REPO + p for p in REPOSITORY), f"{REPO}/issues/{number}"]
        paths += [f"{REPO}/pulls/{number}{p}" for p in PULL] + [f"{REPO}/commits/{sha}{p}" for p in COMMIT]
        async with scene.bot() as bot:
            await bot.post(f"{REPO}/check-runs", {"name": "review-bot", "head_sha": sha, "status": "in_progress"})
            await bot.post(f"{REPO}/statuses/{sha}", {"state": "success", "context": "other"})
            for path in paths:
                await bot.get(path)

    play(tmp_path, act)


def test_what_people_and_the_app_write_has_githubs_shape(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        pull = await scene.pull({"apps/web/deployment.yaml": SHIFTED})
        number, sha = pull["number"], pull["head"]["sha"]
        async with scene.person("alice") as alice, scene.person("carol") as carol, scene.bot() as bot:
            await _comments(alice, bot, number)
            await _checks(alice, bot, sha)
            await _reviews(alice, carol, number)
            await _states(scene, alice, bot, number)
            await carol.put(f"{REPO}/pulls/{number}/merge", {"merge_method": "squash", "sha": sha})
            assert (await bot.get(f"{REPO}/pulls/{number}"))["merged"] is True

    play(tmp_path, act)


async def _comments(alice: Caller, bot: Caller, number: int) -> None:
    made = await bot.post(f"{REPO}/issues/{number}/comments", {"body": "hello"})
    await bot.patch(f"{REPO}/issues/comments/{made['id']}", {"body": "hello again"})
    await alice.post(f"{REPO}/issues/comments/{made['id']}/reactions", {"content": "+1"})
    await bot.get(f"{REPO}/issues/comments/{made['id']}")
    await bot.get(f"{REPO}/issues/comments/{made['id']}/reactions")
    await bot.delete(f"{REPO}/issues/comments/{made['id']}")


async def _checks(alice: Caller, bot: Caller, sha: str) -> None:
    note = {"path": "README.md", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m"}
    output = {"title": "1 problem", "summary": "there", "annotations": [note]}
    run = await bot.post(f"{REPO}/check-runs", {"name": "review-bot", "head_sha": sha, "status": "in_progress"})
    done = {"status": "completed", "conclusion": "failure", "output": output}
    await bot.patch(f"{REPO}/check-runs/{run['id']}", done)
    await bot.get(f"{REPO}/check-runs/{run['id']}")
    await bot.get(f"{REPO}/check-runs/{run['id']}/annotations")
    await bot.get(f"{REPO}/check-suites/{run['check_suite']['id']}")
    await alice.post(f"{REPO}/check-runs/{run['id']}/rerequest")
    await alice.post(f"{REPO}/check-suites/{run['check_suite']['id']}/rerequest")


async def _reviews(alice: Caller, carol: Caller, number: int) -> None:
    reviews = f"{REPO}/pulls/{number}/reviews"
    remark = {"path": "apps/web/deployment.yaml", "line": 40, "body": "why?"}
    review = await carol.post(reviews, {"event": "APPROVE", "body": "fine", "comments": [remark]})
    await carol.get(f"{reviews}/{review['id']}")
    await carol.put(f"{reviews}/{review['id']}", {"body": "fine!"})
    await carol.put(f"{reviews}/{review['id']}/dismissals", {"message": "too early"})
    (asked,) = await carol.get(f"{reviews}/{review['id']}/comments")
    await alice.post(f"{REPO}/pulls/{number}/comments/{asked['id']}/replies", {"body": "because"})
    pending = await carol.post(reviews, {"body": "later"})
    await carol.post(f"{reviews}/{pending['id']}/events", {"event": "REQUEST_CHANGES"})


async def _states(scene: Scene, alice: Caller, bot: Caller, number: int) -> None:
    await alice.post(f"{REPO}/issues/{number}/labels", {"labels": ["big"]})
    await alice.delete(f"{REPO}/issues/{number}/labels/big")
    await alice.post(f"{REPO}/pulls/{number}/requested_reviewers", {"reviewers": ["dave"]})
    await alice.patch(f"{REPO}/pulls/{number}", {"title": "Another title"})
    for state in ("closed", "open"):
        await alice.patch(f"{REPO}/pulls/{number}", {"state": state})
    await scene.github.draft("org/config", number)
    await scene.github.ready("org/config", number)
    issue = await bot.post(f"{REPO}/issues", {"title": "Drift", "labels": ["drift"]})
    await bot.patch(f"{REPO}/issues/{issue['number']}", {"state": "closed"})


def test_protection_and_rulesets_have_githubs_shape(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        rule = {"type": "required_status_checks", "parameters": STATUS_CHECKS}
        made = scene.github.add_ruleset("org/config", "main", rule)
        body = {
            "required_status_checks": {"strict": True, "checks": [{"context": "a", "app_id": -1}]},
            "enforce_admins": True,
            "required_pull_request_reviews": {"bypass_pull_request_allowances": {"users": ["dave"], "teams": []}},
            "restrictions": {"users": ["alice"], "teams": ["security"], "apps": []},
        }
        path = f"{REPO}/branches/main/protection"
        async with scene.person("carol") as admin, scene.person("alice") as writer, scene.bot() as bot:
            assert (await admin.call("GET", path)).json["message"] == "Branch not protected"
            assert (await writer.call("PUT", path, body)).status == 403
            assert (await admin.call("PUT", path, {})).status == 422
            both = {"strict": True, "contexts": ["a"], "checks": [{"context": "a"}]}
            assert (await admin.call("PUT", path, {**body, "required_status_checks": both})).status == 422
            shown = await admin.put(path, body)
            assert shown == await bot.get(path)
            assert shown["required_status_checks"]["checks"] == [{"context": "a", "app_id": None}]
            assert [team["slug"] for team in shown["restrictions"]["teams"]] == ["security"]
            await admin.post(f"{path}/required_signatures")
            assert (await admin.put(path, body))["required_signatures"]["enabled"] is True
            for reader in (admin, bot):
                (row,) = await reader.get(f"{REPO}/rulesets")
                whole = await reader.get(f"{REPO}/rulesets/{row['id']}")
                assert (row["id"], "bypass_actors" in whole) == (made.id, reader is admin)
                (found,) = await reader.get(f"{REPO}/rules/branches/main")
                assert found["ruleset_id"] == made.id

    play(tmp_path, act)


@pytest.mark.parametrize("area", ["/app", "/orgs", "/repos"])
def test_every_area_is_served(area: str) -> None:
    assert any(route.template.startswith(area) for route in ROUTES)
