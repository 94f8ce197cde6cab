"""Setting a branch's protection keeps all that was there, and adds what the gate needs."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from review_bot.core.protection import App, State, needs
from review_bot.github.protection import classic_of, mended, otherwise, ruleset_of

CHECKS = ("review-bot", "review-bot/approvals")
SWITCHES = (
    "required_linear_history",
    "block_creations",
    "required_conversation_resolution",
    "lock_branch",
    "allow_fork_syncing",
)


def people(kind: str, *names: str) -> list[dict[str, str]]:
    return [{"login" if kind == "users" else "slug": name} for name in names]


def listed(**kinds: tuple[str, ...]) -> dict[str, Any]:
    return {kind: people(kind, *kinds.get(kind, ())) for kind in ("users", "teams", "apps")}


LISTED = st.builds(listed, users=st.sampled_from([(), ("carol",)]), apps=st.sampled_from([(), ("releaser",)]))
CHECK = st.fixed_dictionaries(
    {"context": st.sampled_from([*CHECKS, "build", "lint"]), "app_id": st.sampled_from([None, -1, 12, 99])}
)
PROTECTION = st.fixed_dictionaries(
    {
        "enforce_admins": st.fixed_dictionaries({"enabled": st.booleans()}),
        "allow_force_pushes": st.fixed_dictionaries({"enabled": st.booleans()}),
        "allow_deletions": st.fixed_dictionaries({"enabled": st.booleans()}),
        **{name: st.fixed_dictionaries({"enabled": st.booleans()}) for name in SWITCHES},
    },
    optional={
        "required_status_checks": st.fixed_dictionaries(
            {"strict": st.booleans(), "checks": st.lists(CHECK, max_size=5, unique_by=lambda c: c["context"])}
        ),
        "required_pull_request_reviews": st.fixed_dictionaries(
            {
                "dismiss_stale_reviews": st.booleans(),
                "require_code_owner_reviews": st.booleans(),
                "require_last_push_approval": st.booleans(),
                "required_approving_review_count": st.integers(0, 6),
            },
            optional={"dismissal_restrictions": LISTED, "bypass_pull_request_allowances": LISTED},
        ),
        "restrictions": LISTED,
    },
)


@given(st.none() | PROTECTION)
def test_nothing_that_was_asked_for_is_asked_for_less(row: dict[str, Any] | None) -> None:
    before, body = row or {}, mended(row, CHECKS, 12)
    asked = {(c["context"], c["app_id"]) for c in body["required_status_checks"]["checks"]}
    for check in before.get("required_status_checks", {}).get("checks", []):
        source = -1 if check["app_id"] is None else check["app_id"]
        assert (check["context"], source) in asked or (check["context"] in CHECKS and (check["context"], 12) in asked)
    assert body["required_status_checks"]["strict"] or not before.get("required_status_checks", {}).get("strict")
    for name in SWITCHES:
        assert body[name] is before.get(name, {}).get("enabled", False)
    for name, value in before.get("required_pull_request_reviews", {}).items():
        told = body["required_pull_request_reviews"][name]
        if name == "bypass_pull_request_allowances":
            assert told == {"users": [], "teams": [], "apps": []}
        elif name == "dismissal_restrictions":
            assert told == names(value)
        else:
            assert told == value
    assert body["restrictions"] == (names(before["restrictions"]) if "restrictions" in before else None)


def names(row: dict[str, Any]) -> dict[str, list[str]]:
    return {kind: [next(iter(one.values())) for one in row[kind]] for kind in ("users", "teams", "apps")}


@given(st.none() | PROTECTION)
def test_what_is_set_is_all_that_the_gate_needs(row: dict[str, Any] | None) -> None:
    rules = classic_of(as_shown(mended(row, CHECKS, 12)))
    held = {need.name for need in needs([rules], CHECKS, App(12, "review-bot")) if need.state is State.OK}
    elsewhere = {
        f"check {check['context']}"
        for check in (row or {}).get("required_status_checks", {}).get("checks", [])
        if check["context"] in CHECKS and check["app_id"] == 99
    }
    wanted = {*(f"check {check}" for check in CHECKS), "pull requests", "no force pushes", "no deletion", "no bypass"}
    # A check that another App must make was meant by somebody: it is told, and left.
    assert held == wanted - elsewhere


@given(PROTECTION)
def test_setting_it_again_changes_nothing(row: dict[str, Any]) -> None:
    once = mended(row, CHECKS, 12)
    assert mended(as_shown(once), CHECKS, 12) == once


def as_shown(body: dict[str, Any]) -> dict[str, Any]:
    """What GitHub shows of a branch once this was set."""
    shown: dict[str, Any] = {
        name: {"enabled": body[name]} for name in ("enforce_admins", "allow_force_pushes", "allow_deletions", *SWITCHES)
    }
    reviews = dict(body["required_pull_request_reviews"])
    for name in ("dismissal_restrictions", "bypass_pull_request_allowances"):
        if name in reviews:
            reviews[name] = listed(**{kind: tuple(found) for kind, found in reviews[name].items()})
    shown["required_pull_request_reviews"] = reviews
    shown["required_status_checks"] = body["required_status_checks"]
    if body["restrictions"] is not None:
        shown["restrictions"] = listed(**{kind: tuple(found) for kind, found in body["restrictions"].items()})
    return shown


@given(st.none() | PROTECTION)
def test_what_github_shows_of_it_afterwards_is_what_was_set(row: dict[str, Any] | None) -> None:
    body = mended(row, CHECKS, 12)
    assert otherwise(body, mended(as_shown(body), CHECKS, 12)) == ()


def test_what_github_shows_otherwise_is_named() -> None:
    row = {"required_status_checks": {"strict": True, "checks": [{"context": "build", "app_id": 77}]}}
    body = mended({**row, "restrictions": listed(), "lock_branch": {"enabled": True}}, CHECKS, 12)
    assert otherwise(body, mended(None, CHECKS, 12)) == ("required_status_checks", "restrictions", "lock_branch")


def test_checks_are_sent_with_their_sources_and_not_as_contexts_which_github_refuses_beside_them() -> None:
    body = mended({"required_status_checks": {"strict": False, "contexts": ["build", "review-bot"]}}, CHECKS, 12)
    assert body["required_status_checks"] == {
        "strict": False,
        "checks": [
            {"context": "build", "app_id": -1},
            {"context": "review-bot", "app_id": 12},
            {"context": "review-bot/approvals", "app_id": 12},
        ],
    }


def test_a_protection_that_does_not_say_whether_it_may_be_rewritten_does_not_count() -> None:
    rules = classic_of({"enforce_admins": {"enabled": True}})
    assert (rules.no_force_pushes, rules.no_deletion, rules.reviews) == (False, False, None)


def test_who_may_go_around_a_ruleset_is_named() -> None:
    actors = [
        {"actor_type": "OrganizationAdmin", "actor_id": None, "bypass_mode": "always"},
        {"actor_type": "RepositoryRole", "actor_id": 5, "bypass_mode": "pull_request"},
        {"actor_type": "RepositoryRole", "actor_id": 77, "bypass_mode": "always"},
        {"actor_type": "Team", "actor_id": 8, "bypass_mode": "always"},
        {"actor_type": "Integration", "actor_id": 9, "bypass_mode": "exempt"},
        {"actor_type": "DeployKey", "actor_id": None},
    ]
    rules = ruleset_of([{"type": "deletion", "ruleset_id": 3}], {"name": "main", "bypass_actors": actors})
    assert rules.name == "ruleset main"
    assert rules.bypass == (
        "the organisation's owners",
        "the role admin (in pull requests)",
        "the custom role 77",
        "team 8",
        "App 9",
        "deploy keys",
    )


def test_a_ruleset_that_can_not_be_seen_tells_not_who_goes_around_it() -> None:
    rules = ruleset_of([{"type": "deletion", "ruleset_id": 3}], {})
    assert (rules.name, rules.bypass, rules.no_deletion) == ("ruleset 3", None, True)
