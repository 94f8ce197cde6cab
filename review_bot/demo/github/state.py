"""What the stand-in knows: repositories, pull requests and what people and Apps said about them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from review_bot.demo.github.accounts import Account, Team
from review_bot.demo.github.check_state import CheckRun, CheckSuite, Status
from review_bot.demo.github.diffs import Diffs
from review_bot.demo.github.git import Git


@dataclass(frozen=True)
class Protection:
    """Rules of a branch. A required check may name the App that must have made it (`apps`: name to App id).

    `switches` are the settings of GitHub's that are on and have no other field here, `bypass` who may do without pull
    requests (logins and `org/team`), `pushers` who may push at all, None for everyone.
    """

    required_checks: tuple[str, ...] = ()
    apps: Mapping[str, int] = field(default_factory=dict)
    required_approvals: int = 0
    dismiss_stale: bool = False
    strict: bool = False
    require_pull_request: bool = True
    enforce_admins: bool = False
    merge_queue: bool = False
    code_owners: bool = False
    last_push: bool = False
    switches: frozenset[str] = frozenset()
    bypass: tuple[str, ...] = ()
    pushers: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Ruleset:
    """Rules for branches whose names `include` matches (`*` and all), as GitHub writes them.

    They are shown to who asks, but hold no merge back here: the stand-in's own rules are `Protection`.
    """

    id: int
    name: str
    rules: tuple[Mapping[str, Any], ...]
    bypass: tuple[Mapping[str, Any], ...] = ()
    include: tuple[str, ...] = ("refs/heads/*",)
    enforcement: str = "active"


@dataclass(eq=False)
class Label:
    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass(eq=False)
class Comment:
    """A comment on an issue or a pull request."""

    id: int
    user: Account
    body: str
    created_at: datetime
    updated_at: datetime
    app: int | None = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(eq=False)
class Reaction:
    id: int
    user: Account
    content: str
    created_at: datetime


@dataclass(eq=False)
class LineComment:
    """A review comment: on a line of the diff, or an answer to one."""

    id: int
    review_id: int
    user: Account
    body: str
    path: str
    commit: str
    original_commit: str
    hunk: str
    side: str
    line: int | None
    original_line: int | None
    start_line: int | None
    start_side: str | None
    position: int | None
    original_position: int
    created_at: datetime
    updated_at: datetime
    reply_to: int | None = None
    subject: str = "line"
    pending: bool = False


@dataclass(eq=False)
class Review:
    id: int
    user: Account
    body: str
    state: str
    commit: str
    submitted_at: datetime | None


@dataclass(eq=False)
class Issue:
    """An issue; a pull request is one, with more to it."""

    id: int
    number: int
    title: str
    body: str | None
    user: Account
    created_at: datetime
    updated_at: datetime
    state: str = "open"
    closed_at: datetime | None = None
    closed_by: Account | None = None
    labels: list[Label] = field(default_factory=list)
    assignees: list[Account] = field(default_factory=list)
    comments: dict[int, Comment] = field(default_factory=dict)
    reactions: list[Reaction] = field(default_factory=list)
    app: int | None = None


@dataclass(frozen=True)
class Figures:
    """What GitHub computes of a pull request from its two commits."""

    merge_base: str | None
    mergeable: bool
    merge_commit: str | None
    commits: int
    additions: int
    deletions: int
    files: int
    behind: bool


@dataclass(eq=False)
class Pull(Issue):
    base_ref: str = ""
    base_sha: str = ""
    head_ref: str = ""
    head_sha: str = ""
    head_repository: Repository | None = None
    draft: bool = False
    merged_at: datetime | None = None
    merged_by: Account | None = None
    merge_commit_sha: str | None = None
    maintainer_can_modify: bool = False
    reviewers: list[Account] = field(default_factory=list)
    reviewing_teams: list[Team] = field(default_factory=list)
    reviews: dict[int, Review] = field(default_factory=dict)
    line_comments: dict[int, LineComment] = field(default_factory=dict)
    figures: Figures | None = None
    figures_of: tuple[str, str] = ("", "")
    settling: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def merged(self) -> bool:
        return self.merged_at is not None


@dataclass(frozen=True)
class Queued:
    """A pull request in a merge queue: `head` is its group's commit, which stands on `base`."""

    number: int
    base: str
    head: str
    branch: str


@dataclass(eq=False)
class Repository:
    id: int
    owner: Account
    name: str
    git: Git
    private: bool
    created_at: datetime
    pushed_at: datetime
    default_branch: str = "main"
    collaborators: dict[str, str] = field(default_factory=dict)  # login, or org/team, to its role
    protections: dict[str, Protection] = field(default_factory=dict)
    rulesets: dict[int, Ruleset] = field(default_factory=dict)
    parent: Repository | None = None
    issues: dict[int, Issue] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    checks: dict[int, CheckRun] = field(default_factory=dict)
    suites: dict[int, CheckSuite] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    queues: dict[str, list[Queued]] = field(default_factory=dict)  # by base branch, the first to merge first
    next_number: int = 1
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.diffs = Diffs(self.git)

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def pulls(self) -> dict[int, Pull]:
        return {n: issue for n, issue in self.issues.items() if isinstance(issue, Pull)}


@dataclass(frozen=True)
class Request:
    """One request as it was answered."""

    method: str
    path: str
    query: str
    status: int
    actor: str
    user: str | None
    installation: int | None
    at: datetime
    route: str | None
    creates_content: bool


def path_of(root: Path, owner: str, name: str) -> Path:
    return root / owner / f"{name}.git"
