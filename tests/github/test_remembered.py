"""What GitHub said is asked for again only if it has changed, and nothing else is taken for "not modified"."""

from __future__ import annotations

import pytest

from review_bot.github.errors import Unavailable
from review_bot.github.remembered import Remembered


def test_what_has_not_changed_is_what_it_was() -> None:
    known = Remembered()
    assert known.condition("/a") == {}
    assert known.answer("/a", {"etag": '"1"'}, [1]).data == [1]
    assert known.condition("/a") == {"If-None-Match": '"1"'}
    assert known.answer("/a", {"etag": 'W/"1"'}, None).data == [1]
    assert known.answer("/a", {"etag": '"2"'}, [2]).data == [2]
    assert known.condition("/a") == {"If-None-Match": '"2"'}


@pytest.mark.parametrize("headers", [{}, {"etag": '"other"'}])
def test_an_empty_answer_about_anything_else_is_none_and_is_asked_for_from_the_start(headers: dict[str, str]) -> None:
    known = Remembered()
    known.answer("/a", {"etag": '"1"'}, [1])
    with pytest.raises(Unavailable):
        known.answer("/a", headers, None)
    assert known.condition("/a") == {}


def test_pages_of_a_list_keep_the_link_to_the_next() -> None:
    known = Remembered()
    known.answer("/a?page=1", {"etag": '"1"', "link": 'rel="next"'}, [1])
    assert known.answer("/a?page=1", {"etag": '"1"'}, None).headers["link"] == 'rel="next"'


def test_what_was_not_asked_for_longest_is_forgotten_first() -> None:
    known = Remembered(most=2)
    for path in ("/a", "/b"):
        known.answer(path, {"etag": '"1"'}, [path])
    known.answer("/a", {"etag": '"1"'}, None)
    known.answer("/c", {"etag": '"1"'}, [])
    assert [bool(known.condition(path)) for path in ("/a", "/b", "/c")] == [True, False, True]
