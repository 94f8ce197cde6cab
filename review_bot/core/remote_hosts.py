"""What the operator lets the bot fetch from elsewhere (`remotes` in the operator's file)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

PORTS = {"http": 80, "https": 443}
# Nothing that two readers could understand differently: no letters beyond ASCII, no backslash, no space.
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?:[\w.~%!$&'()*+,;=:-]*@)?(?P<host>[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::(?P<port>\d{1,5}))?"
    r"(?P<path>/[!-~]*?)?(?:\?[!-~]*?)?(?:#[!-~]*)?\Z",
    re.ASCII | re.IGNORECASE,
)
_PATH = re.compile(r"[^?#\\]*\Z")
# What a server may take for a border between two parts of a path, or for the start of something else.
_UNCLEAR = frozenset("/\\%;?#")


@dataclass(frozen=True)
class RemoteHost:
    """`place` is a host, or a host and the beginning of a path; with `private` it may lie in the operator's network."""

    place: str
    private: bool = False
    username: str = ""
    password: str = ""
    # Without TLS: for mirrors in the operator's own network.
    plain_http: bool = False
    # Another host that may see the credentials, to make a token of them.
    token_host: str = ""

    def __repr__(self) -> str:
        return f"RemoteHost({self.place!r})"

    @cached_property
    def _parts(self) -> tuple[str, int | None, list[str]]:
        host, _, path = self.place.strip("/").partition("/")
        name, _, port = host.partition(":")
        return name.lower(), int(port) if port else None, path.split("/") if path else []

    @property
    def is_part_of_a_host(self) -> bool:
        """Is only what lies below a path allowed?"""
        return bool(self._parts[2])

    @property
    def terms(self) -> str:
        """On what terms it may be fetched from: what was kept on other ones counts for nothing."""
        return f"{self.private} {self.plain_http} {bool(self.password)}"

    def allows(self, host: str, port: int, default: int, path: str) -> bool:
        """Is the address at this place? `port` is that of the address, `default` that of its scheme."""
        name, own, beginning = self._parts
        if host.lower() != name or port != (own or default):
            return False
        parts = path.split("/")[1:]
        return not beginning or (parts[: len(beginning)] == beginning and _is_plain(parts))


@dataclass(frozen=True)
class RemoteHosts:
    """The hosts, the longest places first."""

    hosts: tuple[RemoteHost, ...]

    @staticmethod
    def of(rows: Mapping[str, RemoteHost]) -> RemoteHosts:
        """From the rows of the operator's file."""
        return RemoteHosts(tuple(sorted(rows.values(), key=lambda h: (-h.place.strip("/").count("/"), -len(h.place)))))

    def find(self, url: str) -> RemoteHost | None:
        """The row that allows an address (`https://` or `http://`) as it is written, None where none does.

        Below a path that means: letter by letter, and nothing that a server might follow to somewhere else.
        """
        found = _ADDRESS.match(url)
        if found is None or not _PATH.match(found["path"] or ""):
            return None
        default = PORTS[found["scheme"].lower()]
        port = int(found["port"] or default)
        return next((h for h in self.hosts if h.allows(found["host"], port, default, found["path"] or "")), None)


def _is_plain(parts: list[str]) -> bool:
    """Can the path's parts mean only themselves? An empty one at the end is its last slash."""
    return all(_is_plain_part(part) for part in (parts[:-1] if parts[-1:] == [""] else parts))


def _is_plain_part(part: str) -> bool:
    meant = unquote(part)
    # Some servers drop dots and spaces at the end.
    return bool(meant.strip(". ")) and meant.isprintable() and meant.isascii() and _UNCLEAR.isdisjoint(meant)
