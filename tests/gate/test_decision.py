"""The gate, rule by rule. Each case is a change to facts under which carol's approval is enough."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_bot.gate.decision import Decision, decide
from review_bot.gate.facts import parse
from review_bot.gate.judging import State

BASE: dict[str, Any] = {
    "pull_request": {
        "number": 7,
        "author": "alice",
        "base": {"ref": "main", "sha": "b1"},
        "head": {"ref": "x", "sha": "h2"},
        "draft": False,
        "fork": False,
        "labels": [],
    },
    "files": [{"path": "apps/a.yaml", "status": "modified", "previous_path": None, "targets": ["t"]}],
    "commits": [{"sha": "h2", "parents": ["h1"], "author": "alice", "committer": "web-flow", "co_authors": []}],
    "reviews": [],
    "comments": [],
    "tree": {"OWNERS": "approvers: [carol, alice, bob]\n"},
    "teams": {"org/security": ["erin"]},
    "permissions": {"carol": "write", "alice": "write", "bob": "read", "erin": "write", "dave": "write"},
    "changes": [
        {
            "target": "t",
            "environment": "production",
            "action": "update",
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "namespace": "web",
            "name": "web",
            "fields": ["spec.replicas"],
        }
    ],
    "effects": {"h1": "sha256:one", "h2": "sha256:two"},
    "checks": {"render": "success", "schema": "success", "policy": "not-configured"},
    "truncated": {"files": False, "commits": False},
    "now": "2026-11-20T12:00:00Z",
}


def review(user: str, state: str = "APPROVED", sha: str | None = "h2", **more: Any) -> dict[str, Any]:
    return {"user": user, "state": state, "sha": sha, "submitted_at": "2026-11-20T10:00:00Z", "body": "", **more}


def comment(user: str, body: str, sha: str | None = "h2", **more: Any) -> dict[str, Any]:
    at = "2026-11-20T11:00:00Z"
    return {"user": user, "body": body, "sha": sha, "created_at": at, "updated_at": at, **more}


def facts(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(BASE), **changes}


def judged(**changes: Any) -> Decision:
    return decide(parse(facts(**changes)))


def configured(rules: str, **changes: Any) -> Decision:
    text = f"version: 1\napprovals:\n  override: {{users: [dave]}}\n  rules:\n{rules}"
    return judged(tree={**BASE["tree"], ".review-bot.yaml": text}, **changes)


def test_an_owner_s_approval_of_this_effect_is_enough() -> None:
    decision = judged(reviews=[review("carol")])
    assert decision.state is State.APPROVED
    assert decision.rules[0].approved_by == ({"user": "carol", "sha": "h2"},)


def test_without_an_approval_it_waits_and_says_for_whom() -> None:
    decision = judged()
    assert decision.state is State.PENDING
    assert decision.rules[0].can_approve == ("carol",)
    assert "@carol" in decision.summary


@pytest.mark.parametrize(
    ("why", "changes"),
    [
        ("its author", {"reviews": [review("alice")]}),
        ("somebody who is no owner", {"reviews": [review("dave")]}),
        ("an owner who may only read", {"reviews": [review("bob")]}),
        ("a bot", {"reviews": [review("carol[bot]")]}),
        ("an approval of another effect", {"reviews": [review("carol", sha="h1")]}),
        ("an approval of an unknown head", {"reviews": [review("carol", sha=None)]}),
        ("an approval given on an effect that has moved", {"reviews": [review("carol", effect="sha256:old")]}),
        ("a comment in a quote", {"comments": [comment("carol", "> /approve")]}),
        ("a comment in code", {"comments": [comment("carol", "```\n/approve\n```")]}),
        ("a comment in an HTML comment", {"comments": [comment("carol", "<!--\n/approve\n-->")]}),
        ("a command within a line", {"comments": [comment("carol", "I would /approve this")]}),
        ("an edited comment", {"comments": [comment("carol", "/approve", updated_at="2026-11-20T11:30:00Z")]}),
        ("a cancelled approval", {"comments": [comment("carol", "/approve"), comment("carol", "/approve cancel")]}),
        ("a dismissed review", {"reviews": [review("carol"), review("carol", "DISMISSED")]}),
        ("a label", {"pull_request": {**BASE["pull_request"], "labels": ["approved", "lgtm"]}}),
    ],
)
def test_it_still_waits_after(why: str, changes: dict[str, Any]) -> None:
    assert judged(**changes).state is State.PENDING


@pytest.mark.parametrize(
    ("commit", "why"),
    [
        ({"author": "carol"}, "wrote"),
        ({"committer": "Carol"}, "committed"),
        ({"co_authors": ["carol"]}, "co-authored"),
    ],
)
def test_nobody_approves_what_they_had_a_part_in(commit: dict[str, Any], why: str) -> None:
    commits = [*BASE["commits"], {**BASE["commits"][0], "sha": "m1", **commit}]
    decision = judged(commits=commits, reviews=[review("carol")])
    assert decision.state is State.PENDING
    assert {"user": "carol", "why": "wrote commit m1"} in decision.rules[0].disqualified


def test_a_rebase_that_keeps_the_effect_keeps_the_approval() -> None:
    effects = {"h1": "sha256:two", "h2": "sha256:two"}
    assert judged(effects=effects, reviews=[review("carol", sha="h1")]).state is State.APPROVED


def test_that_nothing_is_left_of_a_change_is_to_be_agreed_to_again() -> None:
    nothing = {"files": [], "changes": []}
    assert judged(**nothing, reviews=[review("carol", sha="h1")]).state is State.PENDING
    assert judged(**nothing, reviews=[review("carol", sha="h2")]).state is State.APPROVED


def test_a_file_that_no_target_reads_needs_an_approval_of_this_head() -> None:
    files = [*BASE["files"], {"path": "README.md", "status": "modified", "previous_path": None, "targets": []}]
    effects = {"h1": "sha256:two", "h2": "sha256:two"}
    old = judged(files=files, effects=effects, reviews=[review("carol", sha="h1")])
    new = judged(files=files, effects=effects, reviews=[review("carol", sha="h2")])
    assert (old.state, new.state) == (State.PENDING, State.APPROVED)


def test_both_names_of_a_rename_have_owners() -> None:
    tree = {"OWNERS": "approvers: [carol]\n", "db/OWNERS": "approvers: [erin]\noptions: {no_parent_owners: true}\n"}
    files = [{"path": "apps/a.yaml", "status": "renamed", "previous_path": "db/a.yaml", "targets": ["t"]}]
    assert judged(tree=tree, files=files, reviews=[review("carol")]).state is State.PENDING
    assert judged(tree=tree, files=files, reviews=[review("carol"), review("erin")]).state is State.APPROVED


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"pull_request": {**BASE["pull_request"], "draft": True}}, "draft"),
        ({"checks": {"policy": "failure"}}, "policy"),
        ({"comments": [comment("dave", "/hold until Monday")]}, "hold"),
        ({"reviews": [review("carol"), review("carol", "CHANGES_REQUESTED", body="/approve")]}, "requested changes"),
        ({"commits": [{**BASE["commits"][0], "author": None}]}, "not known"),
    ],
)
def test_something_must_go_first(changes: dict[str, Any], word: str) -> None:
    decision = judged(**{"reviews": [review("carol")], **changes})
    assert decision.state is State.BLOCKED
    assert word in decision.summary


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"truncated": {"files": True, "commits": False}}, "files"),
        ({"tree": {"OWNERS": "approvers: carol\n"}}, "list of logins"),
        ({"tree": {"OWNERS": "approvers: ["}}, "OWNERS"),
        ({"tree": {"CODEOWNERS": "* carol\n"}}, "no owner"),
        ({"tree": {"CODEOWNERS": "* @org/unknown\n"}}, "unknown"),
        ({"tree": {".review-bot.yaml": "version: 1\nnonsense: 1\n"}}, "nonsense"),
        ({"reviews": [review("carol", submitted_at="2027-01-01T00:00:00Z")]}, "future"),
    ],
)
def test_facts_that_can_t_be_trusted_are_an_error(changes: dict[str, Any], word: str) -> None:
    decision = judged(**{"reviews": [review("carol")], **changes})
    assert decision.state is State.ERROR
    assert word in decision.summary


@pytest.mark.parametrize(
    "rule",
    [
        "    - {name: x, require: {owners: true, count: 0}}\n",
        "    - {name: x, require: {}}\n",
        "    - {name: x, require: {owner: true}}\n",
        "    - {name: x, when: {}, require: {owners: true}}\n",
        "    - {name: x, when: {colour: [red]}, require: {owners: true}}\n",
        "    - {name: x, when: {actions: [replace]}, require: {owners: true}}\n",
        "    - {name: x, require: {teams: [org/nobody]}}\n",
    ],
)
def test_a_rule_that_is_not_understood_is_an_error_and_never_a_pass(rule: str) -> None:
    assert configured(rule, reviews=[review("carol")]).state is State.ERROR


def test_all_conditions_must_be_met_by_one_single_change() -> None:
    when = "{resources: [{kinds: [Role]}], actions: [delete]}"
    rule = f"    - {{name: x, when: {when}, require: {{teams: [org/security]}}}}\n"
    role = {**BASE["changes"][0], "kind": "Role", "action": "update"}
    gone = {**BASE["changes"][0], "kind": "ConfigMap", "action": "delete"}
    apart = configured(rule, changes=[role, gone], reviews=[review("carol")])
    together = configured(rule, changes=[{**role, "action": "delete"}], reviews=[review("carol")])
    assert (apart.rules[0].state, together.rules[0].state) == (State.SKIPPED, State.PENDING)
    assert "erin" in together.rules[0].can_approve


@pytest.mark.parametrize(
    ("field", "glob", "applies"),
    [
        ("spec.replicas", "spec.**", True),
        ("spec.replicas", "spec.*", True),
        ("spec.template.spec.x", "spec.*", False),
        ("spec.template.spec.containers[0].image", "spec.template.spec.containers.*.image", True),
        ("metadata.labels.a", "spec.**", False),
        ("spec", "spec.template.**", True),
        ('metadata.annotations["a.b/c"]', "metadata.annotations.*", True),
    ],
)
def test_a_field_glob_stays_within_its_levels(field: str, glob: str, applies: bool) -> None:
    rule = f"    - {{name: x, when: {{fields: ['{glob}']}}, require: {{users: [dave]}}}}\n"
    decision = configured(rule, changes=[{**BASE["changes"][0], "fields": [field]}])
    assert (decision.rules[0].state is not State.SKIPPED) is applies


def test_the_glass_is_broken_by_listed_people_for_this_head_with_a_reason() -> None:
    rule = "    - {name: x, require: {teams: [org/security]}}\n"
    assert configured(rule, comments=[comment("dave", "/override outage")]).state is State.APPROVED
    assert configured(rule, comments=[comment("dave", "/override")]).state is State.PENDING
    assert configured(rule, comments=[comment("dave", "/override outage", sha="h1")]).state is State.PENDING
    assert configured(rule, comments=[comment("carol", "/override outage")]).state is State.PENDING


def test_a_freeze_holds_through_its_last_day() -> None:
    text = "version: 1\nfreezes: [{name: holidays, from: 2026-11-19, until: 2026-11-20, environments: [production]}]\n"
    tree = {**BASE["tree"], ".review-bot.yaml": text}
    during = judged(tree=tree, reviews=[review("carol")])
    after = judged(tree=tree, reviews=[review("carol")], now="2026-11-21T00:00:00Z")
    assert (during.state, after.state) == (State.BLOCKED, State.APPROVED)


def test_where_nobody_is_named_anyone_who_may_write_can_approve() -> None:
    assert judged(tree={}).state is State.PENDING
    assert judged(tree={}, reviews=[review("dave")]).state is State.APPROVED
    assert judged(tree={}, reviews=[review("alice")]).state is State.PENDING


VOTES = st.lists(
    st.builds(
        review,
        st.sampled_from(["carol", "alice", "dave", "bob", "erin"]),
        st.sampled_from(["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED"]),
        st.sampled_from(["h1", "h2", None]),
    ),
    max_size=6,
)


@given(VOTES)
def test_only_an_owner_who_had_no_part_in_it_and_saw_this_effect_lets_it_through(reviews: list[dict[str, Any]]) -> None:
    decision = judged(reviews=reviews)
    if decision.state is State.APPROVED:
        own = [r for r in reviews if r["user"] == "carol" and r["state"] != "COMMENTED"]
        assert own
        assert own[-1]["state"] == "APPROVED"
        assert own[-1]["sha"] == "h2"


@given(VOTES)
def test_taking_an_approval_away_never_helps(reviews: list[dict[str, Any]]) -> None:
    order = [State.APPROVED, State.PENDING, State.BLOCKED, State.ERROR]
    fewer = [r for r in reviews if r["state"] != "APPROVED"]
    # An approval also ends the same person's request for changes, so only people without one are compared.
    if any(r["state"] == "CHANGES_REQUESTED" for r in reviews):
        return
    assert order.index(judged(reviews=fewer).state) >= order.index(judged(reviews=reviews).state)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2026-12-19T22:59:00Z", State.APPROVED),
        ("2026-12-19T23:01:00Z", State.BLOCKED),  # 00:01 in Berlin
        ("2027-01-03T22:59:00Z", State.BLOCKED),  # the last day belongs to it
        ("2027-01-03T23:01:00Z", State.APPROVED),
    ],
)
def test_days_of_a_freeze_are_those_of_its_time_zone(now: str, state: State) -> None:
    text = "version: 1\nfreezes: [{name: x, from: 2026-12-20, until: 2027-01-03, timezone: Europe/Berlin}]\n"
    tree = {**BASE["tree"], ".review-bot.yaml": text}
    assert decide(parse(facts(tree=tree, reviews=[review("carol")], now=now))).state is state


def test_a_freeze_with_a_broken_time_blocks_and_says_what_is_expected() -> None:
    text = "version: 1\nfreezes: [{name: x, from: 2026-12-20T25:00, until: 2027-01-03}]\n"
    decision = decide(parse(facts(tree={**BASE["tree"], ".review-bot.yaml": text}, reviews=[review("carol")])))
    assert decision.state is State.ERROR and "2026-12-20T18:00" in decision.summary


def test_nobody_overrides_while_the_author_of_a_commit_is_not_known() -> None:
    text = "version: 1\napprovals: {override: {users: [dave]}}\n"
    unknown = [{"sha": "h2", "parents": [], "author": None, "committer": "alice", "co_authors": []}]
    tree = {**BASE["tree"], ".review-bot.yaml": text}
    said = [comment("dave", "/override outage")]
    assert decide(parse(facts(tree=tree, comments=said))).overridden
    decision = decide(parse(facts(tree=tree, comments=said, commits=unknown)))
    assert decision.state is State.BLOCKED and not decision.overridden
    assert "could be the one who overrides" in decision.commands[0].why
