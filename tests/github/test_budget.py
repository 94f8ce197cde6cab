"""GitHub's limits are kept before GitHub has to remind us."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from review_bot.github.budget import CONTENT_A_MINUTE, CONTENT_AN_HOUR, POINTS_A_MINUTE, Budget


def test_reads_are_free_until_the_points_are_spent() -> None:
    budget = Budget()
    assert {budget.take(write=False, now=0.0) for _ in range(POINTS_A_MINUTE)} == {0.0}
    assert budget.take(write=False, now=1.0) == 60.0


def test_the_81st_write_of_a_minute_waits_for_the_first_to_be_forgotten() -> None:
    budget = Budget()
    first = [budget.take(write=True, now=float(n) / 10) for n in range(CONTENT_A_MINUTE)]
    assert first == [n / 10 for n in range(CONTENT_A_MINUTE)]
    assert budget.take(write=True, now=10.0) == 60.0


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 30)), max_size=300))
def test_no_sequence_of_requests_exceeds_any_limit(requests: list[tuple[bool, float]]) -> None:
    budget, now = Budget(), 0.0
    sent: list[tuple[float, bool]] = []
    for write, pause in requests:
        now += pause
        sent.append((budget.take(write=write, now=now), write))
    for at, _ in sent:
        minute = [w for when, w in sent if at - 60 < when <= at]
        hour = [w for when, w in sent if at - 3600 < when <= at]
        assert sum(5 if w else 1 for w in minute) <= POINTS_A_MINUTE
        assert sum(minute) <= CONTENT_A_MINUTE
        assert sum(hour) <= CONTENT_AN_HOUR
