"""The writer of manifests writes what PyYAML would, to the letter, and what it writes reads back as it was."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review_bot.core.yaml_reader import load
from review_bot.core.yaml_writer import _by_the_library, one

TEXTS = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="ab \n-:#'\"\\{}[]%@!&*|>?,.0123456789\t", max_size=30),
    st.sampled_from(
        ["", "yes", "null", "~", "1", "0x1", "1e3", "a: b", "- a", "a\n", "a\n\n", "a\n b\n", "\n", "a\n\nb", "é", "…"]
    ),
)
KEYS = st.one_of(st.sampled_from(["metadata", "app.kubernetes.io/name", "8080", "", "a b", "yes", "x" * 127]), TEXTS)
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=20,
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_it_writes_what_the_library_writes(value: dict[str, Any]) -> None:
    assert one(value) == _by_the_library(value)


@pytest.mark.parametrize("nested", [[[1, [2]], [[]], {}], [{"a": [{"b": []}]}], [[{"a": 1, "b": [2]}]], [{}, [], None]])
def test_lists_in_lists_stand_where_the_library_puts_them(nested: list[Any]) -> None:
    value = {"items": nested, "more": {"items": nested}}
    assert one(value) == _by_the_library(value)
    assert load(one(value).encode(), path="x.yaml") == value


def test_a_manifest_reads_back_as_it_was() -> None:
    shuffled = random.Random(1)
    script = '#!/bin/sh\nset -e\n\nif true; then\n  echo "hi"\nfi\n'
    value = {"data": {f"key-{n}": shuffled.choice([script, "on", "0o17", "a: b", "plain text"]) for n in range(20)}}
    assert load(one(value).encode(), path="x.yaml") == value
