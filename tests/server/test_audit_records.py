"""What is written down again, and what is not."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

from review_bot.core.audit import Entry
from review_bot.server.audit_log import AuditReader
from review_bot.server.store import Store

APPROVED = Entry("decision", "o/r", 1, "h", "approved", body={"facts": {"now": "a"}})


def test_the_same_again_is_written_once_for_each_pull_request(tmp_path: Path) -> None:
    store = Store(tmp_path / "bot.sqlite")
    later = Entry("decision", "o/r", 1, "h", "approved", body={"facts": {"now": "b"}})
    other = Entry("decision", "o/r", 2, "h", "approved", body={"facts": {"now": "b"}})
    assert [store.audit.record(entry) for entry in (APPROVED, later, other, APPROVED)] == [True, False, True, False]


def test_a_decision_that_holds_again_after_a_failure_is_news(tmp_path: Path) -> None:
    store = Store(tmp_path / "bot.sqlite")
    failure = Entry("failure", "o/r", 1, "h", "error", body={"title": "no network"})
    entries = (APPROVED, failure, failure, APPROVED, failure)
    assert [store.audit.record(entry) for entry in entries] == [True, True, False, True, True]
    reader = AuditReader(tmp_path / "bot.sqlite")
    assert [r["kind"] for r in reader.records()] == ["decision", "failure", "decision", "failure"]
    assert reader.verify()[1] is None


def test_a_log_goes_on_where_it_ended_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite"
    first = Store(path)
    first.audit.record(APPROVED)
    first.close()
    second, told = Store(path), []
    second.audit.watch(lambda entry, seq: told.append((entry.state, seq)))
    assert not second.audit.record(APPROVED)
    assert second.audit.record(Entry("decision", "o/r", 1, "h", "pending"))
    assert told == [("pending", 2)]
    assert AuditReader(path).verify()[1] is None


def test_a_log_that_grows_while_it_is_verified_is_whole(tmp_path: Path) -> None:
    store, stop = Store(tmp_path / "bot.sqlite"), threading.Event()

    def write() -> None:
        for number in itertools.count(1):
            store.audit.record(Entry("decision", "o/r", number, "h", "pending"))
            if stop.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        reader = AuditReader(tmp_path / "bot.sqlite")
        looks, last = [], 0
        while last < 40:
            end, broken = reader.verify()
            looks.append(broken)
            last = end.seq
    finally:
        stop.set()
        writer.join()
    assert set(looks) == {None}
