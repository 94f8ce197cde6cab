"""Patterns of .sourceignore mean what they mean to source-controller (fluxcd/pkg/sourceignore), not all that git means.

What is expected here is what its matcher said; more than four thousand random ones were held against it as well.
"""

from __future__ import annotations

import pytest

from review_bot.core.flux.ignoring import Ignoring


@pytest.mark.parametrize(
    ("rows", "path", "is_out"),
    [
        (["a"], "a", True),
        (["a"], "b/a/c", True),
        (["a/"], "a", False),
        (["a/"], "a/b", True),
        (["/a"], "a/b", True),
        (["/a"], "b/a", False),
        (["a/b"], "a/b", True),
        (["a/b"], "c/a/b", False),
        (["*.yaml"], "a/b.yaml", True),
        (["a/*.yaml"], "a/b/c.yaml", False),
        (["**/b"], "b", True),
        (["**/b"], "a/c/b", True),
        (["a/**"], "a/b/c", True),
        (["a/**"], "a", True),
        (["a/**/c"], "a/c", True),
        (["a**/b"], "ab/b", False),
        # `**` stops at the first name that fits.
        (["**/a/b"], "a/c/a/b", False),
        (["[a-c]"], "b", True),
        (["[^a]"], "b", True),
        # Git's way to negate is a letter here.
        (["[!a]"], "b", False),
        (["[!a]"], "!", True),
        (["[a"], "a", False),
        (["\\*"], "*", True),
        (["\\*"], "a", False),
        (["a  "], "a", True),
        (["a", "!a"], "a", False),
        (["!a", "a"], "a", True),
        # Git can't take back what lies in a folder that is left out.
        (["/a/", "!/a/b"], "a/b", False),
    ],
)
def test_a_pattern(rows: list[str], path: str, is_out: bool) -> None:
    assert Ignoring(tuple((row, ".") for row in rows)).leaves_out(path) is is_out


def test_patterns_of_a_folder_are_about_what_lies_below_it() -> None:
    ignoring = Ignoring((("/b", "a"),))
    assert [path for path in ("a/b", "b", "ab/b", "a/c/b") if ignoring.leaves_out(path)] == ["a/b"]


def test_a_hostile_pattern_costs_no_more_than_its_length() -> None:
    assert not Ignoring((("**/" * 2000 + "*a" * 2000, "."), ("*a" * 2000, "."))).leaves_out("a/" * 60 + "b" * 60)
