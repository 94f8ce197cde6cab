"""Rules on the effect: what a change does, who opened it, and what policies ask for."""

from __future__ import annotations

from typing import Any

import pytest
from test_decision import BASE, configured, judged, review

from review_bot.gate.judging import State

CHANGE = BASE["changes"][0]
TEAMS = {"org/security": ["erin"], "org/platform": ["dave", "erin"], "org/data": ["carol"]}


def state(rules: str, **changes: Any) -> dict[str, State]:
    return {r.name: r.state for r in configured(rules, **changes).rules}


@pytest.mark.parametrize(
    ("when", "change", "applies"),
    [
        ("versions: [major]", {"steps": ["major"]}, True),
        ("versions: [major]", {"steps": ["patch"]}, False),
        ("versions: [major, downgrade]", {"steps": ["patch", "downgrade"]}, True),
        ("policies: [no-latest-*]", {"policies": ["no-latest-tag"]}, True),
        ("policies: [no-latest-*]", {}, False),
        ("danger: true", {"dangerous": True}, True),
        ("danger: true", {}, False),
        ("danger: true, environments: [staging]", {"dangerous": True}, False),
    ],
)
def test_a_rule_is_about_what_a_change_does(when: str, change: dict[str, Any], applies: bool) -> None:
    rules = f"    - {{name: r, when: {{{when}}}, require: {{users: [erin]}}}}\n"
    found = state(rules, changes=[{**CHANGE, **change}])
    assert (found["r"] is not State.SKIPPED) is applies


@pytest.mark.parametrize(
    ("when", "applies"),
    [
        ("labels: [infra-*]", True),
        ("labels: [docs]", False),
        ("authors: [Alice]", True),
        ("authors: ['renovate[bot]']", False),
    ],
)
def test_a_rule_is_about_the_pull_request_itself(when: str, applies: bool) -> None:
    rules = f"    - {{name: r, when: {{{when}}}, require: {{users: [erin]}}}}\n"
    found = state(rules, pull_request={**BASE["pull_request"], "labels": ["infra-network"]})
    assert (found["r"] is not State.SKIPPED) is applies


def test_all_conditions_must_be_met_by_one_and_the_same_change() -> None:
    rules = "    - {name: r, when: {danger: true, environments: [production]}, require: {users: [erin]}}\n"
    apart = [{**CHANGE, "environment": "staging", "dangerous": True}, CHANGE]
    assert state(rules, changes=apart)["r"] is State.SKIPPED


@pytest.mark.parametrize(
    ("require", "approvers", "result"),
    [
        ("any: [{users: [dave]}, {teams: [org/security], count: 1}]", ["erin"], State.APPROVED),
        ("any: [{users: [dave]}, {users: [carol]}]", ["erin"], State.PENDING),
        ("all: [{users: [dave]}, {users: [carol]}]", ["dave"], State.PENDING),
        ("all: [{users: [dave]}, {users: [carol]}]", ["dave", "carol"], State.APPROVED),
        ("all: [{any: [{users: [dave]}, {users: [erin]}]}, {owners: true}]", ["erin", "carol"], State.APPROVED),
        ("all: [{any: [{users: [dave]}, {users: [erin]}]}, {owners: true}]", ["erin", "dave"], State.PENDING),
        ("teams: [org/security, org/platform], count: 2, distinct_teams: true", ["erin", "dave"], State.APPROVED),
        ("teams: [org/security, org/platform], count: 2, distinct_teams: true", ["erin"], State.PENDING),
        ("teams: [org/platform, org/data], count: 2, distinct_teams: true", ["erin", "dave"], State.PENDING),
    ],
)
def test_requirements_combine(require: str, approvers: list[str], result: State) -> None:
    rules = f"    - {{name: r, require: {{{require}}}}}\n"
    found = configured(rules, teams=TEAMS, reviews=[review(user) for user in approvers])
    assert found.rules[0].state is result
    assert (found.state is State.APPROVED) is (result is State.APPROVED)


def test_who_can_still_agree_is_named_for_each_alternative() -> None:
    rules = "    - {name: r, require: {any: [{users: [dave]}, {users: [erin]}]}}\n"
    assert configured(rules).rules[0].can_approve == ("dave", "erin")


BOT_RULE = """\
    - name: bumps
      when: {authors: ["renovate[bot]"], environments: [staging], versions: [patch]}
      require: {nobody: true}
"""
BOT = {**BASE["pull_request"], "author": "renovate[bot]"}
BUMP = {**CHANGE, "environment": "staging", "steps": ["patch"]}
BY_BOT = [{**BASE["commits"][0], "author": "renovate[bot]"}]


