"""Whom the bot asks for a review."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from review_bot.gate.judging import RuleResult, State
from review_bot.gate.reviewers import choose, missing


def rule(need: int, *able: str, state: State = State.PENDING) -> RuleResult:
    return RuleResult("r", state, required=need, missing=need, can_approve=able)


def test_no_more_than_are_missing_and_the_least_busy_first() -> None:
    needs = missing([rule(2, "carol", "dave", "Erin", "org/ops")], [])
    assert choose(needs, [], [], {"carol": 3, "dave": 0, "erin": 1}) == ("dave", "erin")


def test_who_is_at_it_is_not_doubled() -> None:
    assert missing([rule(1, "carol", "dave")], ["carol"]) == []
    assert missing([rule(1, "carol", "org/ops")], ["org/ops"]) == []
    assert missing([rule(2, "carol", "dave")], ["dave", "zoe"]) == [(1, frozenset({"carol", "dave"}))]


def test_one_person_for_two_rules_spares_another() -> None:
    needs = missing([rule(1, "carol", "dave"), rule(1, "dave", "erin")], [])
    assert choose(needs, [], [], {"dave": 9}) == ("dave",)


def test_who_has_seen_it_before_is_asked_before_who_has_not() -> None:
    needs = missing([rule(1, "carol", "dave")], [])
    assert choose(needs, [], ["dave"], {"dave": 5}) == ("dave",)
    assert choose(needs, ["dave"], ["dave"], {}) == ("carol",)


def test_rules_that_are_met_ask_nobody() -> None:
    assert missing([rule(1, "carol", state=State.APPROVED), rule(1, state=State.PENDING)], []) == []


names = st.sets(st.sampled_from("abcdef"), min_size=1)


@given(st.lists(st.tuples(st.integers(1, 3), names), max_size=4), names)
def test_whatever_the_rules_are_nobody_is_asked_in_vain(rows: list[tuple[int, set[str]]], refused: set[str]) -> None:
    needs = missing([rule(need, *people) for need, people in rows], [])
    chosen = choose(needs, refused, [], {})
    assert len(set(chosen)) == len(chosen) <= sum(need for need, _ in rows)
    assert not set(chosen) & refused
    for need, people in needs:
        assert len(people & set(chosen)) >= min(need, len(people - refused))
