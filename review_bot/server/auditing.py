"""What goes into the audit log: decisions with their facts, merges, and pull requests that the bot opened."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from review_bot.core.audit import Entry
from review_bot.core.config import parse_config
from review_bot.core.errors import ReviewBotError
from review_bot.core.model import Tree
from review_bot.gate.decision import Decision
from review_bot.github.pulls import PullRequest


def decided(
    pull: PullRequest, effect: str, verdict: str, policies: str, facts: Mapping[str, Any], decision: Decision
) -> Entry:
    """A decision of the gate, with all that it followed from: `gate simulate` comes to the same."""
    said = decision.to_json()
    approvers = [str(a["user"]) for rule in said["rules"] for a in rule["approved_by"]]
    speakers = [str(command["user"]) for command in said["commands"]]
    return Entry(
        kind="decision",
        repository=pull.repository,
        number=pull.number,
        head=pull.head_sha,
        state=str(decision.state),
        effect=effect,
        policies=policies,
        actors=tuple(dict.fromkeys([pull.author, *approvers, *speakers])),
        body={"verdict": verdict, "overridden": decision.overridden, "facts": dict(facts), "decision": said},
    )


def failed(pull: PullRequest, check: str, reason: str) -> Entry:
    """The bot could not do its work and said so in a check: whatever the gate said before holds no more."""
    body = {"check": check, "title": reason}
    return Entry("failure", pull.repository, pull.number, pull.head_sha, "error", body=body)


def merged(pull: PullRequest, effect: str, asked: str | None, method: str, sha: str) -> Entry:
    """A merge by the bot: who asked for it, None if the configuration did."""
    return Entry(
        kind="merge",
        repository=pull.repository,
        number=pull.number,
        head=pull.head_sha,
        state=method,
        effect=effect,
        actors=(asked,) if asked else (),
        body={"commit": sha},
    )


def grouped(repository: str, number: int, head: str, state: str, effect: str, members: Mapping[int, str]) -> Entry:
    """What the gate said of a merge group; `members` are its pull requests, with what stands against each."""
    told = {str(member): why for member, why in members.items()}
    return Entry("group", repository, number, head, state, effect, body={"members": told})


def proposed(repository: str, number: int, asker: str, title: str, head: str) -> Entry:
    """A pull request that the bot opened on somebody's request: a rollback, a waiver."""
    return Entry("proposal", repository, number, head, "opened", actors=(asker,), body={"title": title})


def policies_of(tree: Tree, config: bytes | None) -> str:
    """A digest of the policies and their data in a tree, "" where the configuration can't be read."""
    try:
        options = parse_config(config).policy
    except ReviewBotError:
        return ""
    roots = (*options.paths, *options.data)
    digest = hashlib.sha256()
    for path, entry in sorted(tree.entries().items()):
        if any(root == "." or path == root or path.startswith(f"{root}/") for root in roots):
            digest.update(f"{path}\0{entry.blob}\0".encode(errors="surrogateescape"))
    return f"sha256:{digest.hexdigest()}"
