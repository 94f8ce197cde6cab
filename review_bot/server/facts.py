"""The facts of a decision, gathered: GitHub's people and words, git's owner files, the review's changes and effects."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from review_bot.core.configuration import CONFIG_PATH
from review_bot.gate import ownership
from review_bot.gate.named import named, speaks
from review_bot.github.mirror import Fetched
from review_bot.github.people import People
from review_bot.github.pulls import (
    MOST_COMMITS,
    MOST_FILES,
    PullComment,
    PullCommit,
    PullReader,
    PullRequest,
    PullReview,
)
from review_bot.server.document import Document
from review_bot.server.store import Effect


class FactsReader:
    """Gathers what `gate.facts` wants for one pull request."""

    def __init__(self, reader: PullReader, people: People) -> None:
        self._reader, self._people = reader, people

    async def gather(
        self,
        pull: PullRequest,
        fetched: Fetched,
        document: Document,
        effects: Sequence[Effect],
        reviews: Sequence[PullReview],
        comments: Sequence[PullComment],
    ) -> dict[str, Any]:
        """The facts as JSON. Raises GitHubError where something can't be looked up."""
        commits = await self._reader.commits(pull.number)
        tree, expected = await asyncio.to_thread(_from_git, fetched)
        paths = [p for f in document.files for p in (f["path"], f["previous_path"]) if p]
        wanted = named(tree, paths, document.demands)
        teams = await self._people.teams(wanted.teams)
        voices = {r.user for r in reviews} | {c.user for c in comments if speaks(c.body)}
        asked = wanted.users | {v.lower() for v in voices} | {m.lower() for members in teams.values() for m in members}
        permissions = await self._people.permissions(pull.repository, asked)
        return {
            "pull_request": _pull(pull, fetched),
            "files": [dict(f) for f in document.files],
            "commits": _commits(commits, expected),
            "reviews": [_review(r, effects) for r in reviews],
            "comments": [_comment(c, effects) for c in comments],
            "tree": tree,
            "teams": teams,
            "permissions": permissions,
            "changes": [dict(c) for c in document.changes],
            "demands": [dict(d) for d in document.demands],
            "effects": {**{e.head: e.digest for e in effects}, pull.head_sha: document.digest},
            "checks": dict(document.checks),
            "truncated": {
                "files": pull.changed_files >= MOST_FILES,
                "commits": pull.commits > len(commits) or len(commits) >= MOST_COMMITS,
            },
            "now": datetime.now(UTC).isoformat(),
        }


def _from_git(fetched: Fetched) -> tuple[dict[str, str], tuple[str, ...]]:
    """The owner files and configuration of the base, and the commits that a merge would bring."""
    repository = fetched.repository
    tree = repository.tree(fetched.tip)
    texts = ownership.files_of(tree)
    config = tree.read(CONFIG_PATH)
    if config is not None:
        texts[CONFIG_PATH] = config.decode(errors="replace")
    return texts, repository.commits_between(fetched.tip, fetched.head)


def _pull(pull: PullRequest, fetched: Fetched) -> dict[str, Any]:
    return {
        "number": pull.number,
        "author": pull.author,
        "base": {"ref": pull.base_ref, "sha": fetched.tip},
        "head": {"ref": pull.head_ref, "sha": pull.head_sha},
        "draft": pull.draft,
        "fork": pull.fork,
        "labels": list(pull.labels),
    }


def _commits(commits: Sequence[PullCommit], expected: Sequence[str]) -> list[dict[str, Any]]:
    """GitHub's list, and what git would merge beyond it: of those nobody knows who wrote them."""
    rows: list[dict[str, Any]] = [
        {
            "sha": c.sha,
            "parents": list(c.parents),
            "author": c.author,
            "committer": c.committer,
            "co_authors": list(c.co_authors),
        }
        for c in commits
    ]
    known = {c.sha for c in commits}
    unknown = [sha for sha in expected if sha not in known]
    return rows + [{"sha": s, "parents": [], "author": None, "committer": None, "co_authors": []} for s in unknown]


def _review(review: PullReview, effects: Sequence[Effect]) -> dict[str, Any]:
    return {
        "user": review.user,
        "state": review.state,
        "sha": review.sha,
        "submitted_at": review.submitted_at,
        "body": review.body,
        "effect": _effect_at(review.submitted_at, review.sha, effects),
        "id": review.id,
    }


def _comment(comment: PullComment, effects: Sequence[Effect]) -> dict[str, Any]:
    """A comment names no commit: it speaks of what the bot had last published when it was written."""
    seen = _last_before(comment.created_at, effects)
    return {
        "user": comment.user,
        "body": comment.body,
        "sha": seen.head if seen else None,
        "effect": seen.digest if seen else None,
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
        "id": comment.id,
    }


def _effect_at(moment: str, sha: str | None, effects: Sequence[Effect]) -> str | None:
    """The effect of that head that was current then, else the first that became known of it."""
    own = [e for e in effects if e.head == sha]
    seen = _last_before(moment, own)
    return seen.digest if seen else own[0].digest if own else None


def _last_before(moment: str, effects: Sequence[Effect]) -> Effect | None:
    """What was published last before a moment.

    GitHub's times are whole seconds. What was published within that second counts only if there was nothing before:
    else the words may be about what it replaced.
    """
    at = datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
    before = next((e for e in reversed(effects) if e.published <= at), None)
    return before or next((e for e in effects if e.published < at + 1), None)
