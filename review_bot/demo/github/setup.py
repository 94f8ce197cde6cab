"""Who and what is there: accounts, teams, repositories, installations, set up from Python."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from review_bot.demo.github import seed
from review_bot.demo.github.accounts import Account, App, Team
from review_bot.demo.github.git import Git
from review_bot.demo.github.hub import Hub
from review_bot.demo.github.state import Protection, Pull, Repository, Request, Ruleset, path_of
from review_bot.demo.github.tokens import new_key
from review_bot.demo.github.webhooks import Delivery, Mishaps
from review_bot.demo.github.world import World

PERMISSIONS = {
    "metadata": "read",
    "members": "read",
    "administration": "read",
    "contents": "write",
    "checks": "write",
    "pull_requests": "write",
    "issues": "write",
    "statuses": "write",
    "merge_queues": "read",
}
EVENTS = (
    "check_run",
    "check_suite",
    "issue_comment",
    "issues",
    "merge_group",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "push",
    "status",
    "membership",
)


class Setup:
    """The part of the stand-in that Python drives; people use its REST API and git."""

    def __init__(self, root: Path) -> None:
        self.world = World(root)
        self.hub = Hub(self.world)
        self.web_flow = self._account("web-flow", "User", "GitHub", "noreply@github.com")
        owner = self._account("review-bot-makers", "Organization", "Makers", None)
        bot = self._account("review-bot[bot]", "Bot", None, None)
        private, public = new_key()
        self.world.app = App(
            id=self.world.next_id(),
            slug="review-bot",
            name="Review Bot",
            owner=owner,
            bot=bot,
            private_key=private,
            public_key=public,
            webhook_secret=secrets.token_hex(20),
            created_at=self.world.now(),
            permissions=dict(PERMISSIONS),
            events=EVENTS,
        )

    @property
    def app(self) -> App:
        return self.world.app

    @property
    def requests(self) -> list[Request]:
        return self.world.requests

    @property
    def unknown(self) -> list[tuple[str, str]]:
        """Requests that no endpoint here answers: method and path."""
        return self.world.unknown

    @property
    def errors(self) -> list[str]:
        """Tracebacks of the stand-in's own mistakes."""
        return self.world.errors

    @property
    def deliveries(self) -> list[Delivery]:
        return self.hub.webhooks.deliveries

    @property
    def mishaps(self) -> Mishaps:
        return self.hub.webhooks.mishaps

    @property
    def webhook_url(self) -> str | None:
        return self.hub.webhooks.url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self.hub.webhooks.url = url

    def advance(self, seconds: float) -> None:
        """Let the stand-in's clock run ahead."""
        self.world.ahead += timedelta(seconds=seconds)

    def api_calls(self, installation: int | None = None) -> int:
        """API requests by an installation, or by all of them."""
        ours = [r for r in self.world.requests if r.installation is not None and r.route]
        return sum(1 for r in ours if installation is None or r.installation == installation)

    def content_writes(self, installation: int | None = None) -> int:
        """Content-creating requests by an installation, or by all of them."""
        ours = [r for r in self.world.requests if r.installation is not None and r.creates_content]
        return sum(1 for r in ours if installation is None or r.installation == installation)

    # Accounts

    def _account(self, login: str, kind: str, name: str | None, email: str | None) -> Account:
        made = Account(self.world.next_id(), login, name, email, kind, self.world.now())
        self.world.accounts[login.lower()] = made
        return made

    def add_user(self, login: str, *, name: str | None = None, email: str | None = None) -> Account:
        return self._account(login, "User", name or login.title(), email or f"{login}@example.com")

    def add_organisation(self, login: str, *, owners: Iterable[str] = (), members: Iterable[str] = ()) -> Account:
        made = self._account(login, "Organization", login.title(), None)
        made.members = {self._login(m): "member" for m in members} | {self._login(o): "admin" for o in owners}
        return made

    def _login(self, login: str) -> str:
        """An account's login as it is written, the account made where it is missing."""
        return (self.world.account(login) or self.add_user(login)).login

    def add_team(self, name: str, members: Iterable[str]) -> Team:
        """A team `org/slug`; its members become members of the organisation."""
        owner, _, slug = name.partition("/")
        organisation = self.world.accounts[owner.lower()]
        logins = {self._login(member): "member" for member in members}
        made = Team(self.world.next_id(), organisation, slug, slug, logins, self.world.now())
        self.world.teams[name.lower()] = made
        for login in logins:
            organisation.members.setdefault(login, "member")
        return made

    def remove_user(self, login: str) -> None:
        """Someone deletes their account: what they said stays, without an author."""
        account = self.world.accounts.pop(login.lower())
        account.gone = True
        for team in self.world.teams.values():
            team.members.pop(account.login, None)
        for holder in self.world.accounts.values():
            holder.members.pop(account.login, None)
        for repository in self.world.repositories.values():
            repository.collaborators.pop(account.login, None)

    def token_of(self, login: str) -> str:
        return self.hub.tokens.of(self.world.accounts[login.lower()])

    # Repositories

    def add_repository(
        self,
        full_name: str,
        source: Path | None = None,
        *,
        collaborators: Mapping[str, str] | None = None,
        protection: Protection | None = None,
        private: bool = True,
        default_branch: str = "main",
        author: str | None = None,
    ) -> Repository:
        """A repository from a folder of files (one commit by `author`) or from a git repository (its branches)."""
        owner_login, _, name = full_name.partition("/")
        owner = self.world.account(owner_login) or self.add_organisation(owner_login)
        now = self.world.now()
        git = Git(path_of(self.world.root, owner.login, name))
        made = Repository(self.world.next_id(), owner, name, git, private, now, now, default_branch)
        for who, role in (collaborators or {}).items():
            made.collaborators[who if "/" in who else self._login(who)] = role
        if protection:
            made.protections[default_branch] = protection
        seed.create(git.path, default_branch)
        if source is not None:
            seed.fill(git.path, source, default_branch, self.world.account(author or "") or self.web_flow)
        self.world.repositories[full_name.lower()] = made
        return made

    def repository(self, full_name: str) -> Repository:
        return self.world.repositories[full_name.lower()]

    def pull(self, full_name: str, number: int) -> Pull:
        return self.repository(full_name).pulls[number]

    def protect(self, full_name: str, branch: str, protection: Protection) -> None:
        self.repository(full_name).protections[branch] = protection

    def add_ruleset(self, full_name: str, name: str, *rules: Mapping[str, Any], **more: Any) -> Ruleset:
        """A ruleset of a repository; `more` are the other fields of `Ruleset`."""
        made = Ruleset(self.world.next_id(), name, rules, **more)
        self.repository(full_name).rulesets[made.id] = made
        return made

    def fork(self, full_name: str, login: str) -> Repository:
        """A fork in someone's own account."""
        parent = self.repository(full_name)
        owner = self.world.accounts[login.lower()]
        now = self.world.now()
        git = Git(path_of(self.world.root, owner.login, parent.name))
        made = Repository(
            self.world.next_id(), owner, parent.name, git, parent.private, now, now, parent.default_branch
        )
        made.parent = parent
        made.lock = parent.lock
        seed.create(git.path, parent.default_branch)
        seed.copy(git.path, parent.git.path)
        self.world.repositories[made.full_name.lower()] = made
        return made
