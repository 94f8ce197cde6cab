"""Check runs, suites and statuses as the stand-in keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from review_bot.demo.github.accounts import Account


@dataclass(frozen=True)
class Annotation:
    path: str
    start_line: int
    end_line: int
    level: str
    message: str
    title: str | None = None
    raw_details: str | None = None
    start_column: int | None = None
    end_column: int | None = None


@dataclass(eq=False)
class CheckRun:
    id: int
    suite_id: int
    app: int
    name: str
    head_sha: str
    status: str
    started_at: datetime
    conclusion: str | None = None
    completed_at: datetime | None = None
    details_url: str | None = None
    external_id: str = ""
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[Annotation] = field(default_factory=list)
    actions: list[dict[str, str]] = field(default_factory=list)


@dataclass(eq=False)
class CheckSuite:
    id: int
    app: int
    head_sha: str
    branch: str | None
    before: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(eq=False)
class Status:
    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: Account
    created_at: datetime
