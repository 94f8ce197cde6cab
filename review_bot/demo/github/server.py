"""The stand-in itself: one server on loopback, and what tests and the demo do with it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import traceback
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from aiohttp import web

from review_bot.demo.github import (
    api,
    routes_apps,
    routes_checks,
    routes_contents,
    routes_issues,
    routes_labels,
    routes_orgs,
    routes_protection,
    routes_pulls,
    routes_refs,
    routes_repos,
    routes_reviews,
    routes_statuses,
)
from review_bot.demo.github.accounts import Actor
from review_bot.demo.github.acts import Acts
from review_bot.demo.github.api import ApiError, Call, Reply, Route
from review_bot.demo.github.faults import SECONDARY, Fault, Faults, spoil
from review_bot.demo.github.git_http import GitHttp
from review_bot.demo.github.page import Pages
from review_bot.demo.github.state import Request
from review_bot.demo.github.tokens import BadCredentials

_AREAS = (
    routes_apps,
    routes_orgs,
    routes_checks,
    routes_statuses,
    routes_issues,
    routes_labels,
    routes_pulls,
    routes_reviews,
    routes_refs,
    routes_contents,
    routes_protection,
    routes_repos,
)
ROUTES: tuple[Route, ...] = tuple(route for area in _AREAS for route in area.routes.all)
# The one that this speaks; GitHub speaks 2026-03-10, too.
API_VERSION = "2022-11-28"
BODY_CAP = 25 * 1024 * 1024


@dataclass(frozen=True)
class Exchange:
    """One API request and its answer, for an observer: `route` is the template of GitHub's documentation."""

    method: str
    route: str
    path: str
    query: Mapping[str, str]
    request: Any
    status: int
    answer: Any


class Observer(Protocol):
    def exchange(self, exchange: Exchange) -> None: ...


