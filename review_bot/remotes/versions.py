"""In which versions something lies elsewhere now."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from review_bot.core.errors import InputError
from review_bot.core.model import Remote, RemoteKind
from review_bot.remotes import charts, oci
from review_bot.remotes.registry import MOST_MANIFEST, Api
from review_bot.remotes.web import Web

MOST_PAGES, ON_A_PAGE = 50, 1000


def listed(remote: Remote, web: Web) -> tuple[str, ...]:
    """All of them, in no order. Raises InputError."""
    return charts.versions(remote, web) if remote.kind is RemoteKind.HELM else _tags(remote, web)


def _tags(remote: Remote, web: Web) -> tuple[str, ...]:
    """A registry's tags, page by page, with the + that a tag can't hold."""
    api = oci.api_of(remote, web)
    found: list[str] = []
    query: str | None = f"n={ON_A_PAGE}"
    for _ in range(MOST_PAGES):
        rows, query = _page(api, query or "", remote)
        found += rows
        if query is None:
            return tuple(tag.replace("_", "+") for tag in found)
    raise InputError(f"{remote.url} has too many tags to pick one", help="name one version")


def _page(api: Api, query: str, remote: Remote) -> tuple[list[str], str | None]:
    """The tags of a page, and what to ask for the next one."""
    got = api.get(f"tags/list?{query}", {}, MOST_MANIFEST)
    try:
        tags = json.loads(got.body)["tags"] if got.status == 200 else None
    except (ValueError, KeyError, TypeError, RecursionError):
        tags = None
    if not isinstance(tags, list):
        raise InputError(
            f"{remote.url} does not list its tags ({got.status})",
            help="name one version, or give the bot credentials (docs/remotes.md)",
        )
    rows = [tag for tag in tags if isinstance(tag, str)]
    # Only what is asked is taken from where it sends: the place stays the same.
    link, _, about = got.headers.get("link", "").partition(">")
    return rows, urlsplit(link.lstrip("<")).query if 'rel="next"' in about else None
