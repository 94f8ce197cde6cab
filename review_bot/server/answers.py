"""Every command is answered once: by a reaction on its comment, and where words are needed by one reply.

What was answered is kept in the store, which only saves calls: GitHub takes the same reaction twice as one, and a reply
is found again by its marker.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from review_bot.core.sanitise import code, markdown
from review_bot.gate import explain
from review_bot.gate.people import Spoken
from review_bot.github.client import Installation
from review_bot.github.conversation import Conversation
from review_bot.github.errors import Missing
from review_bot.github.pulls import repo_path
from review_bot.github.webhook import Wish, pull_key
from review_bot.server.decided import Decided
from review_bot.server.metrics import Metrics
from review_bot.server.store import Store

YES, NO, SEEN = "+1", "confused", "eyes"
MOST_SHOWN = 200
MOST_REPLY = 60_000


@dataclass(frozen=True, slots=True)
class Reply:
    """A reaction, and markdown for a comment ("": the reaction says it all)."""

    reaction: str
    text: str = ""


Waive = Callable[[Decided, Spoken], Awaitable[Reply]]


@dataclass(frozen=True)
class Answers:
    """Answers one installation's commands; `login` is the bot's, `waive` opens a waiver's pull request."""

    api: Installation
    login: str
    store: Store
    metrics: Metrics
    waive: Waive

    async def answer(self, decided: Decided) -> None:
        """Answer what has no answer yet. Raises GitHubError."""
        pull = decided.pull
        known = self.store.notes.answered(pull.repository, pull.number)
        groups: dict[str, list[Spoken]] = {}
        for spoken in decided.decision.commands:
            # Bots that answer each other never end.
            if spoken.source and spoken.source not in known and not spoken.user.endswith("[bot]"):
                groups.setdefault(spoken.source, []).append(spoken)
        for source, group in groups.items():
            await self._one(decided, source, group)
            self.store.notes.answer(pull.repository, pull.number, source)

    async def _one(self, decided: Decided, source: str, group: list[Spoken]) -> None:
        pull = decided.pull
        conversation = Conversation(self.api, pull.repository, self.login)
        marker = f"<!-- review-bot:answer {source} -->"
        said = bool(conversation.said(decided.comments, marker))
        replies = [await self._reply(decided, spoken, said=said) for spoken in group]
        text = "\n\n".join(r.text for r in replies if r.text)
        if text and not said:
            await conversation.comment(pull.number, text[:MOST_REPLY], decided.comments, marker)
        kind, _, id = source.partition(":")
        # GitHub has no reactions on reviews.
        for reaction in dict.fromkeys(r.reaction for r in replies if kind == "comment"):
            await self._react(pull.repository, id, reaction)
        for spoken, reply in zip(group, replies, strict=True):
            self.metrics.commanded(_name(spoken), "refused" if reply.reaction == NO else "accepted")

    async def _reply(self, decided: Decided, spoken: Spoken, *, said: bool) -> Reply:
        """`said`: the words were written before, so that only the reaction matters."""
        name = _name(spoken)
        if not spoken.accepted:
            return refusal(spoken, spoken.why)
        if name in ("approve", "lgtm", "merge") and spoken.sha is None and "cancel" not in spoken.command:
            return refusal(
                spoken,
                "nothing was published for this pull request when this was written; look at the effect and write it "
                "again",
            )
        if name == "merge" and spoken.sha != decided.pull.head_sha and "cancel" not in spoken.command:
            why = (
                f"it was written for {str(spoken.sha)[:7]}, and there is a newer commit; look at it and write it again"
            )
            return refusal(spoken, why)
        if name == "review":
            wish = Wish(pull_key(decided.pull.repository, decided.pull.number), self.api.id, fresh=True)
            self.store.want([wish])
            return Reply(SEEN)
        if name == "explain":
            return Reply(YES, _unmentioned(f"**{explain.title(decided.decision)}**\n\n{_explained(decided)}"))
        if name == "override":
            return Reply(YES, _loud(decided, spoken))
        if name == "waive" and not said:
            return await self.waive(decided, spoken)
        return Reply(YES)

    async def _react(self, repository: str, comment: str, content: str) -> None:
        path = f"{repo_path(repository)}/issues/comments/{comment}/reactions"
        try:
            await self.api.send("POST", path, {"content": content})
        except Missing:
            return  # the comment is gone, and with it who would look for an answer


def refusal(spoken: Spoken, why: str) -> Reply:
    """No, and the sentence that says why."""
    reason = markdown(why[:MOST_SHOWN].rstrip("."))
    return Reply(NO, f"{code(spoken.command[:MOST_SHOWN])} of {code(spoken.user)} was not done: {reason}.")


def _name(spoken: Spoken) -> str:
    return spoken.command.removeprefix("/").split(maxsplit=1)[0]


def _explained(decided: Decided) -> str:
    return f"{explain.summary(decided.decision)}\n\nThis is how it stands on {decided.pull.head_sha[:7]}."


def _unmentioned(text: str) -> str:
    # Whoever is waited for was told by the gate already; asking why must not call them again.
    return text.replace("@", "@\u200b")


def _loud(decided: Decided, spoken: Spoken) -> str:
    reason = markdown(spoken.command.removeprefix("/override").strip()[:MOST_SHOWN])
    head = decided.pull.head_sha[:7]
    return (
        f"🚨 **The glass is broken.** {code(spoken.user)} overrode the gate for {head}: {reason}\n\n"
        "This head may be merged without the approvals that were asked for, and in spite of what blocked it. Another "
        "push ends it."
    )
