"""The whole state of the stand-in and the questions that everything asks of it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

from review_bot.demo.github.accounts import ROLES, Account, Actor, App, Installation, Team
from review_bot.demo.github.state import Comment, Issue, LineComment, Pull, Repository, Request


class World:
    """Accounts, repositories and installations, found by name or id; names are read without regard to case."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = ""
        self.ahead = timedelta(0)
        self.accounts: dict[str, Account] = {}
        self.teams: dict[str, Team] = {}
        self.repositories: dict[str, Repository] = {}
        self.installations: dict[int, Installation] = {}
        self.requests: list[Request] = []
        self.unknown: list[tuple[str, str]] = []
        self.errors: list[str] = []
        # GitHub computes mergeability in the background: so many reads of pull requests still say null.
        self.unsettled_reads = 0
        self.manifest_codes: set[str] = set()
        self._ids = itertools.count(1001)
        self.app: App

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) + self.ahead

    def next_id(self) -> int:
        return next(self._ids)

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/v3"

    def account(self, login: str) -> Account | None:
        return self.accounts.get(login.lower())

    def repository(self, owner: str, name: str) -> Repository | None:
        return self.repositories.get(f"{owner}/{name}".lower())

    def by_email(self, email: str) -> Account | None:
        """Whose commits these are; GitHub knows an address or it does not."""
        wanted = email.lower()
        for account in self.accounts.values():
            # Enterprise has its own host there.
            noreply = f"{account.id}+{account.login}@users.noreply.".lower()
            if (account.email and account.email.lower() == wanted) or wanted.startswith(noreply):
                return account
        return None

    def role(self, account: Account | None, repository: Repository) -> str:
        """The strongest role that a person has in a repository, by themselves, a team or their organisation."""
        roles = ["none" if repository.private else "read"]
        if account is not None:
            roles += self._roles(account, repository)
        return max(roles, key=ROLES.index)

    def _roles(self, account: Account, repository: Repository) -> list[str]:
        owner = repository.owner
        found: list[str] = []
        if account.gone:
            return found
        if account is owner or owner.members.get(account.login) == "admin":
            found.append("admin")
        for name, role in repository.collaborators.items():
            team = self.teams.get(name.lower())
            if name.lower() == account.login.lower() or (team and account.login in team.members):
                found.append(role)
        return found

    def allows(self, account: Account | None, repository: Repository, least: str) -> bool:
        return ROLES.index(self.role(account, repository)) >= ROLES.index(least)

    def sees(self, actor: Actor, repository: Repository) -> bool:
        if actor.kind == "installation":
            return repository.id in actor.repositories or not repository.private
        return self.allows(actor.account, repository, "read")

    def installation_of(self, repository: Repository) -> Installation | None:
        return next((i for i in self.installations.values() if repository.id in i.repositories), None)

    def association(self, account: Account, repository: Repository) -> str:
        if account is repository.owner:
            return "OWNER"
        if account.login in repository.owner.members:
            return "MEMBER"
        if account.login in repository.collaborators:
            return "COLLABORATOR"
        return "NONE"


def comment_in(repository: Repository, comment_id: int) -> tuple[Issue, Comment] | None:
    """An issue comment by its id, with what it stands on."""
    for issue in repository.issues.values():
        if comment_id in issue.comments:
            return issue, issue.comments[comment_id]
    return None


def line_comment_in(repository: Repository, comment_id: int) -> tuple[Pull, LineComment] | None:
    for pull in repository.pulls.values():
        if comment_id in pull.line_comments:
            return pull, pull.line_comments[comment_id]
    return None
