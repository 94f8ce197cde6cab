"""`/waive RULE UNTIL REASON`: a pull request that adds the waiver to the base's configuration, linked both ways.

The waiver holds once that is merged, through the same checks and approvals as any other: the base decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from review_bot.core.configuration import CONFIG_PATH, Waiver
from review_bot.core.errors import UsageError
from review_bot.core.sanitise import code, markdown, visible
from review_bot.core.waiver_edit import CantEdit, with_waivers
from review_bot.gate import waive
from review_bot.gate.people import Spoken
from review_bot.gate.waive import Waive
from review_bot.github import edit
from review_bot.github.errors import Refused
from review_bot.github.mirror import PushRefused
from review_bot.server.answers import NO, YES, Reply, refusal
from review_bot.server.decided import Decided
from review_bot.server.proposals import Proposal, Proposals

MOST_WAIVERS = 20
# What a glob takes for more than itself.
_SPECIAL = frozenset("*?")


@dataclass(frozen=True)
class Waiving:
    """Opens waivers of one installation."""

    proposals: Proposals

    async def answer(self, decided: Decided, spoken: Spoken) -> Reply:
        """Open the pull request, once. Raises GitHubError, FetchError."""
        pull = decided.pull
        branch = f"review-bot/waive-{pull.number}-{spoken.source.replace(':', '-')}"
        there = await self.proposals.present(pull.repository, branch)
        if there is None:
            rules = frozenset(str(row["rule"]) for row in decided.document.waivable)
            argument = spoken.command.removeprefix("/waive")
            asked = waive.read(argument, datetime.now(UTC).date(), rules)
            if isinstance(asked, str):
                return refusal(spoken, asked)
            made = await self._made(decided, spoken, asked, branch)
            if isinstance(made, Reply):
                return made
            there = made
        self.proposals.want(pull.repository, there)
        link = f"[#{there['number']}]({there['html_url']})"
        text = (
            f"**Waiver:** {link} adds it to {code(CONFIG_PATH)}, asked for by {code(spoken.user)}. It holds here once "
            "that is merged; whoever asked for it can't approve it."
        )
        return Reply(YES, text)

    async def _made(self, decided: Decided, spoken: Spoken, asked: Waive, branch: str) -> Mapping[str, Any] | Reply:
        pull, fetched = decided.pull, decided.fetched
        waivers = [
            Waiver(asked.rule, row["match"], visible(asked.reason), str(asked.until))
            for row in decided.document.waivable
            if row["rule"] == asked.rule
        ]
        if len(waivers) > MOST_WAIVERS:
            why = f"{len(waivers)} objects break this rule, which is too many to name; write the waiver by hand"
            return refusal(spoken, why)
        try:
            tree = await asyncio.to_thread(_edited, decided, waivers)
        except (CantEdit, UsageError) as error:
            return refusal(spoken, f"{CONFIG_PATH} can't be edited by the bot ({error}); write the waiver by hand")
        proposal = Proposal(
            repository=pull.repository,
            base=pull.base_ref,
            branch=branch,
            tip=fetched.tip,
            tree=tree,
            title=f"Waive {visible(asked.rule)[:120]} until {asked.until}",
            message=f"Asked for in #{pull.number}.",
            body=_body(decided, spoken, asked, waivers),
            asker=spoken.user,
            at=_moment(decided, spoken),
        )
        try:
            return await self.proposals.open(proposal, fetched.repository.path)
        except (Refused, PushRefused) as error:
            said = markdown(str(error)[:300])
            return Reply(NO, f"**Waiver:** GitHub does not let the bot open the pull request: {said}")


def _edited(decided: Decided, waivers: list[Waiver]) -> str:
    fetched = decided.fetched
    if any(_SPECIAL & set(value) for waiver in waivers for value in waiver.match.values()):
        raise CantEdit("an object's name would be taken for a pattern")
    content = fetched.repository.tree(fetched.tip).read(CONFIG_PATH)
    try:
        text = None if content is None else content.decode()
    except UnicodeDecodeError as error:
        raise CantEdit("it is not written in UTF-8") from error
    new = with_waivers(text, waivers).encode()
    return edit.tree_with(fetched.repository.path, fetched.tip, CONFIG_PATH, new)


def _body(decided: Decided, spoken: Spoken, asked: Waive, waivers: list[Waiver]) -> str:
    rows = "\n".join(f"- {code(' '.join(w.match.values()))}" for w in waivers)
    reason = markdown(asked.reason[:1000])
    return (
        f"{code(spoken.user)} asked in #{decided.pull.number} for an exception from {code(asked.rule)} until "
        f"{asked.until}: {reason}\n\nIt is for\n{rows}\n\nUntil this is merged, nothing is waived."
    )


def _moment(decided: Decided, spoken: Spoken) -> str:
    """When it was asked for, so that doing it twice gives the same commit."""
    kind, _, id = spoken.source.partition(":")
    if kind == "comment":
        return next(c.created_at for c in decided.comments if c.id == int(id))
    return next(r.submitted_at for r in decided.reviews if r.id == int(id))
