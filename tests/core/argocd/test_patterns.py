"""Globs: the four kinds, and that no pattern takes long."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_bot.core.argocd import patterns


@pytest.mark.parametrize(
    ("match", "pattern", "text", "result"),
    [
        (patterns.of_directories, "apps/*", "apps/web", True),
        (patterns.of_directories, "apps/*", "apps/web/deep", False),
        (patterns.of_directories, "apps/**", "apps/web/deep", False),
        (patterns.of_directories, "apps/[a-c]?t", "apps/bat", True),
        (patterns.of_directories, "apps/[^a-c]at", "apps/bat", False),
        (patterns.of_directories, "apps/foo", "apps/foobar", False),
        (patterns.of_directories, r"a\*b", "a*b", True),
        (patterns.of_files, "apps/*.json", "apps/web/config.json", True),
        (patterns.of_files, "**/config.json", "a/b/config.json", True),
        (patterns.of_files, "apps", "apps/web/config.json", True),
        (patterns.of_files, "apps", "apps2/config.json", False),
        (patterns.crossing, "{*.yml,sub/*.json}", "deep/x.yml", True),
        (patterns.crossing, "{*.yml,sub/*.json}", "sub/x.json", True),
        (patterns.crossing, "{a{b,c},d}", "ac", True),
        (patterns.crossing, "{a,b}", "c", False),
        (patterns.of_values, "env/**/x.yaml", "env/x.yaml", True),
        (patterns.of_values, "env/**/x.yaml", "env/a/b/x.yaml", True),
        (patterns.of_values, "env/*/x.yaml", "env/a/b/x.yaml", False),
        (patterns.of_values, "[b-a]", "a", False),
    ],
)
def test_what_matches(match: Callable[[str, str], bool], pattern: str, text: str, result: bool) -> None:
    assert match(pattern, text) is result


def test_hostile_patterns_end() -> None:
    assert not patterns.crossing("*a" * 40 + "b", "a" * 300)
    assert patterns.crossing("*a" * 40 + "*", "a" * 300)
    assert not patterns.crossing("{a,b}" * 40, "a" * 40)


@given(st.text("a/*?", max_size=7), st.text("ab/", max_size=7))
def test_both_ways_of_matching_agree(pattern: str, text: str) -> None:
    for kind in (patterns._Kind(stops=True, double=True), patterns._Kind(stops=False)):
        _, (tokens,), regex = patterns._compiled(pattern, kind)
        assert patterns.follows(tokens, text) is (regex.fullmatch(text) is not None)
