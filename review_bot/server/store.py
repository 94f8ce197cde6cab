"""What must survive a restart, in SQLite: deliveries, work, holds, heads, effects and reviews.

One connection behind one lock: each call is a transaction of a few rows. What is committed is on the disk before the
call returns (`synchronous=FULL`), so a delivery that was answered with 202 is never lost.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from review_bot.core.errors import UsageError
from review_bot.github.webhook import Wish
from review_bot.server.audit_log import AuditLog
from review_bot.server.notes import Notes

KEEP_DELIVERIES_SECONDS = 30 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Work:
    """A subject to look at. `ticket` is what `wanted` was when it was taken; `fresh`: review anew."""

    key: str
    installation: int
    ticket: int
    fresh: bool
    attempts: int


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect that was published for a head; `published` in seconds since the epoch."""

    head: str
    digest: str
    published: float


@dataclass(frozen=True, slots=True)
class StoredReview:
    head: str
    tip: str
    document: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class Twin:
    """Another pull request with the same head: its stored review, and its gate's conclusion ("" if not yet)."""

    number: int
    document: str
    gate: str


class Store:
    """The database. Safe to use from several threads of one process."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(files("review_bot.server").joinpath("schema.sql").read_text())
        except (OSError, sqlite3.Error) as error:
            raise UsageError(
                f"the database {path} can't be opened: {error}", help="check the folder's rights"
            ) from error
        self._lock = threading.RLock()
        self.notes = Notes(self._transaction)
        self.audit = AuditLog(self._transaction)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._db.in_transaction:
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def receive(self, delivery: str, event: str, wishes: Sequence[Wish]) -> bool:
        """Keep a delivery's wishes; False, and nothing is changed, if its id was seen before."""
        with self._transaction() as db:
            inserted = db.execute("INSERT OR IGNORE INTO deliveries VALUES (?, ?, ?)", (delivery, event, time.time()))
            if inserted.rowcount == 0:
                return False
            _want(db, wishes)
        return True

    def want(self, wishes: Sequence[Wish]) -> None:
        """Wishes of the bot's own (sweeps, expansions)."""
        with self._transaction() as db:
            _want(db, wishes)

    def due(self, busy: Sequence[str], now: float) -> tuple[Work, ...]:
        """What can be looked at now and is not `busy`, oldest wish first."""
        with self._transaction() as db:
            _want(db, self.notes.rung(now))
            rows = db.execute(
                "SELECT key, work.installation, wanted, fresh, attempts FROM work"
                " LEFT JOIN holds ON holds.installation = work.installation"
                " WHERE wanted > done AND not_before <= ? AND coalesce(until, 0) <= ? ORDER BY since, key",
                (now, now),
            ).fetchall()
        return tuple(Work(r[0], r[1], r[2], bool(r[3]), r[4]) for r in rows if r[0] not in busy)

    def next_due(self, now: float) -> float | None:
        """When the next waiting work can be looked at; None if nothing waits for a moment."""
        with self._transaction() as db:
            rung = self.notes.next_alarm()
            row = db.execute(
                "SELECT min(max(not_before, coalesce(until, 0))) FROM work"
                " LEFT JOIN holds ON holds.installation = work.installation"
                " WHERE wanted > done AND max(not_before, coalesce(until, 0)) > ?",
                (now,),
            ).fetchone()
        moments = [float(m) for m in (row[0], rung) if m is not None]
        return min(moments, default=None)

    def done(self, work: Work) -> None:
        """The look is finished. Wishes that came in meanwhile are left to do."""
        with self._transaction() as db:
            db.execute("UPDATE work SET done = ?, attempts = 0 WHERE key = ?", (work.ticket, work.key))
            db.execute("UPDATE work SET fresh = 0 WHERE key = ? AND wanted = ?", (work.key, work.ticket))
            db.execute("DELETE FROM work WHERE key = ? AND wanted = done", (work.key,))

    def later(self, work: Work, not_before: float) -> None:
        """The look failed; try it again then."""
        with self._transaction() as db:
            db.execute("UPDATE work SET attempts = attempts + 1, not_before = ? WHERE key = ?", (not_before, work.key))

    def hold(self, installation: int, until: float) -> None:
        """Leave an installation alone until a moment (seconds since the epoch)."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO holds VALUES (?, ?)"
                " ON CONFLICT (installation) DO UPDATE SET until = max(until, excluded.until)",
                (installation, until),
            )

    def waiting(self) -> int:
        """How many subjects wait to be looked at."""
        with self._transaction() as db:
            return int(db.execute("SELECT count(*) FROM work WHERE wanted > done").fetchone()[0])

    def head_begun(self, repository: str, number: int, sha: str) -> None:
        """Said before a run is started on a head, so that a kill in between leaves a trace."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO heads VALUES (?, ?, ?, 0) ON CONFLICT DO UPDATE SET finished = 0",
                (repository, number, sha),
            )

    def head_finished(self, repository: str, number: int, sha: str) -> None:
        with self._transaction() as db:
            where = (repository, number, sha)
            db.execute("UPDATE heads SET finished = 1 WHERE repository = ? AND number = ? AND sha = ?", where)

    def unfinished_heads(self, repository: str, number: int) -> tuple[str, ...]:
        with self._transaction() as db:
            where = (repository, number)
            rows = db.execute("SELECT sha FROM heads WHERE repository = ? AND number = ? AND finished = 0", where)
            return tuple(row[0] for row in rows.fetchall())

    def published(self, repository: str, number: int, head: str, digest: str) -> None:
        """Remember an effect, unless it is the one that was current already."""
        with self._transaction() as db:
            last = db.execute(
                "SELECT head, digest FROM effects WHERE repository = ? AND number = ? ORDER BY id DESC LIMIT 1",
                (repository, number),
            ).fetchone()
            if last != (head, digest):
                db.execute(
                    "INSERT INTO effects (repository, number, head, digest, published) VALUES (?, ?, ?, ?, ?)",
                    (repository, number, head, digest, time.time()),
                )

    def effects(self, repository: str, number: int) -> tuple[Effect, ...]:
        """Every effect that was published for the pull request, oldest first."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT head, digest, published FROM effects WHERE repository = ? AND number = ? ORDER BY id",
                (repository, number),
            ).fetchall()
        return tuple(Effect(*row) for row in rows)

    def keep_review(self, repository: str, number: int, review: StoredReview) -> None:
        with self._transaction() as db:
            values = (repository, number, review.head, review.tip, review.document, review.updated_at)
            db.execute(
                "INSERT OR REPLACE INTO reviews (repository, number, head, tip, document, updated_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                values,
            )

    def looked(self, repository: str, number: int, updated_at: str) -> None:
        """Remember which state of the pull request the last complete look saw."""
        with self._transaction() as db:
            where = (updated_at, repository, number)
            db.execute("UPDATE reviews SET updated_at = ? WHERE repository = ? AND number = ?", where)

    def review(self, repository: str, number: int) -> StoredReview | None:
        with self._transaction() as db:
            row = db.execute(
                "SELECT head, tip, document, updated_at FROM reviews WHERE repository = ? AND number = ?",
                (repository, number),
            ).fetchone()
        return StoredReview(*row) if row else None

    def gate_said(self, repository: str, number: int, conclusion: str) -> bool:
        """Remember what the gate said; False if it said so before."""
        with self._transaction() as db:
            where = (conclusion, repository, number, conclusion)
            changed = db.execute("UPDATE reviews SET gate = ? WHERE repository = ? AND number = ? AND gate != ?", where)
            return changed.rowcount > 0

    def twins(self, repository: str, number: int, head: str) -> tuple[Twin, ...]:
        """The other open pull requests with this head: GitHub keeps check runs by commit, so they share them."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT number, document, gate FROM reviews WHERE repository = ? AND head = ? AND number != ?"
                " ORDER BY number",
                (repository, head, number),
            ).fetchall()
        return tuple(Twin(*row) for row in rows)

    def known_numbers(self, repository: str) -> tuple[int, ...]:
        """The pull requests of a repository that were reviewed and not forgotten."""
        with self._transaction() as db:
            rows = db.execute("SELECT number FROM reviews WHERE repository = ?", (repository,)).fetchall()
        return tuple(row[0] for row in rows)

    def forget(self, repository: str, number: int) -> None:
        """A closed pull request: its effects stay, since it may be opened again."""
        with self._transaction() as db:
            for table in ("reviews", "heads"):
                db.execute(f"DELETE FROM {table} WHERE repository = ? AND number = ?", (repository, number))  # noqa: S608

    def heard(self, repository: str) -> str | None:
        """Up to when the repository's comments were looked through, in GitHub's words; None if never."""
        with self._transaction() as db:
            row = db.execute("SELECT until FROM heard WHERE repository = ?", (repository,)).fetchone()
        return str(row[0]) if row else None

    def hear(self, repository: str, until: str) -> None:
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO heard VALUES (?, ?)", (repository, until))

    def has_rollout(self, repository: str, number: int) -> bool:
        with self._transaction() as db:
            where = (repository, number)
            row = db.execute("SELECT 1 FROM rollouts WHERE repository = ? AND number = ?", where).fetchone()
        return row is not None

    def keep_rollout(self, repository: str, number: int, data: str, *, finished: bool) -> None:
        with self._transaction() as db:
            values = (repository, number, data, int(finished), time.time())
            db.execute("INSERT OR REPLACE INTO rollouts VALUES (?, ?, ?, ?, ?)", values)

    def open_rollouts(self) -> tuple[str, ...]:
        """What `keep_rollout` kept and is not finished, the oldest first."""
        with self._transaction() as db:
            rows = db.execute("SELECT data FROM rollouts WHERE finished = 0 ORDER BY updated, repository, number")
            return tuple(row[0] for row in rows.fetchall())

    def tidy(self) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM deliveries WHERE received < ?", (time.time() - KEEP_DELIVERIES_SECONDS,))
            old = (time.time() - KEEP_DELIVERIES_SECONDS,)
            db.execute("DELETE FROM rollouts WHERE finished = 1 AND updated < ?", old)
            db.execute("DELETE FROM holds WHERE until < ?", (time.time(),))


def _want(db: sqlite3.Connection, wishes: Sequence[Wish]) -> None:
    for wish in wishes:
        db.execute(
            "INSERT INTO work (key, installation, wanted, fresh, since) VALUES (?, ?, 1, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET wanted = wanted + 1, not_before = 0, attempts = 0,"
            " installation = excluded.installation, fresh = max(fresh, excluded.fresh)",
            (_scoped(wish), wish.installation, int(wish.fresh), time.time()),
        )


def _scoped(wish: Wish) -> str:
    return f"{wish.key}:{wish.installation}" if wish.key == "sweep" else wish.key
