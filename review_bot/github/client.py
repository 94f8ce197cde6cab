"""GitHub's REST API through PyGithub, in threads of its own: the only module that imports PyGithub.

PyGithub is synchronous, retries writes and sleeps through rate limits; so it gets threads, no retries of its own, and
its errors become those of `github.errors`. Reads are tried again here; writes never are: whoever writes looks first.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import requests
from github import Auth, Github
from github.GithubException import GithubException

from review_bot.github.budget import Budget
from review_bot.github.deliveries import Deliveries
from review_bot.github.errors import Forbidden, GitHubError, Missing, RateLimited, Refused, Unavailable
from review_bot.github.remembered import Remembered

THREADS = 8
TIMEOUT_SECONDS = 15
PAGE = 100
READ_TRIES = 3
BACKOFF_SECONDS = 0.3
# GitHub names no moment for most secondary limits and asks for "at least one minute".
SECONDARY_WAIT_SECONDS = 60.0
RENEW_SECONDS = 300.0
_NEXT = re.compile(r'<([^>]*)>;\s*rel="next"')


@dataclass(frozen=True)
class AppIdentity:
    """The App as GitHub knows it: its id, its private key (PEM), and where the API is."""

    app_id: str
    private_key: str
    api_url: str

    def __repr__(self) -> str:
        return f"AppIdentity({self.app_id!r}, {self.api_url!r})"


class GitHubApp:
    """The App itself, and the installations that it acts for."""

    def __init__(self, identity: AppIdentity) -> None:
        self._identity = identity
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="github")
        self._auth = Auth.AppAuth(identity.app_id, identity.private_key)
        self._transport = Transport(identity.api_url, self._auth, self._pool)
        self._installations: dict[int, Installation] = {}

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def about(self) -> Mapping[str, Any]:
        """`GET /app`: id, slug, name, permissions."""
        return dict(await self._transport.get("/app"))

    @property
    def deliveries(self) -> Deliveries:
        """The webhook deliveries that GitHub remembers."""
        return Deliveries(self._transport)

    async def installation_ids(self) -> list[int]:
        rows = await self._transport.pages("/app/installations")
        return [int(row["id"]) for row in rows if not row.get("suspended_at")]

    async def installed_on(self, repository: str) -> Mapping[str, Any]:
        """The installation that holds a repository: id, permissions, events. Missing where none does."""
        return dict(await self._transport.get(f"/repos/{quote(repository)}/installation"))

    def installation(self, id: int) -> Installation:
        """The installation's client; one and the same for all callers."""
        if id not in self._installations:
            self._installations[id] = Installation(id, self._identity.api_url, self._transport, self._pool)
        return self._installations[id]


