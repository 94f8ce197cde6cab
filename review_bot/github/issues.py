"""The bot's own issues in one repository, found again by their author and a hidden marker in their text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.github.client import Installation
from review_bot.github.pulls import repo_path

# GitHub takes 65,536 characters and counts bytes in places.
MOST_BODY_BYTES = 60_000
MOST_TITLE = 250
GONE = "<!-- review-bot:gone -->"


@dataclass(frozen=True, slots=True)
class Issue:
    """An open issue of ours."""

    number: int
    title: str
    body: str


class Issues:
    """What the bot (`login`) keeps as issues. A marker alone proves nothing: the author counts too."""

    def __init__(self, api: Installation, repository: str, login: str) -> None:
        self._api, self._login = api, login
        self._path = f"{repo_path(repository)}/issues"

    async def open(self, marker: str) -> list[Issue]:
        """Our open issues whose text holds `marker`, the oldest first. Raises GitHubError."""
        rows = await self._api.pages(self._path, state="open", creator=self._login, sort="created", direction="asc")
        own = [r for r in rows if "pull_request" not in r and self._is_own(r) and marker in str(r.get("body") or "")]
        return [Issue(int(r["number"]), str(r["title"]), str(r["body"]).replace("\r\n", "\n")) for r in own]

    async def write(self, present: Issue | None, title: str, body: str) -> None:
        """Bring one issue to say this; nothing is sent where it says so already. Raises GitHubError."""
        if present is None:
            await self._api.send("POST", self._path, {"title": title, "body": body})
        elif (present.title, present.body.strip()) != (title, body.strip()):
            await self._api.send("PATCH", f"{self._path}/{present.number}", {"title": title, "body": body})

    async def close(self, issue: Issue, sentence: str) -> None:
        """Say why, then close. A kill between the two leaves no second sentence. Raises GitHubError."""
        comments = await self._api.pages(f"{self._path}/{issue.number}/comments")
        said = bool(comments) and self._is_own(comments[-1]) and GONE in str(comments[-1].get("body") or "")
        if not said:
            text = f"{sentence}\n\n{GONE}"
            await self._api.send("POST", f"{self._path}/{issue.number}/comments", {"body": text})
        await self._api.send("PATCH", f"{self._path}/{issue.number}", {"state": "closed", "state_reason": "completed"})

    def _is_own(self, row: Mapping[str, Any]) -> bool:
        return str((row.get("user") or {}).get("login") or "").lower() == self._login.lower()
