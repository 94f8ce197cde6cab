"""Patterns of .sourceignore mean what git says of the same patterns in .gitignore."""

from __future__ import annotations

import subprocess
from pathlib import Path

import repositories
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from review_bot.core.flux.ignoring import Ignoring

NAMES = st.sampled_from(["a", "b", "ab", "a.yaml", "b.yaml"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PIECES = st.sampled_from(["a", "b", "*", "**", "?", "a*", "*.yaml", "[ab]", "[!a]", "[a-b].yaml", "a.yaml"])


@st.composite
def patterns(draw: st.DrawFn) -> str:
    body = "/".join(draw(st.lists(PIECES, min_size=1, max_size=3)))
    return draw(st.sampled_from(["", "!"])) + draw(st.sampled_from(["", "/"])) + body + draw(st.sampled_from(["", "/"]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(patterns(), min_size=1, max_size=4), paths=st.lists(PATHS, min_size=1, max_size=8, unique=True))
@example(rows=["/a/", "!/a/b"], paths=["a/b", "b/a"])
@example(rows=["**/a/**"], paths=["a", "a/b", "b/a/b/a"])
def test_patterns_are_those_of_gitignore(tmp_path: Path, rows: list[str], paths: list[str]) -> None:
    if not (tmp_path / ".git").exists():
        repositories.git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("\n".join(rows))
    words = ["git", "-C", str(tmp_path), "check-ignore", "--no-index", "--stdin"]
    asked = subprocess.run(words, input="\n".join(paths), capture_output=True, text=True, check=False)
    assert asked.returncode in (0, 1), asked.stderr
    ours = Ignoring(tuple((row, ".") for row in rows))
    assert [p for p in paths if ours.leaves_out(p)] == [p for p in paths if p in asked.stdout.splitlines()]


def test_a_hostile_pattern_costs_no_more_than_its_length() -> None:
    assert not Ignoring((("**/" * 2000 + "*a" * 2000, "."),)).leaves_out("a/" * 60 + "b" * 60)
