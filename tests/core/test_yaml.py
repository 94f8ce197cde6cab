"""YAML is read as Kubernetes reads it, and written so that every reader agrees."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from review_bot.core.errors import YamlError
from review_bot.core.yaml_reader import load, parse
from review_bot.core.yaml_writer import dump


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("y", True),
        ("n", False),
        ("off", False),
        ("Yes", True),
        ("0777", 511),
        ("0o17", 15),
        ("08", 8),
        ("0x1F", 31),
        ("1e3", 1000),
        ("1_000", 1000),
        ("1.10", 1.1),
        ("12:30:45", "12:30:45"),
        ("22:22", "22:22"),
        ("2024-01-01", "2024-01-01"),
        ("=", "="),
        ("~", None),
        ("'08'", "08"),
        ("!!str 5", "5"),
        ("1.2.3", "1.2.3"),
        ("v1", "v1"),
    ],
)
def test_a_plain_scalar_is_what_kubernetes_makes_of_it(text: str, value: Any) -> None:
    found = load(f"key: {text}\n".encode(), path="a.yaml")["key"]
    assert (found, type(found)) == (value, type(value))


def test_a_key_becomes_text_as_json_would_spell_it() -> None:
    assert load(b"on: 1\n5: 2\nnull: 3\n", path="a.yaml") == {"true": 1, "5": 2, "null": 3}


def test_merge_keys_apply_and_own_keys_win() -> None:
    text = b"base: &b {a: 1, b: 2}\nuse:\n  <<: *b\n  b: 3\n"
    assert load(text, path="a.yaml")["use"] == {"a": 1, "b": 3}


def test_every_field_knows_its_line() -> None:
    (document,) = parse(b"a: 1\nb:\n  - x: 1\n  - k:\n      z: 2\n", path="a.yaml")
    assert document.lines[("b", 1, "k", "z")] == 5
    assert document.lines[("b", 0)] == 3


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        (b"a: 1\nb: [", 2, "not YAML"),
        (b"a: 1\na: 2\n", 2, "twice"),
        (b"a: .inf\n", 1, "JSON"),
        (b"a: *x\n", 1, "anchor"),
        (b"a: 1\nb: \xff\n", 2, "UTF-8"),
        (b"[" * 500, 1, "nested"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: bytes, line: int, word: str) -> None:
    with pytest.raises(YamlError, match=word) as caught:
        parse(text, path="a.yaml")
    assert caught.value.path == "a.yaml"
    assert caught.value.line == line


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(YamlError, match="too many values"):
        parse("\n".join(rows).encode(), path="bomb.yaml")


def test_a_second_definition_wins_where_strictness_is_off() -> None:
    (document,) = parse(b"a: 1\na: 2\n", path="a.yaml", strict=False)
    assert document.value == {"a": 2}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON, min_size=1, max_size=5))
def test_what_is_written_is_read_back_alike_by_every_reader(value: dict[str, Any]) -> None:
    text = dump([value])
    assert load(text.encode(errors="surrogatepass"), path="a.yaml") == value
    assert yaml.safe_load(text) == value
