"""`/rollback` on a merged pull request: the reverting pull request, opened once and linked both ways.

What to do follows from GitHub: the newest request, the comment that answers one, and the pull request from the branch
that is named after this one. So a kill anywhere, or an answer that was lost, is mended by looking again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from review_bot.core.sanitise import code, markdown, visible
from review_bot.gate.commands import commands
from review_bot.github import revert
from review_bot.github.client import Installation
from review_bot.github.conversation import Conversation
from review_bot.github.errors import Missing, Refused
from review_bot.github.git_process import GitError
from review_bot.github.mirror import Fetched, Mirrors, PushRefused
from review_bot.github.people import People
from review_bot.github.pulls import PullComment, PullReader, PullRequest, repo_path
from review_bot.github.webhook import Wish
from review_bot.server.store import Store

MARK = "<!-- review-bot:rollback -->"
_ANSWERS = re.compile(r"<!-- review-bot:answers (\d+) -->")
MOST_TITLE = 250
MOST_PATHS = 5


@dataclass(frozen=True)
class Rollback:
    """Answers requests on one installation's pull requests. `login` is the bot's, `github_url` where GitHub is."""

    api: Installation
    login: str
    store: Store
    mirrors: Mirrors
    people: People
    github_url: str

    async def answer(self, pull: PullRequest) -> None:
        """Do what the newest request asks, unless it was done. Raises GitHubError, FetchError."""
        comments = await PullReader(self.api, pull.repository).comments(pull.number)
        conversation = Conversation(self.api, pull.repository, self.login)
        said = conversation.said(comments, MARK)
        answered = max((int(i) for c in said for i in _ANSWERS.findall(c.body)), default=0)
        request = await self._request(pull, comments, answered)
        if request is not None:
            text = f"<!-- review-bot:answers {request.id} -->\n{await self._done(pull, request)}"
            await conversation.comment(pull.number, text, comments, MARK)

    async def _request(self, pull: PullRequest, comments: Sequence[PullComment], answered: int) -> PullComment | None:
        asked = [c for c in comments if c.id > answered and asks(c, pull.merged_at)]
        if not asked:
            return None
        may = await self.people.permissions(pull.repository, {c.user for c in asked})
        return next((c for c in reversed(asked) if may.get(c.user.lower()) == "write"), None)

    async def _done(self, pull: PullRequest, request: PullComment) -> str:
        """Open the reverting pull request; what to say about it."""
        there = await self._present(pull)
        if there is None:
            made = await self._made(pull, request)
            if isinstance(made, str):
                return made
            there = made
        # Events of the bot's own start nothing, so the gate is asked for here.
        self.store.want([Wish(f"pull:{pull.repository}#{there['number']}", self.api.id)])
        link = f"[#{there['number']}]({there['html_url']})"
        if there.get("merged_at"):
            return f"**Rollback:** {link} has reverted this already."
        if there["state"] == "closed":
            return f"**Rollback:** {link} reverts this and was closed. Open it again to go on with it."
        return (
            f"**Rollback:** {link} reverts this, asked for by {code(request.user)}. It goes through the same checks "
            "and approvals as any other; whoever asked for it can't approve it."
        )

    async def _present(self, pull: PullRequest) -> Mapping[str, Any] | None:
        """The reverting pull request, if the bot opened it before."""
        owner = pull.repository.partition("/")[0]
        path = f"{repo_path(pull.repository)}/pulls"
        rows = await self.api.pages(path, state="all", head=f"{owner}:{branch_of(pull)}")
        own = [r for r in rows if r["head"]["ref"] == branch_of(pull) and r["user"]["login"] == self.login]
        return own[0] if own else None

    async def _made(self, pull: PullRequest, request: PullComment) -> Mapping[str, Any] | str:
        """The new pull request, or a sentence that says why there is none."""
        try:
            await self.api.get(f"{repo_path(pull.repository)}/git/ref/heads/{quote(pull.base_ref)}")
        except Missing:
            return f"**Rollback:** the branch {code(pull.base_ref)} is gone, so there is nothing to revert on."
        token = await self.api.git_token(pull.repository)
        fetched = await self.mirrors.fetch(pull.repository, pull.number, pull.base_ref, pull.head_sha, token)
        try:
            found = await asyncio.to_thread(_reverse, pull, fetched)
        except GitError as error:
            what = f"{code(pull.merge_sha[:12])} on {code(pull.base_ref)}"
            return f"**Rollback:** git can't revert {what}: {markdown(str(error))}"
        if not found.tree or found.empty:
            return _by_hand(pull, found)
        try:
            return await self._opened(pull, request, fetched, found.tree)
        except (Refused, PushRefused) as error:
            return f"**Rollback:** GitHub does not let the bot open the reverting pull request: {markdown(str(error))}"

    async def _opened(self, pull: PullRequest, request: PullComment, fetched: Fetched, tree: str) -> Mapping[str, Any]:
        folder, branch = fetched.repository.path, branch_of(pull)
        author = revert.Author(self.login, await self._address(self.login), request.created_at)
        text = message(pull, f"{request.user} <{await self._address(request.user)}>")
        sha = await asyncio.to_thread(revert.commit, folder, tree, fetched.tip, text, author)
        await self.mirrors.push(pull.repository, sha, branch, await self.api.push_token(pull.repository))
        made = {"title": title(pull), "head": branch, "base": pull.base_ref, "body": body(pull, request)}
        opened: Mapping[str, Any] = await self.api.send("POST", f"{repo_path(pull.repository)}/pulls", made)
        return opened

    async def _address(self, login: str) -> str:
        """The address by which GitHub knows whose a commit is."""
        account = await self.api.get(f"/users/{quote(login, safe='')}")
        return f"{account['id']}+{login}@users.noreply.{urlsplit(self.github_url).hostname}"


def asks(comment: PullComment, merged_at: str) -> bool:
    """A request to roll back: written after the merge and not edited since."""
    if comment.created_at < merged_at or comment.updated_at != comment.created_at:
        return False
    return any(command.name == "rollback" for command in commands(comment.body))


def branch_of(pull: PullRequest) -> str:
    return f"review-bot/revert-{pull.number}"


def title(pull: PullRequest) -> str:
    return f'Revert "{visible(pull.title)[: MOST_TITLE - 9]}"'


def message(pull: PullRequest, asker: str) -> str:
    """The commit's message; whoever asked for it is an author too, so that nobody approves their own rollback."""
    return f"{title(pull)}\n\nThis reverts #{pull.number}, merged as {pull.merge_sha}.\n\nCo-authored-by: {asker}\n"


