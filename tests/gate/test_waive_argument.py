"""What `/waive` takes, and what it says otherwise."""

from __future__ import annotations

from datetime import date

import pytest

from review_bot.gate.waive import Waive, read

TODAY = date(2026, 11, 20)
RULES = frozenset({"no-latest-tag", "no-root"})


def test_rule_day_and_reason_are_read() -> None:
    asked = read(" no-root  2026-12-31   until the image is rebuilt ", TODAY, RULES)
    assert asked == Waive("no-root", date(2026, 12, 31), "until the image is rebuilt")
    assert isinstance(read("no-root 2026-11-20 today still counts", TODAY, RULES), Waive)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("", "no date after the rule"),
        ("no-root", "no date after the rule"),
        ("no-root soon because", "UNTIL as 2026-12-31"),
        ("no-root 2026-02-30 because we must", "no date after the rule"),
        ("no-root 2026-11-19 because we must", "expected is a day from 2026-11-20 on"),
        ("no-root 2028-01-01 because we must", "up to 2027-11-21"),
        ("no-root 2026-12-31", "a reason is missing"),
        ("no-root 2026-12-31 asdf", "a reason is missing"),
        ("no-rot 2026-12-31 because we must", "expected is one of no-latest-tag, no-root"),
    ],
)
def test_a_mistake_is_told_with_what_was_expected(argument: str, said: str) -> None:
    answer = read(argument, TODAY, RULES)
    assert isinstance(answer, str) and said in answer


def test_where_nothing_is_found_nothing_can_be_waived() -> None:
    assert "nothing that could be waived" in str(read("no-root 2026-12-31 because", TODAY, frozenset()))
