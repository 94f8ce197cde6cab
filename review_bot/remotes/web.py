"""GET with nothing left to the other side: no redirect to a host that is not allowed, no address of our own network."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3

from review_bot.core.errors import InputError
from review_bot.core.remote_hosts import PORTS, RemoteHost, RemoteHosts
from review_bot.remotes.addresses import address_of

MOST_BYTES = 64 << 20
MOST_REDIRECTS = 5
# For one address as a whole, and for each wait within it.
MOST_SECONDS = 120
SECONDS = urllib3.Timeout(connect=10, read=30)


class Unreachable(InputError):
    """A host does not answer, or not as a web server."""


@dataclass(frozen=True)
class Answer:
    """`headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Web:
    """Fetches from the operator's hosts. Raises InputError with the cause and the next step for everything else.

    `through` are the addresses that had to be allowed on the way.
    """

    hosts: RemoteHosts
    through: list[str] = field(default_factory=list)

    def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        most: int = MOST_BYTES,
        row: RemoteHost | None = None,
        head: bool = False,
    ) -> Answer:
        """The answer after at most five redirects, each to an allowed host. Credentials go to their own host only.

        `row` is the one that allows the first address where that does not show in its path (OCI's API).
        With `head` only what stands before the body is asked for.
        """
        first, sent = url, dict(headers or {})
        asked = row or self.allowed(url)
        until = time.monotonic() + MOST_SECONDS
        for _ in range(MOST_REDIRECTS):
            host = asked if url == first else self.allowed(url)
            # Credentials are those of one row, which may be a part of a host only.
            if host is not asked or not same_origin(url, first):
                sent = {key: value for key, value in sent.items() if key == "Accept"}
            answer = _once(url, host, sent, most, until, "HEAD" if head else "GET")
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            if "location" not in answer.headers:
                break
            url = joined(url, answer.headers["location"])
        raise InputError(f"{url.partition('?')[0]} redirects without end", help="look at the address")

    def allowed(self, url: str) -> RemoteHost:
        """The operator's row for an address that is fetched as it is written. Raises InputError."""
        parts, host = split(url), self.named(url)
        self.through.append(url.partition("?")[0])
        if parts.scheme != "https" and not (parts.scheme == "http" and host.plain_http):
            raise InputError(f"{parts.scheme or 'an address without a scheme'} is not fetched", help="use https")
        return host

    def named(self, url: str) -> RemoteHost:
        """The operator's row for a place, whatever is spoken there. Raises InputError."""
        host = self.hosts.find(url)
        if host is None:
            scheme, name, port = _origin(url)
            # As the operator's file has it.
            place = f"{name}:{port}" if name and port not in (None, PORTS.get(scheme)) else name or url
            raise InputError(
                f"{place} is not a host that the operator allows, or not with this path",
                help=f"the operator can add {place} to `remotes` (docs/remotes.md), or commit what it holds",
            )
        return host


def split(url: str) -> SplitResult:
    """The parts of an address. Raises InputError for what is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise InputError(f"{url} is no address: {error}", help="correct it") from error
    return parts


def joined(url: str, to: str) -> str:
    """Where a reference on a page at `url` leads. Raises InputError."""
    try:
        return urljoin(url, to)
    except ValueError as error:
        raise InputError(f"{url} leads to {to!r}, which is no address", help="look at what lies there") from error


def same_origin(one: str, other: str) -> bool:
    """Do both addresses have the same scheme, host and port?"""
    return _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = split(url)
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)


def basic(host: RemoteHost) -> dict[str, str]:
    """The header with the host's own credentials, none where it has none."""
    if not host.password:
        return {}
    pair = base64.b64encode(f"{host.username}:{host.password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def _once(url: str, host: RemoteHost, headers: Mapping[str, str], most: int, until: float, method: str) -> Answer:
    parts = split(url)
    pool = _pool(parts, address_of(parts.hostname or "", host))
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        sent = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": "review-bot", **headers}
        with (
            pool,
            pool.urlopen(method, path, headers=sent, redirect=False, retries=False, preload_content=False) as got,
        ):
            body = _body(got, url, most, until)
            names = {key.lower(): value for key, value in got.headers.items()}
            return Answer(got.status, names, body)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        reason = type(error).__name__
        raise Unreachable(f"{parts.hostname} can't be reached ({reason})", help="try again later") from error


def _body(got: urllib3.BaseHTTPResponse, url: str, most: int, until: float) -> bytes:
    """All of it as it was sent (an archive is compressed itself), within bounds of size and time."""
    chunks, size = [], 0
    # What storage is redirected to has its permission in the query.
    url = url.partition("?")[0]
    while chunk := got.read1(1 << 20, decode_content=False):
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            raise InputError(f"{url} is larger than {most >> 20} MiB", help="vendor a smaller one")
        if time.monotonic() > until:
            raise InputError(f"{url} takes longer than {MOST_SECONDS} s", help="try again later, or vendor it")
    return b"".join(chunks)


def _pool(parts: SplitResult, address: str) -> urllib3.HTTPConnectionPool:
    """A connection to the very address that was looked at, under the name that was asked for."""
    port = parts.port or PORTS[parts.scheme]
    if parts.scheme == "http":
        return urllib3.HTTPConnectionPool(address, port, timeout=SECONDS)
    name: Any = parts.hostname
    return urllib3.HTTPSConnectionPool(address, port, timeout=SECONDS, server_hostname=name, assert_hostname=name)