def body(pull: PullRequest, request: PullComment) -> str:
    return (
        f"Reverts #{pull.number} ({markdown(pull.title)}), merged as {pull.merge_sha}.\n\n"
        f"{code(request.user)} asked for it there with `/rollback`. This goes through the same checks and approvals as "
        "any other pull request."
    )


def _reverse(pull: PullRequest, fetched: Fetched) -> revert.Reverse:
    folder = fetched.repository.path
    since = revert.before(folder, pull.merge_sha, pull.head_sha, pull.commits)
    return revert.reverse(folder, since, pull.merge_sha, fetched.tip)


def _by_hand(pull: PullRequest, found: revert.Reverse) -> str:
    if found.tree:
        return "**Rollback:** nothing of this is left on the branch, so there is nothing to revert."
    names = ", ".join(code(p) for p in found.conflicts[:MOST_PATHS])
    more = f" and {len(found.conflicts) - MOST_PATHS} more" if len(found.conflicts) > MOST_PATHS else ""
    return (
        f"**Rollback:** this can't be reverted by itself: {names or 'a file'}{more} changed again since. Revert "
        f"{pull.merge_sha[:12]} by hand (`git revert`), settle the conflicts and open a pull request; or roll back "
        "what came after it first, then write `/rollback` here again."
    )
