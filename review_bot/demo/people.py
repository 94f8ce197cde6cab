"""People at work on GitHub (or its stand-in): everything through the REST API and git over HTTP, as anybody would."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import ClientSession

from review_bot.demo.github.git import run

Json = dict[str, Any]


class Person:
    """One person with a personal token. Use as `async with`."""

    def __init__(self, login: str, token: str, api_url: str, git_url: str) -> None:
        self.login, self._token = login, token
        self._api, self._git = api_url, git_url
        self._session = ClientSession(headers={"Authorization": f"token {token}"})

    async def __aenter__(self) -> Person:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """One request; the status and the JSON."""
        async with self._session.request(method, f"{self._api}{path}", json=body) as response:
            return response.status, await response.json() if response.status != 204 else None

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request that must succeed."""
        status, answer = await self.call(method, path, body)
        if status >= 300:
            raise RuntimeError(f"{self.login}: {method} {path}: {status} {answer}")
        return answer

    async def commit(self, work: Path, files: Mapping[str, str | None], message: str) -> str:
        """Write (None: delete) files in a work tree and commit them as this person; the commit."""
        await asyncio.to_thread(_write, work, files)
        await run(work, "add", "--all")
        email = f"{self.login}@example.com"
        words = ("-c", f"user.name={self.login}", "-c", f"user.email={email}", "commit", "--quiet", "--allow-empty")
        await run(work, *words, "-m", message)
        return (await run(work, "rev-parse", "HEAD")).decode().strip()

    async def clone(self, repository: str, into: Path) -> None:
        await asyncio.to_thread(into.mkdir, parents=True)
        await run(into, "clone", "--quiet", f"{self._git}/{repository}.git", ".", extra=self._credentials())

    async def fetch(self, work: Path) -> None:
        """Every branch of the repository that was cloned there."""
        await run(work, "fetch", "--quiet", "origin", extra=self._credentials())

    async def push(self, work: Path, repository: str, branch: str, *, force: bool = False) -> None:
        words = ("push", "--quiet", *(("--force",) if force else ()), f"{self._git}/{repository}.git")
        await run(work, *words, f"HEAD:refs/heads/{branch}", extra=self._credentials())

    async def open_pull(
        self, repository: str, head: str, title: str, *, base: str = "main", draft: bool = False
    ) -> int:
        body = {"title": title, "head": head, "base": base, "draft": draft}
        return int((await self.ask("POST", f"/repos/{repository}/pulls", body))["number"])

    async def pull(self, repository: str, number: int) -> Json:
        answer: Json = await self.ask("GET", f"/repos/{repository}/pulls/{number}")
        return answer

    async def review(self, repository: str, number: int, event: str = "APPROVE", body: str = "") -> tuple[int, Any]:
        """The status and the answer: GitHub refuses some reviews, such as an author's approval."""
        return await self.call("POST", f"/repos/{repository}/pulls/{number}/reviews", {"event": event, "body": body})

    async def comment(self, repository: str, number: int, body: str) -> Json:
        answer: Json = await self.ask("POST", f"/repos/{repository}/issues/{number}/comments", {"body": body})
        return answer

    async def comments(self, repository: str, number: int) -> list[Json]:
        rows: list[Json] = await self.ask("GET", f"/repos/{repository}/issues/{number}/comments?per_page=100")
        return rows

    async def reviews(self, repository: str, number: int) -> list[Json]:
        rows: list[Json] = await self.ask("GET", f"/repos/{repository}/pulls/{number}/reviews?per_page=100")
        return rows

    async def runs(self, repository: str, sha: str, *, filter: str = "latest") -> list[Json]:
        path = f"/repos/{repository}/commits/{sha}/check-runs?per_page=100&filter={filter}"
        rows: list[Json] = (await self.ask("GET", path))["check_runs"]
        return rows

    async def merge(self, repository: str, number: int) -> str:
        """Squash and merge; "" if GitHub did, else why it did not."""
        status, answer = await self.call("PUT", f"/repos/{repository}/pulls/{number}/merge", {"merge_method": "squash"})
        return "" if status == 200 else str(answer.get("message"))

    def _credentials(self) -> dict[str, str]:
        basic = base64.b64encode(f"{self.login}:{self._token}".encode()).decode()
        return {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
        }


def _write(work: Path, files: Mapping[str, str | None]) -> None:
    for name, text in files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink() if text is None else path.write_text(text)
