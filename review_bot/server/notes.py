"""Smaller things that the store remembers: what was answered, when to wake up, which merges wait, what effects were."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from review_bot.github.webhook import Wish


class Notes:
    """A part of `Store`, in the same database: each call is one transaction, or belongs to the one that is open."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._transaction = transaction

    def answered(self, repository: str, number: int) -> frozenset[str]:
        """What `answer` was told of the pull request."""
        with self._transaction() as db:
            where = (repository, number)
            rows = db.execute("SELECT what FROM answered WHERE repository = ? AND number = ?", where)
            return frozenset(row[0] for row in rows.fetchall())

    def answer(self, repository: str, number: int, *what: str) -> None:
        """Remember that this needs no answer any more."""
        with self._transaction() as db:
            rows = [(repository, number, one) for one in what]
            db.executemany("INSERT OR IGNORE INTO answered VALUES (?, ?, ?)", rows)

    def wake(self, wish: Wish, why: str, at: float | None) -> None:
        """Want this at a moment (seconds since the epoch) for a reason; None: not any more."""
        with self._transaction() as db:
            db.execute("DELETE FROM alarms WHERE key = ? AND why = ?", (wish.key, why))
            if at is not None:
                values = (wish.key, why, wish.installation, int(wish.fresh), at)
                db.execute("INSERT INTO alarms VALUES (?, ?, ?, ?, ?)", values)

    def rung(self, now: float) -> Sequence[Wish]:
        """The wishes whose moment has come; they are forgotten by this."""
        with self._transaction() as db:
            rows = db.execute("SELECT key, installation, fresh FROM alarms WHERE at <= ?", (now,)).fetchall()
            if rows:
                db.execute("DELETE FROM alarms WHERE at <= ?", (now,))
        return [Wish(key, installation, fresh=bool(fresh)) for key, installation, fresh in rows]

    def next_alarm(self) -> float | None:
        with self._transaction() as db:
            row = db.execute("SELECT min(at) FROM alarms").fetchone()
        return None if row[0] is None else float(row[0])

    def merge_waits(self, repository: str, number: int, head: str | None) -> None:
        """The merge waits for checks of this head; None: for none any more."""
        with self._transaction() as db:
            if head is None:
                db.execute("DELETE FROM merges WHERE repository = ? AND number = ?", (repository, number))
            else:
                db.execute("INSERT OR REPLACE INTO merges VALUES (?, ?, ?)", (repository, number, head))

    def merges_of(self, repository: str, head: str) -> tuple[int, ...]:
        """The pull requests whose merge waits for checks of a head."""
        with self._transaction() as db:
            rows = db.execute("SELECT number FROM merges WHERE repository = ? AND head = ?", (repository, head))
            return tuple(row[0] for row in rows.fetchall())

    def waiting_merges(self, repository: str) -> tuple[int, ...]:
        with self._transaction() as db:
            rows = db.execute("SELECT number FROM merges WHERE repository = ?", (repository,))
            return tuple(row[0] for row in rows.fetchall())

    def gate(self, repository: str, number: int) -> str:
        """The conclusion of the pull request's own gate; "" if there is none yet."""
        with self._transaction() as db:
            where = (repository, number)
            row = db.execute("SELECT gate FROM reviews WHERE repository = ? AND number = ?", where).fetchone()
        return str(row[0]) if row else ""

    def let_through(self, repository: str) -> tuple[int, ...]:
        """The pull requests whose gate is green."""
        with self._transaction() as db:
            rows = db.execute("SELECT number FROM reviews WHERE repository = ? AND gate = 'success'", (repository,))
            return tuple(row[0] for row in rows)

    def numbers_at(self, repository: str, head: str) -> tuple[int, ...]:
        """The open pull requests with this head."""
        with self._transaction() as db:
            rows = db.execute("SELECT number FROM reviews WHERE repository = ? AND head = ?", (repository, head))
            return tuple(row[0] for row in rows.fetchall())

    def group_begun(self, repository: str, branch: str, head: str, number: int) -> None:
        """Said before a run is started on a merge group of a pull request."""
        with self._transaction() as db:
            values = (repository, branch, head, number)
            db.execute("INSERT OR IGNORE INTO groups (repository, branch, head, number) VALUES (?, ?, ?, ?)", values)

    def group_said(self, repository: str, branch: str, head: str, passed: Sequence[int]) -> None:
        """`passed`: the pull requests that its gate let through, none where it did not."""
        with self._transaction() as db:
            values = ("".join(f",{number}" for number in passed) + ",", repository, branch, head)
            db.execute("UPDATE groups SET passed = ? WHERE repository = ? AND branch = ? AND head = ?", values)

    def group_gone(self, repository: str, branch: str, head: str) -> None:
        with self._transaction() as db:
            values = (repository, branch, head)
            db.execute("DELETE FROM groups WHERE repository = ? AND branch = ? AND head = ?", values)

    def group_heads(self, repository: str, branch: str) -> tuple[str, ...]:
        with self._transaction() as db:
            rows = db.execute("SELECT head FROM groups WHERE repository = ? AND branch = ?", (repository, branch))
            return tuple(row[0] for row in rows.fetchall())

    def group_branches(self, repository: str, *, passed: int | None = None, head: str | None = None) -> set[str]:
        """The branches of a repository's known groups: all, those that passed with a pull request, those at a head."""
        with self._transaction() as db:
            rows = db.execute("SELECT branch, passed, head FROM groups WHERE repository = ?", (repository,)).fetchall()
        return {b for b, p, h in rows if (passed is None or f",{passed}," in p) and head in (None, h)}

    def keep_effect(self, repository: str, number: int, digest: str, shown: str) -> None:
        """Keep what a published effect was."""
        with self._transaction() as db:
            values = (repository, number, digest, shown)
            db.execute("INSERT OR IGNORE INTO effect_details VALUES (?, ?, ?, ?)", values)

    def effects(self, repository: str, number: int) -> dict[str, str]:
        """What `keep_effect` kept, by digest."""
        with self._transaction() as db:
            where = (repository, number)
            rows = db.execute("SELECT digest, shown FROM effect_details WHERE repository = ? AND number = ?", where)
            return {str(digest): str(shown) for digest, shown in rows.fetchall()}
