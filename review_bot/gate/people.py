"""Who wrote the change, who may not approve it, and whose word stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from review_bot.gate.commands import Command, commands
from review_bot.gate.facts import Facts

GITHUB = "web-flow"
WRITE = ("write", "maintain", "admin")


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval that was not taken back: on which head, and on which effect (None: unknown).

    `source` says where it was given (`comment:12`, `review:3`, "" where the facts name no number).
    """

    user: str
    sha: str | None
    effect: str | None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A command and what became of it; `source` and `sha` as in Approval."""

    user: str
    command: str
    accepted: bool
    why: str = ""
    source: str = ""
    sha: str | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """`place` is its position among the commands."""

    user: str
    reason: str
    sha: str | None
    place: int


@dataclass
class Voices:
    """What everyone has said, in the end."""

    approvals: dict[str, Approval] = field(default_factory=dict)
    objections: dict[str, str] = field(default_factory=dict)
    holds: dict[str, str] = field(default_factory=dict)
    overrides: list[Override] = field(default_factory=list)
    commands: list[Spoken] = field(default_factory=list)


def contributors(facts: Facts) -> dict[str, str]:
    """Everyone who wrote a part of the change (lower case), each with the words that say what."""
    found = {facts.author.lower(): "opened the pull request"}
    for commit in facts.commits:
        for person in (commit.author, commit.committer, *commit.co_authors):
            if person and person.lower() != GITHUB:
                known = found.get(person.lower())
                if known is None or known.startswith("opened"):
                    found[person.lower()] = f"wrote commit {commit.sha[:7]}"
    return found


def unattributed(facts: Facts) -> list[str]:
    """Commits of which somebody who wrote them is not known on GitHub."""
    return [c.sha for c in facts.commits if None in (c.author, c.committer, *c.co_authors)]


def why_not(user: str, facts: Facts, wrote: dict[str, str]) -> str:
    """Why this person can't approve, "" if they can."""
    if user in wrote:
        return wrote[user]
    if user.endswith("[bot]"):
        return "is a bot"
    if facts.permissions.get(user) not in WRITE:
        return "has no write permission"
    return ""


def listen(facts: Facts, wrote: dict[str, str]) -> Voices:
    """Go through reviews and comments in the order in which they were made."""
    voices = Voices()
    events: list[tuple[datetime, int, int]] = []
    events += [(r.at, 0, i) for i, r in enumerate(facts.reviews)]
    events += [(c.at, 1, i) for i, c in enumerate(facts.comments)]
    for _, kind, index in sorted(events, key=lambda e: e[0]):
        if kind == 0:
            _review(facts, index, voices, wrote)
        else:
            _comment(facts, index, voices, wrote)
    return voices


def _review(facts: Facts, index: int, voices: Voices, wrote: dict[str, str]) -> None:
    review = facts.reviews[index]
    user = review.user.lower()
    if review.state in ("CHANGES_REQUESTED", "DISMISSED"):
        voices.approvals.pop(user, None)
        voices.objections.pop(user, None)
        if review.state == "CHANGES_REQUESTED":
            voices.objections[user] = review.user
        return
    approval = Approval(review.user, review.sha, review.effect, _source("review", review.id))
    if review.state == "APPROVED":
        voices.objections.pop(user, None)
        voices.approvals[user] = approval
    if review.state in ("APPROVED", "COMMENTED"):
        for command in commands(review.body):
            _obey(command, approval, facts, voices, wrote)


def _comment(facts: Facts, index: int, voices: Voices, wrote: dict[str, str]) -> None:
    comment = facts.comments[index]
    said = Approval(comment.user, comment.sha, comment.effect, _source("comment", comment.id))
    for command in commands(comment.body):
        if comment.edited:
            why = "the comment was edited: write a new one"
            voices.commands.append(Spoken(comment.user, command.text, False, why, said.source, said.sha))
        else:
            _obey(command, said, facts, voices, wrote)


def _source(kind: str, id: int | None) -> str:
    return f"{kind}:{id}" if id is not None else ""


def _obey(command: Command, said: Approval, facts: Facts, voices: Voices, wrote: dict[str, str]) -> None:
    user = said.user.lower()
    refusal = _refusal(command, user, facts, voices, wrote)
    voices.commands.append(Spoken(said.user, command.text, not refusal, refusal, said.source, said.sha))
    if refusal:
        return
    if command.name in ("approve", "lgtm"):
        if command.argument.split()[:1] == ["cancel"]:
            voices.approvals.pop(user, None)
        else:
            voices.approvals[user] = said
    elif command.name == "hold":
        voices.holds[user] = f"@{said.user}" + (f": {command.argument}" if command.argument else "")
    elif command.name == "unhold":
        voices.holds.clear()
    elif command.name == "override":
        voices.overrides.append(Override(said.user, command.argument, said.sha, len(voices.commands) - 1))


def _refusal(command: Command, user: str, facts: Facts, voices: Voices, wrote: dict[str, str]) -> str:
    if command.name in ("approve", "lgtm"):
        if command.argument.split()[:1] == ["cancel"]:
            return "" if user in voices.approvals else "there is no approval of yours to cancel"
        if command.argument and command.argument.split()[0] not in ("no-issue",):
            return f"/{command.name} takes no argument but `cancel`"
        why = why_not(user, facts, wrote)
        return f"@{user} {why}" if why else ""
    may_write = facts.permissions.get(user) in WRITE
    if command.name == "hold":
        return "" if may_write or user in wrote else f"@{user} has no write permission"
    if command.name == "unhold":
        return "" if may_write or set(voices.holds) == {user} else f"@{user} has no write permission"
    if command.name == "override":
        return _override_refusal(command, user, facts, wrote)
    if command.name == "rollback":
        return "/rollback reverts what is merged, and this is not merged yet"
    if command.name == "explain":
        return ""
    if command.name == "review" and user in wrote:
        return ""
    if command.name == "merge" and command.argument not in ("", "cancel"):
        return "/merge takes no argument but `cancel`"
    return "" if may_write else f"@{user} has no write permission"


def _override_refusal(command: Command, user: str, facts: Facts, wrote: dict[str, str]) -> str:
    if not command.argument:
        return "an override needs a reason: /override REASON"
    if unattributed(facts):
        return "nobody can override while the author of a commit is not known: it could be the one who overrides"
    why = why_not(user, facts, wrote)
    return f"@{user} {why}" if why else ""


def standing(approvals: Sequence[Approval], facts: Facts, *, effect: bool, head: bool) -> list[Approval]:
    """Those that hold: on the present effect where `effect` is asked for, on the present head where `head` is."""
    current = facts.effects.get(facts.head_sha)
    return [
        a
        for a in approvals
        if (not effect or _same_effect(a, current, facts)) and (not head or a.sha == facts.head_sha)
    ]


def _same_effect(approval: Approval, current: str | None, facts: Facts) -> bool:
    if current is None:
        return False
    given = approval.effect or (facts.effects.get(approval.sha) if approval.sha else None)
    return given == current
