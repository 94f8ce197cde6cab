"""What a branch must be protected by: each way past the gate is found, and none is seen where there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_bot.core.protection import App, Need, Rules, State, needs, notes

OURS = App(12, "review-bot")
CHECKS = ("review-bot", "review-bot/approvals")
GOOD = Rules(
    "branch protection",
    checks={name: (12,) for name in CHECKS},
    no_force_pushes=True,
    no_deletion=True,
    reviews=0,
)


def judged(*places: Rules, app: App = OURS) -> dict[str, Need]:
    return {need.name: need for need in needs(places, CHECKS, app)}


def missing(*places: Rules, app: App = OURS) -> list[str]:
    return [name for name, need in judged(*places, app=app).items() if need.state is not State.OK]


def test_a_branch_that_has_everything_lacks_nothing() -> None:
    assert missing(GOOD) == []


def test_a_branch_without_rules_lacks_everything() -> None:
    assert missing() == [
        *(f"check {c}" for c in CHECKS),
        "pull requests",
        "no force pushes",
        "no deletion",
        "no bypass",
    ]


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ((), "is not required: a merge does not wait for it"),
        ((None,), "from anybody: whoever may write statuses or checks can make it pass"),
        ((99,), r"from another App (99), not from this one (12)"),
    ],
)
def test_a_check_counts_only_from_this_app(sources: tuple[int | None, ...], words: str) -> None:
    checks = {"review-bot": (12,), **({"review-bot/approvals": sources} if sources else {})}
    rules = replace(GOOD, checks=checks)
    assert missing(rules) == ["check review-bot/approvals"]
    need = judged(rules)["check review-bot/approvals"]
    assert words in need.text
    assert "require the status check review-bot/approvals with review-bot as its source" in need.help


def test_a_check_that_another_place_asks_of_anybody_does_no_harm_beside_ours() -> None:
    assert missing(GOOD, Rules("ruleset a", checks={"review-bot": (None,)})) == []


@pytest.mark.parametrize(
    ("lack", "name"),
    [
        ({"reviews": None}, "pull requests"),
        ({"no_force_pushes": False}, "no force pushes"),
        ({"no_deletion": False}, "no deletion"),
    ],
)
def test_each_way_past_a_pull_request_is_told_with_the_next_step(lack: dict[str, object], name: str) -> None:
    rules = replace(GOOD, **lack)  # type: ignore[arg-type]
    assert missing(rules) == [name]
    assert judged(rules)[name].help


def test_rules_of_several_places_add_up() -> None:
    one = Rules("branch protection", checks={"review-bot": (12,)}, no_force_pushes=True)
    two = Rules("ruleset main", checks={"review-bot/approvals": (12,)}, no_deletion=True, reviews=1)
    assert missing(one, two) == []
    assert "(ruleset main)" in judged(one, two)["no deletion"].text


def test_whoever_may_go_around_the_only_place_is_named() -> None:
    need = judged(replace(GOOD, bypass=("administrators", "release-bot")))["no bypass"]
    assert need.state is State.MISSING
    assert "administrators and release-bot may go around the branch protection" in need.text


def test_a_bypass_of_one_place_is_none_where_another_holds_for_everyone() -> None:
    assert missing(replace(GOOD, bypass=("administrators",)), replace(GOOD, name="ruleset main")) == []


def test_only_what_no_firm_place_asks_for_is_open() -> None:
    firm = replace(GOOD, name="ruleset main", no_deletion=False)
    need = judged(replace(GOOD, bypass=("administrators",)), firm)["no bypass"]
    assert need.text.endswith("which alone asks for: no deletion")


def test_a_bypass_list_that_is_not_shown_proves_nothing() -> None:
    need = judged(replace(GOOD, name="ruleset main", bypass=None))["no bypass"]
    assert need.state is State.UNKNOWN
    assert "ruleset main is not shown to this App" in need.text
    assert missing(replace(GOOD, name="ruleset main", bypass=None), GOOD) == []


def test_a_known_bypass_is_told_before_one_that_is_not_shown() -> None:
    hidden = replace(GOOD, name="ruleset main", bypass=None, no_deletion=False)
    need = judged(hidden, Rules("branch protection", no_deletion=True, bypass=("administrators",)))["no bypass"]
    assert need.state is State.MISSING


def test_a_merge_queue_asks_that_the_app_is_told_of_its_groups() -> None:
    queue = replace(GOOD, queue=True)
    assert missing(queue) == []
    assert missing(queue, app=App(12, "review-bot", queues=False)) == ["merge queue"]


def test_what_the_gate_does_not_need_is_said() -> None:
    plain = " ".join(notes([GOOD]))
    assert "GitHub keeps them" in plain and "up to date: not required" in plain and "merge queue: none" in plain
    rules = replace(GOOD, dismisses_stale=True, strict=True, reviews=2, last_push=True, queue=True)
    told = " ".join(notes([rules]))
    assert "GitHub dismisses them at each push (branch protection)" in told
    assert "asks for 2 beside the gate" in told and "last push" in told and "must hold the newest base" in told
    assert "merge queue: none" not in told


RULES = st.builds(
    Rules,
    name=st.sampled_from(["branch protection", "ruleset a", "ruleset b"]),
    checks=st.dictionaries(st.sampled_from(CHECKS), st.sampled_from([(12,), (None,), (99,), (99, 12)])),
    bypass=st.sampled_from([(), ("administrators",), None]),
    no_force_pushes=st.booleans(),
    no_deletion=st.booleans(),
    reviews=st.sampled_from([None, 0, 2]),
    queue=st.booleans(),
)


@given(st.lists(RULES, max_size=4))
def test_nothing_is_missing_only_if_each_rule_holds_for_everyone_somewhere(places: list[Rules]) -> None:
    firm = [place for place in places if place.bypass == ()]
    held = (
        all(any(12 in place.checks.get(check, ()) for place in firm) for check in CHECKS)
        and any(place.no_force_pushes for place in firm)
        and any(place.no_deletion for place in firm)
        and any(place.reviews is not None for place in firm)
    )
    assert (missing(*places) == []) is held


@given(st.lists(RULES, max_size=3), RULES)
def test_one_more_place_with_rules_never_takes_anything_away(places: list[Rules], more: Rules) -> None:
    before, after = (missing(*(replace(p, queue=False) for p in some)) for some in (places, [*places, more]))
    # What was missing and is now there may be there only for those who do not go around it: that is told instead.
    assert set(after) - {"no bypass"} <= set(before) - {"no bypass"}
    assert before or not after


@given(st.sampled_from([(), ("administrators",), None]), RULES)
def test_a_branch_that_is_fine_stays_fine_whatever_else_is_there(bypass: tuple[str, ...] | None, more: Rules) -> None:
    assert missing(GOOD, replace(more, bypass=bypass, queue=False)) == []
