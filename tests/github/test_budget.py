"""GitHub's limits are kept before GitHub has to remind us."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from review_bot.github.budget import CONTENT_A_MINUTE, CONTENT_AN_HOUR, POINTS_A_MINUTE, Budget


def test_reads_are_free_until_the_points_are_spent() -> None:
    budget = Budget()
    assert {budget.take("GET", 0.0) for _ in range(POINTS_A_MINUTE)} == {0.0}
    assert budget.take("GET", 1.0) == 60.0


def test_the_81st_creation_of_a_minute_waits_for_the_first_to_be_forgotten() -> None:
    budget = Budget()
    first = [budget.take("POST", float(n) / 10) for n in range(CONTENT_A_MINUTE)]
    assert first == [n / 10 for n in range(CONTENT_A_MINUTE)]
    assert budget.take("POST", 10.0) == 60.0
    assert budget.take("PATCH", 10.0) == 10.0


@given(st.lists(st.tuples(st.sampled_from(["GET", "PATCH", "POST"]), st.floats(0, 30)), max_size=300))
def test_no_sequence_of_requests_exceeds_any_limit(requests: list[tuple[str, float]]) -> None:
    budget, now = Budget(), 0.0
    sent: list[tuple[float, str]] = []
    for verb, pause in requests:
        now += pause
        sent.append((budget.take(verb, now), verb))
    for at, _ in sent:
        minute = [verb for when, verb in sent if at - 60 < when <= at]
        hour = [verb for when, verb in sent if at - 3600 < when <= at]
        assert sum(1 if verb == "GET" else 5 for verb in minute) <= POINTS_A_MINUTE
        assert minute.count("POST") <= CONTENT_A_MINUTE
        assert hour.count("POST") <= CONTENT_AN_HOUR
