"""Who may write, and who is in which team: asked of GitHub, kept for a minute or until somebody says otherwise."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar
from urllib.parse import quote

from review_bot.github.client import Installation
from review_bot.github.errors import Forbidden, Missing
from review_bot.github.pulls import repo_path

KEPT_SECONDS = 60.0
_WRITE = ("admin", "maintain", "write")
T = TypeVar("T")


class People:
    """Look-ups through one installation."""

    def __init__(self, api: Installation) -> None:
        self._api = api
        self._known: dict[str, tuple[float, object]] = {}

    def forget(self) -> None:
        """Somebody's rights or a team have changed: ask anew."""
        self._known = {}

    async def permissions(self, repository: str, logins: Iterable[str]) -> dict[str, str]:
        """`write`, `read` or `none` by login; a login that GitHub does not know has none."""
        names = sorted({name.lower() for name in logins})
        found = await asyncio.gather(*(self._permission(repository, name) for name in names))
        return dict(zip(names, found, strict=True))

    async def teams(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Members by `org/team`; one that is not there or can't be read is left out: the gate's error."""
        wanted = sorted({name.lower() for name in names})
        found = await asyncio.gather(*(self._members(name) for name in wanted))
        return {name: members for name, members in zip(wanted, found, strict=True) if members is not None}

    async def _permission(self, repository: str, login: str) -> str:
        async def ask() -> str:
            try:
                path = f"{repo_path(repository)}/collaborators/{quote(login, safe='')}/permission"
                answer = await self._api.get(path)
            except Missing:
                return "none"
            levels = (str(answer.get("permission")), str(answer.get("role_name")))
            if any(level in _WRITE for level in levels):
                return "write"
            return "read" if any(level in ("read", "triage") for level in levels) else "none"

        return await self._kept(f"{repository} {login}", ask)

    async def _members(self, team: str) -> list[str] | None:
        async def ask() -> list[str] | None:
            organisation, _, slug = team.partition("/")
            path = f"/orgs/{quote(organisation, safe='')}/teams/{quote(slug, safe='')}/members"
            try:
                return [str(row["login"]) for row in await self._api.pages(path)]
            except (Missing, Forbidden):
                return None

        return await self._kept(f"@{team}", ask)

    async def _kept(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        # An answer to what was asked before `forget` is kept where nobody looks any more.
        kept = self._known
        known = kept.get(key)
        now = time.monotonic()
        if known is not None and known[0] > now:
            return known[1]  # type: ignore[return-value]
        answer = await ask()
        kept[key] = (now + KEPT_SECONDS, answer)
        return answer
