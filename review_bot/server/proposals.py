"""Pull requests that the bot opens on somebody's request: from a branch of its own, found again by that branch."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from review_bot.github import revert
from review_bot.github.client import Installation
from review_bot.github.mirror import Mirrors
from review_bot.github.pulls import repo_path
from review_bot.github.webhook import Wish, pull_key
from review_bot.server import auditing
from review_bot.server.store import Store


@dataclass(frozen=True)
class Proposal:
    """`tree` on top of `tip`, to be merged into the branch `base`; asked for `at` a moment (ISO 8601) by `asker`."""

    repository: str
    base: str
    branch: str
    tip: str
    tree: str
    title: str
    message: str
    body: str
    asker: str
    at: str


@dataclass(frozen=True)
class Proposals:
    """One installation's. `login` is the bot's, `github_url` where GitHub is."""

    api: Installation
    login: str
    store: Store
    mirrors: Mirrors
    github_url: str

    async def present(self, repository: str, branch: str) -> Mapping[str, Any] | None:
        """The bot's own newest pull request from a branch, open or not. Raises GitHubError."""
        owner = repository.partition("/")[0]
        rows = await self.api.pages(f"{repo_path(repository)}/pulls", state="all", head=f"{owner}:{branch}")
        own = [r for r in rows if r["head"]["ref"] == branch and r["user"]["login"] == self.login]
        return own[0] if own else None

    async def open(self, proposal: Proposal, folder: Path) -> Mapping[str, Any]:
        """Commit in the mirror at `folder`, push and open. Raises GitHubError, PushRefused, FetchError.

        Whoever asked for it is an author too, so that nobody approves what they asked for.
        """
        author = revert.Author(self.login, await self._address(self.login), proposal.at)
        asker = f"{proposal.asker} <{await self._address(proposal.asker)}>"
        text = f"{proposal.title}\n\n{proposal.message}\n\nCo-authored-by: {asker}\n"
        sha = await asyncio.to_thread(revert.commit, folder, proposal.tree, proposal.tip, text, author)
        token = await self.api.push_token(proposal.repository)
        await self.mirrors.push(proposal.repository, sha, proposal.branch, token)
        made = {
            "title": proposal.title,
            "head": proposal.branch,
            "base": proposal.base,
            "body": proposal.body,
        }
        opened: Mapping[str, Any] = await self.api.send("POST", f"{repo_path(proposal.repository)}/pulls", made)
        entry = auditing.proposed(proposal.repository, int(opened["number"]), proposal.asker, proposal.title, sha)
        await asyncio.to_thread(self.store.audit.record, entry)
        return opened

    def want(self, repository: str, opened: Mapping[str, Any]) -> None:
        """Ask for a look at it: events of the bot's own start nothing."""
        self.store.want([Wish(pull_key(repository, opened["number"]), self.api.id)])

    async def _address(self, login: str) -> str:
        """The address by which GitHub knows whose a commit is."""
        account = await self.api.get(f"/users/{quote(login, safe='')}")
        return f"{account['id']}+{login}@users.noreply.{urlsplit(self.github_url).hostname}"
