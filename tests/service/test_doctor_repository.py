"""`review-bot doctor --repository` against GitHub's stand-in: what gets past the gate is told, and can be set."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from repositories import run
from town import REPOSITORY, Town, town

from review_bot.demo.github.faults import Fault
from review_bot.demo.github.state import Protection

CHECKS = ("review-bot", "review-bot/approvals")
QUEUE = {
    "check_response_timeout_minutes": 60,
    "grouping_strategy": "ALLGREEN",
    "max_entries_to_build": 5,
    "max_entries_to_merge": 5,
    "merge_method": "SQUASH",
    "min_entries_to_merge": 1,
    "min_entries_to_merge_wait_minutes": 5,
}


def told(root: Path, story: Callable[[Town], Awaitable[None]]) -> None:
    async def play() -> None:
        async with town(root) as here:
            await story(here)

    asyncio.run(play())


async def doctor(here: Town, *words: str, repository: str = REPOSITORY) -> tuple[int, str]:
    """Exit status, and all that was said."""
    env = {
        "GITHUB_APP_ID": str(here.github.app.id),
        "GITHUB_PRIVATE_KEY": here.github.app.private_key,
        "GITHUB_API_URL": here.github.api_url,
    }
    done = await asyncio.to_thread(run, "doctor", "--repository", repository, *words, env=os.environ | env)
    return done.returncode, done.stdout + done.stderr


async def needs(here: Town, *words: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Exit status, the state of each need, and all about the branch."""
    status, text = await doctor(here, *words, "-o", "json")
    (branch,) = json.loads(text)["branches"]
    return status, {need["name"]: need["state"] for need in branch["needs"]}, branch


def may_write(here: Town) -> None:
    """The App gets administration: write, as an operator would give it for a moment."""
    (installation,) = here.github.world.installations.values()
    installation.permissions = {**installation.permissions, "administration": "write"}


def writes(here: Town) -> list[str]:
    return [
        f"{r.method} {r.path}" for r in here.github.requests if r.method not in ("GET", "HEAD") and "/repos/" in r.path
    ]


def whole(here: Town) -> Protection:
    return Protection(CHECKS, dict.fromkeys(CHECKS, here.github.app.id), enforce_admins=True)


