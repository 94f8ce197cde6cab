"""Faults on demand: what an API does on a bad day."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@dataclass
class Fault:
    """What happens to the next `times` requests whose method and path (without /api/v3) match, after `skip` others.

    `after`: the work is done and only then the answer is spoilt. `drop`: the connection is reset instead of an answer.
    `truncate`: the headers promise the whole body and half of it comes. `delay`: seconds to wait before anything else;
    with `status` None that is all. For git over HTTP a fault always comes instead of the answer.
    """

    method: str = ".*"
    path: str = ".*"
    status: int | None = 502
    body: str = '{"message": "Server Error"}'
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    skip: int = 0
    after: bool = False
    drop: bool = False
    truncate: bool = False
    delay: float = 0.0
    hits: int = 0

    @property
    def instead(self) -> bool:
        """Whether it stands in for the answer, so that no work is done."""
        return not self.after and not self.truncate and (self.drop or self.status is not None)

    @property
    def sent(self) -> int:
        """The status that the caller gets to see, 0 for none."""
        return 0 if self.drop else self.status or 500

    def takes(self, method: str, path: str) -> bool:
        if self.hits >= self.times or not re.fullmatch(self.method, method) or not re.fullmatch(self.path, path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.hits += 1
        return True


def secondary_limit(
    retry_after: int = 60, status: int = 403, *, method: str = ".*", path: str = ".*", times: int = 1
) -> Fault:
    """GitHub asks to slow down: 403 (or 429) with retry-after, in its own words."""
    body = (
        f'{{"message": "{SECONDARY}",'
        ' "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api'
        f'#about-secondary-rate-limits", "status": "{status}"}}'
    )
    return Fault(method, path, status, body, {"retry-after": str(retry_after)}, times)


def primary_limit(reset: int, *, method: str = ".*", path: str = ".*", times: int = 1) -> Fault:
    """The hour's calls are used up; `reset` is when they come back (seconds since 1970)."""
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset), "x-ratelimit-used": "5000"}
    body = (
        '{"message": "API rate limit exceeded for installation.",'
        ' "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api", "status": "403"}'
    )
    return Fault(method, path, 403, body, headers, times)


class Faults:
    def __init__(self) -> None:
        self.all: list[Fault] = []

    def take(self, method: str, path: str) -> Fault | None:
        return next((fault for fault in self.all if fault.takes(method, path)), None)


async def spoil(fault: Fault, request: web.Request, whole: bytes, headers: Mapping[str, str]) -> web.StreamResponse:
    """The spoilt answer. `whole` is what would have been answered."""
    if fault.drop:
        _reset(request)
        return web.Response(status=500)
    if fault.truncate:
        response = web.StreamResponse(headers=headers)
        response.content_length = len(whole)
        await response.prepare(request)
        await response.write(whole[: len(whole) // 2])
        await asyncio.sleep(0)
        if request.transport:
            request.transport.close()
        return response
    return web.Response(
        status=fault.status or 500,
        text=fault.body,
        headers={**headers, "Content-Type": "application/json; charset=utf-8", **fault.headers},
    )


def _reset(request: web.Request) -> None:
    transport = request.transport
    if transport is None:
        return
    there: socket.socket | None = transport.get_extra_info("socket")
    if there is not None:
        there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
