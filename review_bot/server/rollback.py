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
from urllib.parse import quote

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
from review_bot.server.proposals import Proposal, Proposals

MARK = "<!-- review-bot:rollback -->"
_ANSWERS = re.compile(r"<!-- review-bot:answers (\d+) -->")
MOST_TITLE = 250
MOST_PATHS = 5


@dataclass(frozen=True)
class Rollback:
    """Answers requests on one installation's pull requests. `login` is the bot's."""

    api: Installation
    login: str
    mirrors: Mirrors
    people: People
    proposals: Proposals

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
        there = await self.proposals.present(pull.repository, branch_of(pull))
        if there is None:
            made = await self._made(pull, request)
            if isinstance(made, str):
                return made
            there = made
        self.proposals.want(pull.repository, there)
        link = f"[#{there['number']}]({there['html_url']})"
        if there.get("merged_at"):
            return f"**Rollback:** {link} has reverted this already."
        if there["state"] == "closed":
            return f"**Rollback:** {link} reverts this and was closed. Open it again to go on with it."
        return (
            f"**Rollback:** {link} reverts this, asked for by {code(request.user)}. It goes through the same checks "
            "and approvals as any other; whoever asked for it can't approve it."
        )

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
            return await self.proposals.open(
                Proposal(
                    repository=pull.repository,
                    base=pull.base_ref,
                    branch=branch_of(pull),
                    tip=fetched.tip,
                    tree=found.tree,
                    title=title(pull),
                    message=f"This reverts #{pull.number}, merged as {pull.merge_sha}.",
                    body=body(pull, request),
                    asker=request.user,
                    at=request.created_at,
                ),
                fetched.repository.path,
            )
        except (Refused, PushRefused) as error:
            return f"**Rollback:** GitHub does not let the bot open the reverting pull request: {markdown(str(error))}"


def asks(comment: PullComment, merged_at: str) -> bool:
    """A request to roll back: written after the merge and not edited since."""
    if comment.created_at < merged_at or comment.updated_at != comment.created_at:
        return False
    return any(command.name == "rollback" for command in commands(comment.body))


def branch_of(pull: PullRequest) -> str:
    return f"review-bot/revert-{pull.number}"


def title(pull: PullRequest) -> str:
    return f'Revert "{visible(pull.title)[: MOST_TITLE - 9]}"'


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
