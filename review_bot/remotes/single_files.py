"""One file of manifests at an address that names its revision, as a kustomization of only that."""

from __future__ import annotations

import json
import posixpath
import re
from urllib.parse import unquote, urlsplit

from review_bot.core.errors import InputError
from review_bot.core.files_tree import Files
from review_bot.core.model import Remote
from review_bot.remotes.web import Web, basic

MOST_BYTES = 16 << 20
_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")
_PAGE = re.compile(rb"\s*(?:<!doctype|<html)", re.IGNORECASE)


def content(remote: Remote, web: Web) -> bytes:
    """What lies there. Raises InputError."""
    got = web.get(remote.url, basic(web.allowed(remote.url)), most=MOST_BYTES)
    if got.status != 200:
        raise InputError(f"{remote.url} answered {got.status}", help="look at the address")
    if _PAGE.match(got.body):
        raise InputError(f"{remote.url} is a page to look at", help="use the address of the raw file")
    return got.body


def as_folder(remote: Remote, data: bytes) -> Files:
    """The file beside a kustomization that has only it: kustomize takes no single file from above its folder."""
    name = _UNUSUAL.sub("-", unquote(posixpath.basename(urlsplit(remote.url).path))).lstrip(".-") or "manifests.yaml"
    name = f"_{name}" if name.lower().startswith("kustomization") else name
    return {name: data, "kustomization.yaml": json.dumps({"resources": [name]}).encode()}
