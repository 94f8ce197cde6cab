"""What GitHub knows of a pull request, read through an installation and handed on as frozen data.

Fields are those of GitHub's REST API (2022-11-28). Times stay ISO 8601 texts as GitHub writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from review_bot.github.client import Installation

# GitHub's own ends of these lists; reaching one means that there may be more.
MOST_FILES, MOST_COMMITS = 3000, 250
_CO_AUTHOR = re.compile(r"^co-authored-by:[ \t]*(?P<name>[^<\n]*)<(?P<email>[^>\n]*)>[ \t]*$", re.I | re.M)
_NO_REPLY = re.compile(r"(?:\d+\+)?(?P<login>[A-Za-z0-9-]+(?:\[bot\])?)@users\.noreply\.\S+\Z")


@dataclass(frozen=True, slots=True)
class PullRequest:
    """`base_ref` is the branch to merge into; what it points at now is asked of git, not taken from here.

    `merged_at` and `merge_sha` are "" as long as it is not merged.
    """

    repository: str
    number: int
    title: str
    author: str
    state: str
    merged: bool
    draft: bool
    fork: bool
    base_ref: str
    head_ref: str
    head_sha: str
    labels: tuple[str, ...]
    changed_files: int
    commits: int
    updated_at: str
    merged_at: str = ""
    merge_sha: str = ""
    # Whose review is requested: logins, and `org/team`.
    reviewers: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        return self.state == "open"


@dataclass(frozen=True, slots=True)
class PullCommit:
    """Logins, None where GitHub knows nobody; `co_authors` come from the message's trailers."""

    sha: str
    parents: tuple[str, ...]
    author: str | None
    committer: str | None
    co_authors: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class PullReview:
    id: int
    user: str
    state: str
    sha: str | None
    body: str
    submitted_at: str


@dataclass(frozen=True, slots=True)
class PullComment:
    id: int
    user: str
    body: str
    created_at: str
    updated_at: str


def repo_path(repository: str) -> str:
    """The API's path of `owner/name`."""
    owner, _, name = repository.partition("/")
    return f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}"


class PullReader:
    """Reads one repository's pull requests; it can't write."""

    def __init__(self, api: Installation, repository: str) -> None:
        self._api, self._repository, self._path = api, repository, repo_path(repository)

    async def pull(self, number: int) -> PullRequest:
        return pull_of(self._repository, await self._api.get(f"{self._path}/pulls/{number}"))

    async def open_pulls(self) -> list[PullRequest]:
        rows = await self._api.pages(f"{self._path}/pulls", state="open")
        return [pull_of(self._repository, row) for row in rows]

    async def commits(self, number: int) -> list[PullCommit]:
        rows = await self._api.pages(f"{self._path}/pulls/{number}/commits")
        known = _known_emails(rows)
        return [_commit(row, known) for row in rows]

    async def reviews(self, number: int) -> list[PullReview]:
        """Submitted ones, in the order in which they were made."""
        rows = await self._api.pages(f"{self._path}/pulls/{number}/reviews")
        return [_review(row) for row in rows if row.get("user") and row.get("submitted_at")]

    async def comments(self, number: int) -> list[PullComment]:
        """The conversation's comments, in the order in which they were made."""
        rows = await self._api.pages(f"{self._path}/issues/{number}/comments")
        return [_comment(row) for row in rows if row.get("user")]


def pull_of(repository: str, row: Mapping[str, Any]) -> PullRequest:
    """A pull request from GitHub's object, a webhook's or a list's (which know no counts) alike."""
    head, base = row["head"], row["base"]
    head_repository = (head.get("repo") or {}).get("full_name")
    return PullRequest(
        repository=repository,
        number=int(row["number"]),
        title=str(row.get("title") or ""),
        author=_login(row.get("user")) or "ghost",
        state=str(row["state"]),
        merged=bool(row.get("merged_at") or row.get("merged")),
        draft=bool(row.get("draft")),
        fork=head_repository != ((base.get("repo") or {}).get("full_name") or repository),
        base_ref=str(base["ref"]),
        head_ref=str(head["ref"]),
        head_sha=str(head["sha"]),
        labels=tuple(str(label.get("name")) for label in row.get("labels") or []),
        changed_files=int(row.get("changed_files") or 0),
        commits=int(row.get("commits") or 0),
        updated_at=str(row.get("updated_at") or ""),
        merged_at=str(row.get("merged_at") or ""),
        # Before a merge GitHub keeps its trial merge there.
        merge_sha=str(row.get("merge_commit_sha") or "") if row.get("merged_at") else "",
        reviewers=(
            *(login for user in row.get("requested_reviewers") or [] if (login := _login(user))),
            *(f"{repository.partition('/')[0]}/{team['slug']}" for team in row.get("requested_teams") or []),
        ),
    )


def _known_emails(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The e-mail addresses that GitHub itself gave an account to, in these commits."""
    found = {}
    for row in rows:
        for role in ("author", "committer"):
            email, login = (row["commit"].get(role) or {}).get("email"), _login(row.get(role))
            if email and login:
                found[str(email).lower()] = login
    return found


def _commit(row: Mapping[str, Any], known: Mapping[str, str]) -> PullCommit:
    trailers = _CO_AUTHOR.finditer(str(row["commit"].get("message") or ""))
    return PullCommit(
        sha=str(row["sha"]),
        parents=tuple(str(parent["sha"]) for parent in row.get("parents") or []),
        author=_login(row.get("author")),
        committer=_login(row.get("committer")),
        co_authors=tuple(_account(trailer.group("email").strip(), known) for trailer in trailers),
    )


def _account(email: str, known: Mapping[str, str]) -> str | None:
    private = _NO_REPLY.match(email)
    return private.group("login") if private else known.get(email.lower())


def _review(row: Mapping[str, Any]) -> PullReview:
    return PullReview(
        id=int(row["id"]),
        user=_login(row["user"]) or "ghost",
        state=str(row["state"]).upper(),
        sha=row.get("commit_id"),
        body=str(row.get("body") or ""),
        submitted_at=str(row["submitted_at"]),
    )


def _comment(row: Mapping[str, Any]) -> PullComment:
    return PullComment(
        id=int(row["id"]),
        user=_login(row["user"]) or "ghost",
        body=str(row.get("body") or ""),
        created_at=str(row["created_at"]),
        updated_at=str(row.get("updated_at") or row["created_at"]),
    )


def _login(user: Any) -> str | None:
    login = user.get("login") if isinstance(user, Mapping) else None
    return str(login) if login else None
