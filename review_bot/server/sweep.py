"""From wishes about many pull requests to wishes about each: what merges into a branch, has a head, or was missed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from review_bot.github import queue
from review_bot.github.client import Installation
from review_bot.github.errors import Forbidden, Missing
from review_bot.github.pulls import PullReader, PullRequest, repo_path
from review_bot.github.webhook import Wish, group_key, pull_key
from review_bot.server.store import Store

log = logging.getLogger("review_bot.sweep")
ROLLBACK = "/rollback"
# How far back the first sweep of a repository listens.
FIRST_HEARD = timedelta(days=1)


async def expand(key: str, api: Installation, store: Store, *, fresh: bool) -> tuple[Wish, ...]:
    """The pull requests that a wish (see `webhook.Wish`) stands for. Raises GitHubError."""
    kind, _, rest = key.partition(":")
    if kind == "sweep":
        return await _sweep(api, store)
    if kind == "people":
        names = await repositories(api)
        found = await asyncio.gather(*(_open_pulls(api, name) for name in names))
        return tuple(Wish(pull_key(p.repository, p.number), api.id) for pulls in found for p in pulls)
    repository, _, subject = rest.partition(":")
    if kind == "checks":
        waiting = await asyncio.to_thread(store.notes.merges_of, repository, subject)
        return tuple(Wish(pull_key(repository, number), api.id) for number in waiting)
    chosen = [p for p in await _open_pulls(api, repository) if _concerns(p, kind, subject)]
    wishes = [Wish(pull_key(repository, p.number), api.id, fresh=fresh) for p in chosen]
    if kind == "head":
        rerun = await asyncio.to_thread(store.notes.group_branches, repository, head=subject)
        wishes += [Wish(group_key(repository, branch), api.id) for branch in sorted(rerun)]
    return tuple(wishes)


def _concerns(pull: PullRequest, kind: str, subject: str) -> bool:
    if kind == "head":
        return pull.head_sha == subject
    # A push to the head's branch is an event of its own; should that be lost, this one tells.
    return pull.base_ref == subject or (pull.head_ref == subject and not pull.fork)


async def _open_pulls(api: Installation, repository: str) -> list[PullRequest]:
    try:
        return await PullReader(api, repository).open_pulls()
    except Missing:
        return []  # gone, or not the installation's any more


async def repositories(api: Installation) -> list[str]:
    """The installation's repositories that can be worked in. Raises GitHubError."""
    rows = await api.pages("/installation/repositories", key="repositories")
    return [str(row["full_name"]) for row in rows if not row.get("archived") and not row.get("disabled")]


async def _sweep(api: Installation, store: Store) -> tuple[Wish, ...]:
    names = await repositories(api)
    found = await asyncio.gather(*(_missed(api, store, name) for name in names))
    wishes = tuple(wish for one in found for wish in one)
    log.info("sweep of installation %s: %s repositories, %s to look at", api.id, len(names), len(wishes))
    return wishes


async def _missed(api: Installation, store: Store, repository: str) -> list[Wish]:
    """Open pull requests that changed since they were last looked at, and reviewed ones that are open no more."""
    pulls = await _open_pulls(api, repository)
    tips = await _tips(api, repository, {p.base_ref for p in pulls})
    numbers = [p.number for p in pulls if _changed(store, p, tips)]
    gone = set(store.known_numbers(repository)) - {p.number for p in pulls}
    await _hear(api, store, repository)
    # Those that are let through rest on people's rights, too, and a change of those that was missed leaves no trace.
    again = {*numbers, *gone, *store.notes.waiting_merges(repository), *store.notes.let_through(repository)}
    pulls_again = [Wish(pull_key(repository, number), api.id) for number in sorted(again)]
    return pulls_again + await _missed_groups(api, store, repository)


async def _missed_groups(api: Installation, store: Store, repository: str) -> list[Wish]:
    """Merge groups that were not judged yet, and judged ones that are gone."""
    there = {(g.branch, g.head) for g in await queue.groups(api, repository)}
    known = {(b, h) for b in store.notes.group_branches(repository) for h in store.notes.group_heads(repository, b)}
    return [Wish(group_key(repository, branch), api.id) for branch in sorted({b for b, _ in there ^ known})]


async def _hear(api: Installation, store: Store, repository: str) -> None:
    """Want to look where somebody may have asked for a rollback since: no list of open pull requests holds those."""
    start = (datetime.now(UTC) - FIRST_HEARD).strftime("%Y-%m-%dT%H:%M:%SZ")
    since = await asyncio.to_thread(store.heard, repository) or start
    try:
        rows = await api.pages(f"{repo_path(repository)}/issues/comments", since=since)
    except (Missing, Forbidden):
        return  # without the right to read comments nobody can ask for anything in one
    until = max((str(row["updated_at"]) for row in rows), default=since)
    # The bot's own answers name the command too.
    spoken = [r for r in rows if (r.get("user") or {}).get("type") != "Bot" and ROLLBACK in str(r.get("body") or "")]
    asked = {int(str(r["issue_url"]).rpartition("/")[2]) for r in spoken}
    # Wishes first: what is noted as heard before they are stored would be lost by a kill in between.
    await asyncio.to_thread(store.want, [Wish(pull_key(repository, number), api.id) for number in sorted(asked)])
    await asyncio.to_thread(store.hear, repository, until)


async def _tips(api: Installation, repository: str, branches: Iterable[str]) -> dict[str, str]:
    async def tip(branch: str) -> str:
        try:
            row = await api.get(f"{repo_path(repository)}/git/ref/heads/{quote(branch)}")
        except Missing:
            return ""  # whatever that means, it is not what was seen last: look
        return str(row["object"]["sha"])

    names = sorted(branches)
    return dict(zip(names, await asyncio.gather(*(tip(n) for n in names)), strict=True))


def _changed(store: Store, pull: PullRequest, tips: dict[str, str]) -> bool:
    known = store.review(pull.repository, pull.number)
    now = (pull.head_sha, tips[pull.base_ref], pull.updated_at)
    return known is None or (known.head, known.tip, known.updated_at) != now
