"""Addresses of git repositories, of which each has many spellings."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

# user@host:owner/name, as ssh and git write it.
_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[^@/:]+):(?P<path>(?!/{2}).+)\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443, "ssh": 22, "git": 9418}


def normal(url: str) -> str:
    """`host/owner/name` in lower case, for any spelling of the address; a local path stays what it is."""
    url = url.strip()
    if "://" not in url:
        short = _SCP.match(url)
        return _joined(short["host"], short["path"]) if short else url.rstrip("/").removesuffix(".git")
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    try:
        port = parts.port
    except ValueError:
        port = None
    host = parts.hostname or ""
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme.removeprefix("git+")):
        host = f"{host}:{port}"
    return _joined(host, unquote(parts.path))


def same(one: str, other: str) -> bool:
    """Do both name one repository?"""
    return normal(one) == normal(other)


def _joined(host: str, path: str) -> str:
    return f"{host}/{path.strip('/').removesuffix('.git').rstrip('/')}".lower()