def test_a_repository_that_lets_nothing_past_the_gate_is_fine(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        here.github.protect(REPOSITORY, "main", whole(here))
        status, text = await doctor(here)
        assert status == 0, text
        assert f"org/config, branch main, for the App review-bot ({here.github.app.id})" in text
        assert "✗" not in text and "?" not in text

    told(tmp_path, story)


def test_what_is_missing_is_said_with_the_next_step(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        rule = Protection(CHECKS[:1], enforce_admins=False, bypass=("dave", "org/security"))
        here.github.protect(REPOSITORY, "main", replace(rule, switches=frozenset({"allow_force_pushes"})))
        status, text = await doctor(here)
        assert status == 1
        assert "✗ review-bot is required, but from anybody" in text
        assert "✗ review-bot/approvals is not required" in text
        assert "    → require the status check review-bot/approvals with review-bot as its source" in text
        assert "✗ force pushes may take back what was approved" in text
        assert "✗ administrators, dave and security may go around the branch protection" in text
        assert "✓ nobody may delete the branch" in text
        assert "· stale reviews: GitHub keeps them" in text

    told(tmp_path, story)


def test_a_branch_without_any_protection_lacks_everything(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        here.github.repository(REPOSITORY).protections.clear()
        status, states, _ = await needs(here)
        assert status == 1
        assert set(states.values()) == {"missing"}

    told(tmp_path, story)


def test_fix_sets_what_is_missing_once_and_keeps_what_is_there(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        may_write(here)
        before = Protection(
            ("build", "review-bot"),
            {"build": 77},
            required_approvals=2,
            dismiss_stale=True,
            strict=True,
            code_owners=True,
            last_push=True,
            switches=frozenset({"required_linear_history", "required_signatures", "allow_deletions"}),
            bypass=("dave",),
            pushers=("carol", "org/security"),
        )
        here.github.protect(REPOSITORY, "main", before)
        status, text = await doctor(here, "--fix")
        assert status == 0, text
        assert "! the branch protection was set" in text
        id = here.github.app.id
        assert here.github.repository(REPOSITORY).protections["main"] == replace(
            before,
            required_checks=("build", *CHECKS),
            apps={"build": 77, **dict.fromkeys(CHECKS, id)},
            enforce_admins=True,
            switches=frozenset({"required_linear_history", "required_signatures"}),
            bypass=(),
        )
        done = len(writes(here))
        assert (await doctor(here, "--fix"))[0] == 0
        assert len(writes(here)) == done

    told(tmp_path, story)


def test_fix_keeps_what_a_rule_for_a_pattern_asked_of_the_branch(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        may_write(here)
        protections = here.github.repository(REPOSITORY).protections
        protections.clear()
        protections["ma*"] = Protection(required_approvals=1, switches=frozenset({"required_signatures"}))
        assert (await doctor(here, "--fix"))[0] == 0
        assert protections["main"].required_approvals == 1
        assert protections["main"].switches == {"required_signatures"}

    told(tmp_path, story)


def test_fix_writes_nothing_where_what_is_missing_lies_elsewhere(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        may_write(here)
        (installation,) = here.github.world.installations.values()
        installation.permissions = {k: v for k, v in installation.permissions.items() if k != "merge_queues"}
        here.github.protect(REPOSITORY, "main", whole(here))
        here.github.add_ruleset(REPOSITORY, "main", {"type": "merge_queue", "parameters": QUEUE})
        status, text = await doctor(here, "--fix")
        assert status == 1
        assert "✗ the branch has a merge queue, but this App is not told of its groups" in text
        assert "    → what is missing lies elsewhere" in text
        assert writes(here) == []

    told(tmp_path, story)


def test_fix_without_the_permission_changes_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        status, text = await doctor(here, "--fix")
        assert status == 1
        assert "! nothing was set" in text and "Resource not accessible by integration" in text
        assert "administration: write, run this once more, and take it back" in text
        assert not here.github.repository(REPOSITORY).protections["main"].enforce_admins

    told(tmp_path, story)


def test_a_protection_that_can_not_be_read_counts_as_none_and_is_never_written_over(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        here.github.protect(REPOSITORY, "main", whole(here))
        (installation,) = here.github.world.installations.values()
        installation.permissions = {k: v for k, v in installation.permissions.items() if k != "administration"}
        status, text = await doctor(here, "--fix")
        assert status == 1
        assert "the branch protection could not be read, only rulesets count" in text
        assert not [w for w in writes(here) if "/protection" in w]

    told(tmp_path, story)


def test_a_404_that_does_not_say_unprotected_may_hide_a_protection_and_nothing_is_written(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        may_write(here)
        lost = '{"message": "Not Found", "documentation_url": "", "status": "404"}'
        here.github.fault(Fault("GET", r".*/protection", status=404, body=lost, times=9))
        status, text = await doctor(here, "--fix")
        assert status == 1
        assert "the branch protection could not be read, only rulesets count" in text and "nothing was set" in text
        assert writes(here) == []

    told(tmp_path, story)


def test_rulesets_that_the_plan_does_not_have_are_said_and_the_branch_protection_counts(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        here.github.protect(REPOSITORY, "main", whole(here))
        plan = '{"message": "Upgrade to GitHub Pro", "documentation_url": "", "status": "403"}'
        here.github.fault(Fault("GET", r".*/rules/branches/.*", status=403, body=plan, times=9))
        status, text = await doctor(here)
        assert status == 0, text
        assert "rulesets could not be read, only the branch protection counts" in text and "Upgrade" in text

    told(tmp_path, story)


def test_a_merge_queue_of_a_branch_protection_shows_by_what_waits_in_it(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        here.github.protect(REPOSITORY, "main", whole(here))
        assert "merge queue" not in (await needs(here))[1]
        await here.open("topic", {"app/notes.txt": "new\n"})
        await here.github.enqueue(REPOSITORY, 1, "alice")
        status, states, _ = await needs(here)
        assert (status, states["merge queue"]) == (0, "ok")

    told(tmp_path, story)


def test_a_setting_that_github_shows_otherwise_after_fix_is_told(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        may_write(here)
        rule = replace(whole(here), enforce_admins=False, switches=frozenset({"required_linear_history"}))
        here.github.protect(REPOSITORY, "main", rule)
        shown = {
            "enforce_admins": {"url": "", "enabled": True},
            "url": "",
            "required_linear_history": {"enabled": False},
        }
        here.github.fault(Fault("GET", r".*/protection", status=200, body=json.dumps(shown), skip=1))
        status, text = await doctor(here, "--fix")
        assert status == 1
        assert "· look at required_linear_history: GitHub shows it otherwise than it was set" in text
        assert "administrators may go around" not in text

    told(tmp_path, story)


@pytest.mark.parametrize(("permission", "state"), [("read", "unknown"), ("write", "ok")])
def test_rulesets_count_once_it_is_known_that_nobody_goes_around_them(
    tmp_path: Path, permission: str, state: str
) -> None:
    async def story(here: Town) -> None:
        if permission == "write":
            may_write(here)
        here.github.repository(REPOSITORY).protections.clear()
        here.github.add_ruleset(REPOSITORY, "main", *ruleset(here))
        here.github.add_ruleset(REPOSITORY, "trial", {"type": "deletion"}, enforcement="evaluate")
        status, states, branch = await needs(here)
        assert states.pop("no bypass") == state
        assert set(states.values()) == {"ok"}
        assert states["merge queue"] == "ok"
        assert status == (0 if state == "ok" else 1)
        assert "ruleset trial (evaluate): it holds nobody back" in branch["notes"]

    told(tmp_path, story)


def test_who_may_go_around_a_ruleset_is_told(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        may_write(here)
        here.github.repository(REPOSITORY).protections.clear()
        admins = {"actor_type": "RepositoryRole", "actor_id": 5, "bypass_mode": "always"}
        here.github.add_ruleset(REPOSITORY, "main\x1b[2J", *ruleset(here), bypass=(admins,))
        status, text = await doctor(here)
        assert status == 1
        assert "the role admin may go around the ruleset main" in text
        assert "\x1b" not in text

    told(tmp_path, story)


def ruleset(here: Town) -> list[dict[str, Any]]:
    id = here.github.app.id
    required = [{"context": check, "integration_id": id} for check in CHECKS]
    pulls = {
        "dismiss_stale_reviews_on_push": False,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
        "required_approving_review_count": 0,
        "required_review_thread_resolution": False,
    }
    return [
        {"type": "deletion"},
        {"type": "non_fast_forward"},
        {"type": "pull_request", "parameters": pulls},
        {
            "type": "required_status_checks",
            "parameters": {"required_status_checks": required, "strict_required_status_checks_policy": False},
        },
        {"type": "merge_queue", "parameters": QUEUE},
    ]


def test_each_branch_that_is_named_is_looked_at(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        await here.push("release/1.0", {"README.md": "released\n"}, start="origin/main")
        here.github.protect(REPOSITORY, "release/*", whole(here))
        status, text = await doctor(here, "--branch", "release/1.0", "--branch", "main")
        assert status == 1
        assert text.index("branch release/1.0") < text.index("branch main")
        assert (await doctor(here, "--branch", "release/1.0"))[0] == 0

    told(tmp_path, story)


def test_wrong_usage_names_the_next_step(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        for words, repository, said in (
            ((), "org", "'org' is no repository"),
            ((), "org/none", "the App review-bot is not installed on org/none"),
            (("--branch", "none"), REPOSITORY, "org/config has no branch none"),
        ):
            status, text = await doctor(here, *words, repository=repository)
            assert status == 2, text
            assert said in text and "→" in text

    told(tmp_path, story)


def test_github_that_does_not_answer_is_no_verdict(tmp_path: Path) -> None:
    env = {"GITHUB_APP_ID": "1", "GITHUB_PRIVATE_KEY": "none", "GITHUB_API_URL": "http://127.0.0.1:9"}
    assert run("doctor", "--repository", "o/r", env=env).returncode == 2

    async def story(here: Town) -> None:
        env = {"GITHUB_PRIVATE_KEY": here.github.app.private_key, "GITHUB_APP_ID": "1"}
        lost = env | {"GITHUB_API_URL": "http://127.0.0.1:9"}
        done = await asyncio.to_thread(run, "doctor", "--repository", "o/r", env=lost)
        assert done.returncode == 3
        assert "GitHub did not answer" in done.stderr and "Traceback" not in done.stderr
        assert "PRIVATE KEY-----" not in done.stderr

    told(tmp_path, story)


def test_tools_that_only_some_need_are_listed_where_they_are(tmp_path: Path) -> None:
    def listed(**env: str) -> dict[str, bool]:
        rows = json.loads(run("doctor", "-o", "json", env=os.environ | env).stdout)
        return {row["name"]: row["ok"] for row in rows}

    assert {"kustomize-batch", "gitops-words", "tofu"} <= {name for name, ok in listed().items() if ok}
    bare = listed(XDG_CACHE_HOME=str(tmp_path))
    assert "tofu" not in bare and bare["kustomize-batch"] is False
