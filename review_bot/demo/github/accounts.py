"""Who there is: people, organisations, teams, the App, its installations, and whoever makes a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

ROLES = ("none", "read", "triage", "write", "maintain", "admin")


@dataclass(eq=False)
class Account:
    id: int
    login: str
    name: str | None
    email: str | None
    kind: str
    created_at: datetime
    gone: bool = False
    members: dict[str, str] = field(default_factory=dict)  # of an organisation: login to "admin" or "member"


@dataclass(eq=False)
class Team:
    id: int
    organisation: Account
    slug: str
    name: str
    members: dict[str, str]  # login to "maintainer" or "member"
    created_at: datetime


@dataclass(eq=False)
class Installation:
    id: int
    account: Account
    repositories: set[int]
    permissions: dict[str, str]
    created_at: datetime
    suspended_at: datetime | None = None


@dataclass(eq=False)
class App:
    """The GitHub App under development."""

    id: int
    slug: str
    name: str
    owner: Account
    bot: Account
    private_key: str
    public_key: str
    webhook_secret: str
    created_at: datetime
    permissions: dict[str, str]
    events: tuple[str, ...]


@dataclass(frozen=True)
class Actor:
    """Who asks: nobody, a person, an installation, or the App itself (by its JWT)."""

    kind: str = "anonymous"
    account: Account | None = None
    installation: Installation | None = None
    permissions: Mapping[str, str] = field(default_factory=dict)
    repositories: frozenset[int] = frozenset()
