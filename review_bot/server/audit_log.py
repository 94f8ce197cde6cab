"""The audit log in the store's database: append only, one transaction a record."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from review_bot.core import audit
from review_bot.core.audit import GENESIS, Anchor, Entry
from review_bot.core.errors import UsageError


class AuditLog:
    """A part of `Store`. The database itself refuses to change or delete a record."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._transaction = transaction

    def record(self, entry: Entry) -> bool:
        """Add a record, unless the last one of its kind about its pull request says the same."""
        substance = entry.substance
        with self._transaction() as db:
            where = (entry.repository, entry.number, entry.kind)
            known = db.execute(
                "SELECT substance FROM audit WHERE repository = ? AND number = ? AND kind = ?"
                " ORDER BY seq DESC LIMIT 1",
                where,
            ).fetchone()
            if known is not None and known[0] == substance:
                return False
            made = audit.sealed(entry, _end(db), datetime.now(UTC).isoformat(timespec="milliseconds"))
            text = audit.canonical(made).decode(errors="surrogatepass")
            db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", (made["seq"], *where, substance, text))
            db.execute("INSERT OR REPLACE INTO audit_end VALUES (1, ?, ?)", (made["seq"], made["hash"]))
        return True


class AuditReader:
    """Reads a service's log beside it, changing nothing. Raises UsageError where there is none at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def records(self, *, repository: str = "", number: int = 0, seq: int = 0) -> Iterator[dict[str, Any]]:
        """The records in order: all, those about a pull request, or the one with a number."""
        wanted = [("repository = ?", repository), ("number = ?", number), ("seq = ?", seq)]
        used = [(clause, value) for clause, value in wanted if value]
        where = f" WHERE {' AND '.join(clause for clause, _ in used)}" if used else ""
        with self._open() as db:
            rows = db.execute(f"SELECT record FROM audit{where} ORDER BY seq", [value for _, value in used])  # noqa: S608
            for (text,) in rows:
                yield json.loads(text)

    def end(self) -> Anchor:
        """Where the log ended when it was last written to, as the store remembers it beside the log."""
        with self._open() as db:
            row = db.execute("SELECT seq, hash FROM audit_end").fetchone()
        return Anchor(*row) if row else Anchor(0, GENESIS)

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


def _end(db: sqlite3.Connection) -> Anchor:
    row = db.execute("SELECT seq, hash FROM audit_end").fetchone()
    return Anchor(*row) if row else Anchor(0, GENESIS)
