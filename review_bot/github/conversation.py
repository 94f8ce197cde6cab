"""The bot's one comment and one review on a pull request, found again by their author and a hidden marker.

A marker alone proves nothing, since anybody can write one: only what the App itself wrote is taken for its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from review_bot.github.client import Installation
from review_bot.github.errors import Missing, Refused
from review_bot.github.pulls import PullComment, PullReview, repo_path

STICKY = "<!-- review-bot:sticky -->"
_REVIEW = re.compile(r"<!-- review-bot:review ([0-9a-f]+) -->")
_PLACE = re.compile(r"<!-- review-bot:place ([0-9a-f]+) -->")


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the diff where people should look, and what is there (markdown)."""

    path: str
    line: int
    text: str

    @property
    def mark(self) -> str:
        return hashlib.sha256(f"{self.path}\0{self.line}\0{self.text}".encode()).hexdigest()[:16]

    @property
    def body(self) -> str:
        return f"{self.text}\n\n<!-- review-bot:place {self.mark} -->"


class Conversation:
    """What the bot (`login`) says on one repository's pull requests."""

    def __init__(self, api: Installation, repository: str, login: str) -> None:
        self._api, self._login = api, login.lower()
        self._path = repo_path(repository)

    async def comment(self, number: int, text: str, present: Sequence[PullComment], marker: str = STICKY) -> None:
        """Leave exactly one comment under `marker` that says `text`; `present` are all comments there are."""
        body = f"{marker}\n{text}"
        own = self.said(present, marker)
        if not own:
            await self._api.send("POST", f"{self._path}/issues/{number}/comments", {"body": body})
            return
        # A write whose answer was lost and that was done all the same can have left a second one.
        for extra in own[1:]:
            await self._delete(f"{self._path}/issues/comments/{extra.id}")
        if own[0].body.replace("\r\n", "\n").strip() != body.strip():
            await self._api.send("PATCH", f"{self._path}/issues/comments/{own[0].id}", {"body": body})

    def said(self, present: Sequence[PullComment], marker: str) -> list[PullComment]:
        """The comments that are the bot's own and bear the marker."""
        return [c for c in present if self._is_own(c.user) and marker in c.body]

    async def review(
        self, number: int, head: str, summary: str, places: Sequence[Place], present: Sequence[PullReview]
    ) -> None:
        """One review that points at `places`; none if there never was anything to point at.

        A submitted review takes no more inline comments: a later one is told in its body, and what no longer holds
        is deleted.
        """
        own = [r for r in present if self._is_own(r.user) and _REVIEW.search(r.body)]
        mark = hashlib.sha256("\0".join([summary, *(p.mark for p in places)]).encode()).hexdigest()[:16]
        body = f"{summary}\n\n<!-- review-bot:review {mark} -->"
        if not own:
            if places:
                await self._first(number, head, body, places)
            return
        if f"review-bot:review {mark} " in own[-1].body:
            return
        await self._forget(number, own[-1].id, {p.mark for p in places})
        await self._api.send("PUT", f"{self._path}/pulls/{number}/reviews/{own[-1].id}", {"body": body})

    async def _first(self, number: int, head: str, body: str, places: Sequence[Place]) -> None:
        path = f"{self._path}/pulls/{number}/reviews"
        review = {"commit_id": head, "event": "COMMENT", "body": body}
        inline = [{"path": p.path, "line": p.line, "side": "RIGHT", "body": p.body} for p in places]
        try:
            await self._api.send("POST", path, {**review, "comments": inline})
        except Refused:
            # GitHub's diff and git's differ on some line: say it without pointing rather than not at all.
            await self._api.send("POST", path, review)

    async def _forget(self, number: int, review: int, kept: set[str]) -> None:
        rows = await self._api.pages(f"{self._path}/pulls/{number}/reviews/{review}/comments")
        for row in rows:
            found = _PLACE.search(str(row.get("body") or ""))
            if found and found.group(1) not in kept:
                await self._delete(f"{self._path}/pulls/comments/{row['id']}")

    async def _delete(self, path: str) -> None:
        try:
            await self._api.send("DELETE", path)
        except Missing:
            return

    def _is_own(self, user: str) -> bool:
        return user.lower() == self._login