class StandIn(Acts):
    """GitHub on 127.0.0.1. `root` holds the bare repositories; port 0 takes a free one."""

    def __init__(self, root: Path, observer: Observer | None = None, *, port: int = 0) -> None:
        super().__init__(root)
        # GitHub always does; here it is asked for, since a demo or a test writes in seconds what people write in days.
        self.enforces_limits = False
        self._observer = observer
        self._port = port
        self._faults = Faults()
        self._git = GitHttp(self.hub)
        self._pages = Pages(self.hub)
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> StandIn:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        app = web.Application(client_max_size=BODY_CAP)
        app.router.add_route("*", "/api/v3/{tail:.*}", self._api)
        app.router.add_route("*", "/{owner:[^/]+}/{repo:[^/]+}.git/{tail:.*}", self._serve_git)
        self._pages.add_to(app.router)
        app.router.add_route("*", "/{tail:.*}", self._api)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.world.url = f"http://{host}:{port}"
        await self.hub.webhooks.start()

    async def stop(self) -> None:
        await self.hub.webhooks.stop()
        if self._runner:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        return self.world.url

    @property
    def api_url(self) -> str:
        return self.world.api_url

    def fault(self, fault: Fault) -> Fault:
        """From now on the next requests that match go wrong; `fault.hits` counts them."""
        self._faults.all.append(fault)
        return fault

    # Requests

    async def _serve_git(self, request: web.Request) -> web.StreamResponse:
        fault = self._faults.take(request.method, request.path)
        if fault:
            await _pause(fault)
        if fault and (fault.status is not None or fault.drop):
            self._record(request, request.path, fault.sent, self._who(request), None)
            return await spoil(fault, request, b"", {})
        response, actor = await self._git.serve(request)
        self._record(request, request.path, response.status, actor, None)
        return response

    async def _api(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path.removeprefix("/api/v3") or "/"
        found = api.find(ROUTES, request.method, path)
        if found is None and "text/html" in request.headers.get("Accept", ""):
            return await self._pages.other(request)
        route = found[0] if found else None
        fault = self._faults.take(request.method, path)
        if fault:
            await _pause(fault)
        if fault and fault.instead:
            self._record(request, path, fault.sent, self._who(request), route)
            return await spoil(fault, request, b"", {"x-github-request-id": _request_id()})
        reply, actor = await self._answer(request, path, found)
        reply, whole = _condense(request, reply)
        # Neither what has not changed nor a look at the limits counts.
        calls = 0 if reply.status == 304 or path == "/rate_limit" else 1
        headers = {**self.hub.limits.headers(actor, calls), "x-github-request-id": _request_id(), **reply.headers}
        spoilt = fault is not None and (fault.after or fault.truncate)
        self._record(request, path, fault.sent if fault and fault.after else reply.status, actor, route)
        if fault and spoilt:
            return await spoil(fault, request, whole, headers)
        return web.Response(status=reply.status, body=whole or None, headers=headers)

    def _who(self, request: web.Request) -> Actor:
        try:
            return self.hub.tokens.actor(request.headers.get("Authorization"))
        except BadCredentials:
            return Actor()

    async def _answer(
        self, request: web.Request, path: str, found: tuple[Route, dict[str, str]] | None
    ) -> tuple[Reply, Actor]:
        actor, raw = Actor(), None
        try:
            actor = self.hub.tokens.actor(request.headers.get("Authorization"))
            if not request.headers.get("User-Agent"):
                raise ApiError(403, "Request forbidden by administrative rules. Please make sure it has a User-Agent.")
            version = request.headers.get("X-GitHub-Api-Version", API_VERSION)
            if version != API_VERSION:
                raise ApiError(400, f"Invalid or unsupported API version: {version}")
            if found is None:
                self.world.unknown.append((request.method, path))
                raise api.not_found()
            route, params = found
            raw = await _read(request)
            body = raw if isinstance(raw, dict) else {}
            call = Call(self.hub, request.method, path, dict(request.query), body, actor, params, raw)
            reply = await self._handle(route, call)
        except BadCredentials as error:
            refusal = ApiError(401, str(error))
            reply = Reply(401, refusal.body)
        except ApiError as error:
            reply = Reply(error.status, error.body, dict(error.headers))
        except Exception:
            # A mistake of the stand-in's own: said loudly, and kept for the tests.
            self.world.errors.append(traceback.format_exc())
            reply = Reply(500, ApiError(500, "The stand-in failed").body)
        if self._observer and found:
            query, template = dict(request.query), found[0].template
            self._observer.exchange(Exchange(request.method, template, path, query, raw, reply.status, reply.body))
        return reply, actor

    async def _handle(self, route: Route, call: Call) -> Reply:
        api.authorise(route, call)
        if route.content and self.enforces_limits and self.hub.limits.content_is_used_up(call.actor):
            raise ApiError(403, SECONDARY, headers={"retry-after": "60"})
        if route.method == "GET" or "owner" not in call.params or route.needs == "app":
            return await route.handler(call)
        # Writes to a repository go one after the other.
        async with call.repo.lock:
            return await route.handler(call)

    def _record(self, request: web.Request, path: str, status: int, actor: Actor, route: Route | None) -> None:
        self.world.requests.append(
            Request(
                method=request.method,
                path=path,
                query=request.query_string,
                status=status,
                actor=actor.kind,
                user=actor.account.login if actor.account else None,
                installation=actor.installation.id if actor.installation else None,
                at=self.world.now(),
                route=f"{route.method} {route.template}" if route else None,
                creates_content=bool(route and route.content),
            )
        )


def _condense(request: web.Request, reply: Reply) -> tuple[Reply, bytes]:
    """The body as bytes, with its tag; 304 and nothing where the caller has it already."""
    headers = {"X-GitHub-Media-Type": "github.v3; format=json", "X-GitHub-Api-Version-Selected": API_VERSION}
    headers |= reply.headers
    if reply.body is None:
        return Reply(reply.status, None, headers), b""
    whole = json.dumps(reply.body).encode()
    headers["Content-Type"] = "application/json; charset=utf-8"
    if request.method == "GET" and reply.status == 200:
        headers["ETag"] = f'W/"{hashlib.sha256(whole).hexdigest()}"'
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return Reply(304, None, headers), b""
    return Reply(reply.status, reply.body, headers), whole


async def _pause(fault: Fault) -> None:
    if fault.delay:
        await asyncio.sleep(fault.delay)


async def _read(request: web.Request) -> Any:
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise ApiError(413, "Payload too large") from error
    if not raw:
        return None
    try:
        found = json.loads(raw)
    except ValueError as error:
        raise ApiError(400, "Problems parsing JSON") from error
    if not isinstance(found, dict | list):
        raise ApiError(400, "Body should be a JSON object")
    return found


def _request_id() -> str:
    return f"{secrets.token_hex(2)}:{uuid.uuid4().hex[:20]}".upper()
