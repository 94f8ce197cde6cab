"""GET with nothing left to the other side: no redirect to a host that is not allowed, no address of our own network."""

from __future__ import annotations

import base64
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3

from review_bot.core.errors import InputError
from review_bot.core.remote_hosts import RemoteHost, RemoteHosts

MOST_BYTES = 64 << 20
MOST_REDIRECTS = 5
SECONDS = urllib3.Timeout(connect=10, read=30)
HELP = "the operator's file lists the hosts under `remotes` (docs/remotes.md)"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Web:
    """Fetches from the operator's hosts. Raises InputError with the cause and the next step for everything else."""

    hosts: RemoteHosts
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, url: str, headers: Mapping[str, str] | None = None, *, most: int = MOST_BYTES) -> Answer:
        """The answer after at most five redirects, each to an allowed host. Credentials go to their own host only."""
        first = self.allowed(url)
        for _ in range(MOST_REDIRECTS):
            host = self.allowed(url)
            own = {**(headers or {})} if host == first else {k: v for k, v in (headers or {}).items() if k == "Accept"}
            answer = _once(url, host, own, most)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            url = urljoin(url, answer.headers.get("Location", ""))
        raise InputError(f"{url} redirects without end", help="look at the address")

    def allowed(self, url: str) -> RemoteHost:
        """The operator's row for an address. Raises InputError."""
        host = self.hosts.find(url)
        if host is None:
            place = urlsplit(url).hostname or url
            raise InputError(
                f"{place} is not a host that the operator allows",
                help=f"the operator can add {place} to `remotes` (docs/remotes.md), or commit what it holds",
            )
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and host.plain_http):
            raise InputError(f"{parts.scheme or 'an address without a scheme'} is not fetched", help="use https")
        return host


def basic(host: RemoteHost) -> dict[str, str]:
    """The header with the host's own credentials, none where it has none."""
    if not host.password:
        return {}
    pair = base64.b64encode(f"{host.username}:{host.password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def _once(url: str, host: RemoteHost, headers: Mapping[str, str], most: int) -> Answer:
    parts = urlsplit(url)
    pool = _pool(parts, address_of(parts.hostname or "", host))
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        sent = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": "review-bot", **headers}
        with pool, pool.urlopen("GET", path, headers=sent, redirect=False, retries=False, preload_content=False) as got:
            body = got.read(most + 1)
            got.release_conn()
            return Answer(got.status, dict(got.headers), body if len(body) <= most else _too_large(url, most))
    except (urllib3.exceptions.HTTPError, OSError) as error:
        reason = type(error).__name__
        raise InputError(f"{parts.hostname} can't be reached ({reason})", help="try again later") from error


def _pool(parts: SplitResult, address: str) -> urllib3.HTTPConnectionPool:
    """A connection to the very address that was looked at, under the name that was asked for."""
    if parts.scheme == "http":
        return urllib3.HTTPConnectionPool(address, parts.port or 80, timeout=SECONDS)
    name: Any = parts.hostname
    return urllib3.HTTPSConnectionPool(
        address, parts.port or 443, timeout=SECONDS, server_hostname=name, assert_hostname=name
    )


def address_of(name: str, host: RemoteHost) -> str:
    """An address of the name that may be connected to: a public one, unless the operator says otherwise."""
    try:
        found = [str(row[4][0]) for row in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise InputError(f"there is no host {name}", help="look at the address") from error
    for address in found:
        if host.private or ipaddress.ip_address(address.partition("%")[0]).is_global:
            return address
    raise InputError(
        f"{name} lies in a private network",
        help="the operator can set `private: true` for it in `remotes` (docs/remotes.md)",
    )


def _too_large(url: str, most: int) -> bytes:
    raise InputError(f"{url} is larger than {most >> 20} MiB", help="vendor a smaller one")