def test_a_bot_s_patch_in_staging_may_need_nobody() -> None:
    decision = configured(BOT_RULE, pull_request=BOT, commits=BY_BOT, changes=[BUMP])
    assert decision.state is State.APPROVED
    assert decision.summary == "No approval is needed."


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("another author", {"pull_request": BASE["pull_request"]}),
        ("somebody else's commit on the bot's branch", {"commits": [*BY_BOT, BASE["commits"][0]]}),
        ("a co-author", {"commits": [{**BY_BOT[0], "co_authors": ["alice"]}]}),
        ("a commit of nobody known", {"commits": [{**BY_BOT[0], "author": None}]}),
        ("a change elsewhere too", {"changes": [BUMP, {**BUMP, "environment": "production"}]}),
        ("a larger step", {"changes": [{**BUMP, "steps": ["minor"]}]}),
        ("a larger step beside a small one", {"changes": [{**BUMP, "steps": ["patch", "major"]}]}),
        ("a step that is not known", {"changes": [{**BUMP, "steps": []}]}),
        ("a file that no target reads", {"files": [*BASE["files"], {**BASE["files"][0], "path": "x", "targets": []}]}),
        ("a failing check", {"checks": {"policy": "failure"}}),
    ],
)
def test_and_needs_somebody_with(what: str, changes: dict[str, Any]) -> None:
    given = {"pull_request": BOT, "commits": BY_BOT, "changes": [BUMP], **changes}
    assert configured(BOT_RULE, **given).state in (State.PENDING, State.BLOCKED)


IMAGE_ONLY = BOT_RULE.replace("versions: [patch]", 'versions: [patch], fields: ["**.image"]')
IMAGE = "spec.template.spec.containers[0].image"


@pytest.mark.parametrize(
    ("fields", "state"),
    [([IMAGE], State.APPROVED), ([IMAGE, "spec.template.spec.hostNetwork"], State.PENDING)],
)
def test_a_rule_that_asks_nobody_lets_no_other_field_in(fields: list[str], state: State) -> None:
    bump = {**BUMP, "fields": fields}
    assert configured(IMAGE_ONLY, pull_request=BOT, commits=BY_BOT, changes=[bump]).state is state


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("{name: r, require: {nobody: true}}", "needs a `when`"),
        ("{name: r, when: {danger: true}, require: {nobody: true, count: 1}}", "stands alone"),
        ("{name: r, when: {danger: true}, require: {any: [{nobody: true}]}}", "can't hold `nobody`"),
        ("{name: r, when: {danger: false}, require: {owners: true}}", "danger is true"),
        ("{name: r, require: {any: []}}", "not empty"),
        ("{name: r, require: {any: [{count: 0}]}}", "1 or more"),
        ("{name: r, require: {teams: [org/a], count: 2, distinct_teams: true}}", "at least 2 teams"),
        ("{name: r, require: {users: [a], distinct_teams: true}}", "only teams"),
    ],
)
def test_what_makes_no_sense_is_an_error_with_its_line(rule: str, words: str) -> None:
    decision = configured(f"    - {rule}\n", reviews=[review("carol")])
    assert decision.state is State.ERROR
    assert words in decision.summary
    assert ".review-bot.yaml:5" in decision.summary


DEMAND = {
    "rule": "host-network",
    "reason": "the pod shares its node's network",
    "teams": ["org/security"],
    "target": "t",
    "kind": "Deployment",
    "namespace": "web",
    "name": "web",
}


def test_a_policy_can_ask_for_somebody_s_word() -> None:
    decision = judged(demands=[DEMAND])
    assert [(r.name, r.state) for r in decision.rules] == [("host-network", State.PENDING)]
    assert "@erin" in decision.summary
    assert "the pod shares its node's network" in decision.summary
    assert judged(demands=[DEMAND], reviews=[review("erin")]).state is State.APPROVED


def test_what_a_policy_asks_for_stands_beside_the_rules() -> None:
    rules = "    - {name: r, require: {users: [dave]}}\n"
    assert configured(rules, demands=[DEMAND], reviews=[review("dave")]).state is State.PENDING
    assert configured(BOT_RULE, pull_request=BOT, commits=BY_BOT, changes=[BUMP], demands=[DEMAND]).state is (
        State.PENDING
    )


def test_a_team_that_is_not_known_blocks_what_a_policy_asks_for() -> None:
    assert judged(demands=[{**DEMAND, "teams": ["org/gone"]}]).state is State.ERROR


def test_without_names_a_policy_asks_the_owners() -> None:
    decision = judged(demands=[{**DEMAND, "teams": []}])
    assert decision.rules[0].can_approve == ("carol",)


def test_an_owner_file_s_minimum_counts_beside_the_rule_s() -> None:
    tree = {"OWNERS": "approvers: [carol, dave, erin]\nminimum_approvers: 2\n"}
    waiting = judged(tree=tree, reviews=[review("carol")])
    assert (waiting.state, waiting.rules[0].required, waiting.rules[0].missing) == (State.PENDING, 2, 1)
    assert judged(tree=tree, reviews=[review("carol"), review("dave")]).state is State.APPROVED
