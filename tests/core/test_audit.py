"""The audit log is a chain: whatever is done to it afterwards, the first place that does not hold is named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_bot.core.audit import GENESIS, Anchor, Entry, anchor_of, canonical, entry_of, read, sealed, verify
from review_bot.core.errors import InputError, UsageError


def chain(length: int) -> list[dict[str, Any]]:
    last, records = Anchor(0, GENESIS), []
    for number in range(length):
        record = sealed(Entry("decision", "o/r", number, "h1", "pending"), last, f"2026-11-26T10:00:{number:02}Z")
        last = Anchor(record["seq"], record["hash"])
        records.append(record)
    return records


def test_a_whole_chain_is_whole_and_says_where_it_ends() -> None:
    records = chain(5)
    assert verify(records) == (Anchor(5, records[-1]["hash"]), None)
    assert verify([]) == (Anchor(0, GENESIS), None)


@given(st.data())
def test_any_change_of_any_field_is_found_at_its_record(data: st.DataObject) -> None:
    records = chain(6)
    index = data.draw(st.integers(0, 5))
    field = data.draw(st.sampled_from(sorted(records[0])))
    records[index] = {**records[index], field: "other"}
    _, broken = verify(records)
    assert broken is not None
    assert broken.seq == index + 1


@given(st.integers(0, 4))
def test_a_missing_record_is_found(index: int) -> None:
    records = chain(6)
    del records[index]
    _, broken = verify(records)
    assert broken is not None
    assert broken.seq == index + 1


@given(st.permutations(range(4)))
def test_another_order_is_found(order: list[int]) -> None:
    records = chain(4)
    _, broken = verify([records[i] for i in order])
    assert (broken is None) is (order == sorted(order))


def test_an_added_field_is_a_change() -> None:
    records = chain(2)
    records[0] = {**records[0], "note": "all fine"}
    assert verify(records)[1] is not None


def test_a_cut_end_and_a_log_written_anew_are_found_by_what_was_noted() -> None:
    records = chain(5)
    noted = Anchor(5, records[4]["hash"])
    assert verify(records[:3])[1] is None
    assert "was cut" in (verify(records[:3], noted)[1] or pytest.fail("not found")).what
    anew = chain(2)
    anew += [sealed(Entry("decision", "o/r", 9, "h1", "approved"), Anchor(2, anew[1]["hash"]), "t")]
    found = verify(anew, Anchor(3, records[2]["hash"]))[1]
    assert found is not None
    assert "written anew" in found.what


def test_when_it_was_looked_at_is_no_substance() -> None:
    one = Entry("decision", "o/r", 1, "h", "pending", body={"facts": {"now": "a", "x": 1}})
    other = Entry("decision", "o/r", 1, "h", "pending", body={"facts": {"now": "b", "x": 1}})
    third = Entry("decision", "o/r", 1, "h", "pending", body={"facts": {"now": "b", "x": 2}})
    assert one.substance == other.substance != third.substance


TEXT = st.text(st.characters(codec=None), max_size=20)


@given(TEXT, st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.booleans(), st.none())))
def test_a_record_survives_being_written_whatever_bytes_a_path_holds(title: str, facts: dict[str, Any]) -> None:
    record = sealed(
        Entry("decision", "o/r", 1, "h1", "pending", body={"t": title, "facts": facts}), Anchor(0, GENESIS), "t"
    )
    line = canonical(record)
    assert line.isascii()
    assert read(line, 1) == record
    assert verify([read(line, 1)])[1] is None


def test_a_record_says_what_it_was_made_of() -> None:
    entry = Entry("merge", "o/r", 7, "h1", "squash", "sha256:e", "sha256:p", ("alice",), {"commit": "c"})
    record = sealed(entry, Anchor(0, GENESIS), "t")
    assert entry_of(record) == entry
    del record["actors"]
    with pytest.raises(InputError, match="record 1 is none"):
        entry_of(record)


@pytest.mark.parametrize("text", ["", "7", "²:sha256:" + "0" * 64, "x:sha256:" + "0" * 64, "7:sha256:12"])
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no anchor"):
        anchor_of(text)
