"""Addresses of git repositories, of which each has many spellings."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urlsplit

# user@host:owner/name, as ssh and git write it.
_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[^@/:]+):(?P<path>(?!/{2}).+)\Z")
# What may hold a password or a signature.
_USER = re.compile(r"(://)[^/\s]*@")
_QUERY = re.compile(r"(://[^\s?'\"]*)\?(?!(?:ref|version)=[\w.+/-]*(?![\w.+/&=%-]))[^\s'\"]*")
_DEFAULT_PORTS = {"http": 80, "https": 443, "ssh": 22, "git": 9418}


@lru_cache(maxsize=4096)
def normal(url: str, *, ports: bool = True) -> str:
    """`host/owner/name` in lower case, for any spelling of the address; a local path stays what it is.

    Without `ports` those are the protocol's and tell nothing, as GitHub takes ssh also at a host and port of its own.
    """
    url = url.strip()
    if "://" in url:
        try:
            parts = urlsplit(url)
        except ValueError:
            return url
        host, path = parts.hostname or "", unquote(parts.path)
        own = _own_port(parts) if ports else None
        host = f"{host}:{own}" if own is not None else host
    elif short := _SCP.match(url):
        host, path = short["host"], short["path"]
    else:
        return url.rstrip("/").removesuffix(".git")
    host = host if ports else host.removeprefix("ssh.")
    return f"{host}/{path.strip('/').removesuffix('.git').rstrip('/')}".lower()


def same(one: str, other: str) -> bool:
    """Do both name one repository?"""
    return normal(one) == normal(other)


def without_secrets(text: str) -> str:
    """The text, with the addresses in it bare of users, passwords and queries that name more than a revision."""
    return _QUERY.sub(r"\1", _USER.sub(r"\1", text))


def _own_port(parts: SplitResult) -> int | None:
    """The port, if it is another than the protocol's own."""
    try:
        port = parts.port
    except ValueError:
        return None
    return port if port != _DEFAULT_PORTS.get(parts.scheme.removeprefix("git+")) else None
