"""Whoever calls the stand-in in its tests: the REST API with a token, and git over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp

from review_bot.demo.github import git


@dataclass
class Answer:
    status: int
    json: Any
    headers: Mapping[str, str] = field(repr=False)


class Caller:
    """Calls the REST API with one token (or none)."""

    def __init__(self, api_url: str, token: str | None) -> None:
        self.base = api_url
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Caller:
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    async def call(self, method: str, path: str, json: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer, whatever its status; `path` begins with a slash."""
        if self._session is None:
            raise RuntimeError("use `async with`")
        sent = {"Accept": "application/vnd.github+json", **(headers or {})}
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
        async with self._session.request(method, self.base + path, json=json, headers=sent) as answer:
            body = await answer.json(content_type=None) if (await answer.read()) else None
            return Answer(answer.status, body, answer.headers)

    async def get(self, path: str) -> Any:
        return await self._sure("GET", path, None)

    async def post(self, path: str, json: Any = None) -> Any:
        return await self._sure("POST", path, json)

    async def patch(self, path: str, json: Any = None) -> Any:
        return await self._sure("PATCH", path, json)

    async def put(self, path: str, json: Any = None) -> Any:
        return await self._sure("PUT", path, json)

    async def delete(self, path: str, json: Any = None) -> Any:
        return await self._sure("DELETE", path, json)

    async def _sure(self, method: str, path: str, json: Any) -> Any:
        """The body of a success. Raises RuntimeError for anything else."""
        answer = await self.call(method, path, json)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.json}")
        return answer.json


@dataclass(frozen=True)
class Clone:
    """A work tree of a person's, with the credentials in its remote's address: a test may do so, the bot must not."""

    folder: Path
    name: str
    email: str

    @classmethod
    async def make(cls, url: str, folder: Path, login: str, token: str, *, email: str | None = None) -> Clone:
        """Clone `url` (http://…/owner/repo.git) as `login`; a clone that is there is brought up to date."""
        made = cls(folder, login.title(), email or f"{login}@example.com")
        if _is_there(folder):
            await made.git("fetch", "--quiet", "--prune", "origin")
            await made.git("checkout", "--quiet", "-B", "main", "origin/main")
            return made
        _make(folder.parent)
        address = url.replace("http://", f"http://{login}:{token}@", 1)
        await git.run(folder.parent, "clone", "--quiet", address, str(folder))
        return made

    async def git(self, *words: str) -> str:
        """git's stdout in the work tree. Raises GitError."""
        who = {"GIT_AUTHOR_NAME": self.name, "GIT_AUTHOR_EMAIL": self.email}
        who |= {"GIT_COMMITTER_NAME": self.name, "GIT_COMMITTER_EMAIL": self.email}
        return (await git.run(self.folder, *words, extra=who)).decode().strip()

    async def commit(self, files: Mapping[str, str | None], message: str = "Change", *, branch: str = "") -> str:
        """Write files (None removes), commit on `branch` (made where it is missing) and give the new commit."""
        if branch:
            try:
                await self.git("checkout", "--quiet", branch)
            except git.GitError:
                await self.git("checkout", "--quiet", "-b", branch)
        for name, content in files.items():
            path = self.folder / name
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
        await self.git("add", "--all")
        await self.git("commit", "--quiet", "-m", message)
        return await self.git("rev-parse", "HEAD")

    async def push(self, *refs: str, force: bool = False) -> None:
        words = ["--force"] if force else []
        await self.git("push", "--quiet", *words, "origin", *(refs or ("HEAD",)))


def _is_there(folder: Path) -> bool:
    return folder.exists()


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
