"""The audit log in the store's database: append only, one transaction a record."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from review_bot.core import audit
from review_bot.core.audit import GENESIS, Anchor, Break, Entry
from review_bot.core.errors import InputError, UsageError

log = logging.getLogger("review_bot.audit")
# What the check run of the gate may show.
_GATE = ("decision", "failure")
_COLUMNS = "seq, repository, number, kind, substance, record"


class AuditLog:
    """A part of `Store`. The database itself refuses to change or delete a record."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._transaction = transaction
        self._watchers: list[Callable[[Entry, int], None]] = []

    def watch(self, told: Callable[[Entry, int], None]) -> None:
        """Tell of every record that is written from now on, and its number."""
        self._watchers.append(told)

    def record(self, entry: Entry) -> bool:
        """Add a record, unless the last one of its kind about its pull request says the same."""
        substance = entry.substance
        # A decision after a failure is news, though the last decision was the same.
        kinds = _GATE if entry.kind in _GATE else (entry.kind, entry.kind)
        with self._transaction() as db:
            where = (entry.repository, entry.number, entry.kind)
            known = db.execute(
                "SELECT substance FROM audit WHERE repository = ? AND number = ? AND kind IN (?, ?)"
                " ORDER BY seq DESC LIMIT 1",
                (*where[:2], *kinds),
            ).fetchone()
            if known is not None and known[0] == substance:
                return False
            made = audit.sealed(entry, _end(db), datetime.now(UTC).isoformat(timespec="milliseconds"))
            row = (made["seq"], *where, substance, audit.canonical(made))
            db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", row)
            db.execute("INSERT OR REPLACE INTO audit_end VALUES (1, ?, ?)", (made["seq"], made["hash"]))
        # Logs are kept elsewhere: whoever rewrites the whole database does not rewrite them.
        log.info("anchor %s: %s of %s#%s", Anchor(made["seq"], made["hash"]), entry.kind, *where[:2])
        for told in self._watchers:
            told(entry, made["seq"])
        return True


class AuditReader:
    """Reads a service's log beside it, changing nothing. Raises UsageError where there is none at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def records(
        self, *, repository: str | None = None, number: int | None = None, seq: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """The records in order: all, those about a pull request, or the one with a number.

        Raises InputError where one can't be read any more.
        """
        wanted = [("repository = ?", repository), ("number = ?", number), ("seq = ?", seq)]
        used = [(clause, value) for clause, value in wanted if value is not None]
        where = f" WHERE {' AND '.join(clause for clause, _ in used)}" if used else ""
        with self._open() as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM audit{where} ORDER BY seq", [value for _, value in used])  # noqa: S608
            for row in rows:
                yield _parsed(row)

    def verify(self, noted: Anchor | None = None) -> tuple[Anchor, Break | None]:
        """Where the log ends, and the first place that does not hold.

        That is the chain, `noted`, the columns that records are found by, and the end that the store remembers.
        """
        strays: list[int] = []
        with self._open() as db:
            # One view of both: the service may go on writing meanwhile.
            db.execute("BEGIN")
            end = _end(db)
            last, broken = audit.verify(_chain(db, strays), noted)
        if strays and (broken is None or strays[0] < broken.seq):
            return last, Break(strays[0], f"record {strays[0]} is filed under something else than it says")
        if broken is None and last != end:
            what = f"the log ends at record {last.seq}, and the store wrote record {end.seq} last"
            broken = Break(last.seq + 1, what)
        return last, broken

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        help = "name the service's database: --database, REVIEW_BOT_DATABASE_URL or REVIEW_BOT_STATE_DIR"
        if not self._path.is_file():
            raise UsageError(f"there is no database {self._path}", help=help)
        try:
            with closing(sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)) as db:
                yield db
        except sqlite3.Error as error:
            raise UsageError(f"{self._path} holds no audit log that can be read: {error}", help=help) from error


def _chain(db: sqlite3.Connection, strays: list[int]) -> Iterator[dict[str, Any]]:
    """All records; `strays` gets the numbers of those whose columns do not say what they say."""
    for row in db.execute(f"SELECT {_COLUMNS} FROM audit ORDER BY seq"):  # noqa: S608
        try:
            record = _parsed(row)
            entry = audit.entry_of(record)
        except InputError:
            yield {"seq": row[0]}
            continue
        if row[1:5] != (entry.repository, entry.number, entry.kind, entry.substance):
            strays.append(row[0])
        yield record


def _parsed(row: tuple[Any, ...]) -> dict[str, Any]:
    try:
        record = json.loads(row[-1])
    except (ValueError, TypeError):
        record = None
    if not isinstance(record, dict) or not audit.FIELDS <= record.keys():
        raise InputError(f"record {row[0]} was changed: it is no record any more", help="run `review-bot audit verify`")
    return record


def _end(db: sqlite3.Connection) -> Anchor:
    row = db.execute("SELECT seq, hash FROM audit_end").fetchone()
    return Anchor(*row) if row else Anchor(0, GENESIS)