class Transport:
    """Requests under one authentication, with its budget and its rate limit."""

    def __init__(self, api_url: str, auth: Auth.Auth, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._budget = Budget()
        self._remembered = Remembered()
        self._held_until = 0.0
        self._requester = Github(
            auth=auth,
            base_url=api_url,
            timeout=TIMEOUT_SECONDS,
            per_page=PAGE,
            retry=None,
            pool_size=THREADS,
            seconds_between_requests=None,
            seconds_between_writes=None,
            user_agent="review-bot",
        ).requester

    async def get(self, path: str, **parameters: Any) -> Any:
        """One read, tried again where GitHub stumbles."""
        return (await self._read(path, parameters))[1]

    async def page(self, path: str, **parameters: Any) -> tuple[Any, str]:
        """One page of a list, and the address of the next one, "" if there is none."""
        headers, data = await self._read(path, parameters)
        return data, next((m[1] for m in _NEXT.finditer(str(headers.get("link", "")))), "")

    async def pages(self, path: str, *, key: str | None = None, **parameters: Any) -> list[Any]:
        """Every row of a list, all pages read; `key` is where the rows stand in an object."""
        rows: list[Any] = []
        page = 1
        while True:
            headers, data = await self._read(path, {**parameters, "per_page": PAGE, "page": page})
            found = data.get(key, []) if key else data
            if not isinstance(found, list):
                raise Unavailable(f"GET {path}: GitHub's answer is not a list")
            rows += found
            if 'rel="next"' not in str(headers.get("link", "")):
                return rows
            page += 1

    async def send(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One write, sent once. Raises Unavailable where it is not known whether it was done."""
        return (await self._request(verb, path, {}, dict(body or {})))[1]

    async def _read(self, path: str, parameters: Mapping[str, Any]) -> tuple[Mapping[str, Any], Any]:
        question = f"{path}?{sorted(parameters.items())}" if parameters else path
        for attempt in range(READ_TRIES):
            try:
                condition = self._remembered.condition(question)
                headers, data = await self._request("GET", path, parameters, None, condition)
                answer = self._remembered.answer(question, headers, data)
                return answer.headers, answer.data
            except Unavailable:
                if attempt == READ_TRIES - 1:
                    raise
                await asyncio.sleep(BACKOFF_SECONDS * 3**attempt)
        raise AssertionError("the loop returns or raises")

    async def _request(
        self,
        verb: str,
        path: str,
        parameters: Mapping[str, Any],
        body: dict[str, Any] | None,
        headers: dict[str, str] | None = None,
    ) -> tuple[Mapping[str, Any], Any]:
        now = time.time()
        if now < self._held_until:
            raise RateLimited(f"GitHub asked to wait until {_clock(self._held_until)}", self._held_until)
        with self._lock:
            wait = self._budget.take(verb, now) - now
        if wait > 0:
            await asyncio.sleep(wait)
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, self._blocking, verb, path, dict(parameters), body, headers)
        except RateLimited as limited:
            self._held_until = max(self._held_until, limited.until)
            raise

    def _rejected(self) -> None:
        """GitHub took the credentials back; there is nothing to renew for the App itself."""

    def _blocking(
        self,
        verb: str,
        path: str,
        parameters: dict[str, Any],
        body: dict[str, Any] | None,
        headers: dict[str, str] | None = None,
    ) -> tuple[Mapping[str, Any], Any]:
        what = f"{verb} {path}"
        try:
            return self._requester.requestJsonAndCheck(verb, path, parameters, headers, body)
        except GithubException as error:
            if error.status == 401:
                self._rejected()
            raise _translated(what, error) from error
        except GitHubError:
            raise
        except (requests.RequestException, OSError, ValueError, AttributeError, RuntimeError) as error:
            # PyGithub stumbles over answers that are not JSON in several ways; all mean the same to us.
            raise Unavailable(f"{what}: {type(error).__name__}") from error


class Installation(Transport):
    """One installation of the App: its token, renewed under one lock, and requests with it."""

    def __init__(self, id: int, api_url: str, app: Transport, pool: ThreadPoolExecutor) -> None:
        self.id = id
        self._app = app
        self._token = _Token(lambda: self._issue(None))
        self._git: dict[str, _Token] = {}
        self._git_lock = threading.Lock()
        super().__init__(api_url, self._token, pool)

    async def git_token(self, repository: str) -> str:
        """A token that can only read the contents of this one repository: what git is handed."""
        _, _, name = repository.partition("/")
        wanted = {"repositories": [name], "permissions": {"contents": "read"}}
        with self._git_lock:
            token = self._git.setdefault(repository, _Token(lambda: self._issue(wanted)))
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: token.token)

    async def push_token(self, repository: str) -> str:
        """A new token for one push to this one repository; it is not kept."""
        _, _, name = repository.partition("/")
        wanted = {"repositories": [name], "permissions": {"contents": "write"}}
        return (await asyncio.get_running_loop().run_in_executor(self._pool, self._issue, wanted))[0]

    def _rejected(self) -> None:
        self._token.forget()

    def _issue(self, body: dict[str, Any] | None) -> tuple[str, float]:
        _, data = self._app._blocking("POST", f"/app/installations/{self.id}/access_tokens", {}, body)
        return str(data["token"]), datetime.fromisoformat(str(data["expires_at"]).replace("Z", "+00:00")).timestamp()


class _Token(Auth.Auth):
    """A token that is fetched when it is first needed and before it ends; cold threads wait for one call."""

    def __init__(self, issue: Any) -> None:
        self._issue = issue
        self._lock = threading.Lock()
        self._value = ""
        self._expires = 0.0

    @property
    def token_type(self) -> str:
        return "token"

    @property
    def token(self) -> str:
        with self._lock:
            if time.time() > self._expires - RENEW_SECONDS:
                self._value, self._expires = self._issue()
            return self._value

    def forget(self) -> None:
        with self._lock:
            self._expires = 0.0


def _translated(what: str, error: GithubException) -> GitHubError:
    headers = {str(k).lower(): str(v) for k, v in (error.headers or {}).items()}
    data = error.data if isinstance(error.data, Mapping) else {}
    message = str(data.get("message") or error.message or "no reason given")
    details = _details(data.get("errors"))
    text = f"{what}: {error.status} {message}{details}"
    if error.status in (403, 429) and (limit := _limit(headers, message, error.status)) is not None:
        return RateLimited(text, limit)
    if error.status in (404, 403):
        return Missing(text) if error.status == 404 else Forbidden(text)
    if error.status >= 500 or error.status < 400 or error.status in (401, 408):
        return Unavailable(text)
    return Refused(text, error.status)


def _limit(headers: Mapping[str, str], message: str, status: int) -> float | None:
    """Until when GitHub wants to be left alone; None if this is no rate limit."""
    now = time.time()
    with contextlib.suppress(ValueError):
        if "retry-after" in headers:
            return now + float(headers["retry-after"])
        if headers.get("x-ratelimit-remaining") == "0" and "x-ratelimit-reset" in headers:
            return max(now, float(headers["x-ratelimit-reset"])) + 1
    if status == 429 or "rate limit" in message.lower():
        return now + SECONDARY_WAIT_SECONDS
    return None


def _details(errors: Any) -> str:
    rows = errors if isinstance(errors, Sequence) and not isinstance(errors, str) else [errors] if errors else []
    texts = [str(r.get("message") or r.get("code") or r) if isinstance(r, Mapping) else str(r) for r in rows]
    return f" ({'; '.join(texts[:3])})" if texts else ""


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S UTC", time.gmtime(moment))
