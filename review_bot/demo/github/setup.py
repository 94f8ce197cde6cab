"""Who and what is there: accounts, teams, repositories, installations, set up from Python."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from review_bot.core.tools import find
from review_bot.demo.github import pulls, render
from review_bot.demo.github.git import Git, environment
from review_bot.demo.github.git_http import UPDATE_HOOK
from review_bot.demo.github.hub import Hub
from review_bot.demo.github.state import (
    Account,
    App,
    Installation,
    Protection,
    Pull,
    Repository,
    Request,
    Team,
    path_of,
)
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
        _create(git.path, default_branch)
        if source is not None:
            _fill(git.path, source, default_branch, self.world.account(author or "") or self.web_flow)
        self.world.repositories[full_name.lower()] = made
        return made

    def repository(self, full_name: str) -> Repository:
        return self.world.repositories[full_name.lower()]

    def pull(self, full_name: str, number: int) -> Pull:
        return self.repository(full_name).pulls[number]

    def protect(self, full_name: str, branch: str, protection: Protection) -> None:
        self.repository(full_name).protections[branch] = protection

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
        _create(git.path, parent.default_branch)
        _git(git.path, "fetch", "--quiet", str(parent.git.path), "+refs/heads/*:refs/heads/*")
        self.world.repositories[made.full_name.lower()] = made
        return made

    # The App

    def install(self, repositories: Sequence[str], permissions: Mapping[str, str] | None = None) -> int:
        """Install the App on repositories of one account; its id."""
        found = [self.repository(name) for name in repositories]
        account = found[0].owner
        granted = dict(permissions if permissions is not None else self.app.permissions)
        made = Installation(self.world.next_id(), account, {r.id for r in found}, granted, self.world.now())
        self.world.installations[made.id] = made
        payload = {
            "installation": render.installation(self.world, made),
            "repositories": [_brief(r) for r in found],
            "requester": None,
        }
        self.hub.webhooks.emit("installation", "created", payload, installation=made, repository=None, sender=account)
        return made.id

    def change_installation(self, installation_id: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Give an installation repositories, or take them away."""
        found = self.world.installations[installation_id]
        for action, names in (("added", add), ("removed", remove)):
            chosen = [self.repository(name) for name in names]
            ids = {r.id for r in chosen}
            found.repositories = found.repositories | ids if action == "added" else found.repositories - ids
            if chosen:
                payload = {
                    "installation": render.installation(self.world, found),
                    "repository_selection": "selected",
                    "repositories_added": [_brief(r) for r in chosen] if action == "added" else [],
                    "repositories_removed": [_brief(r) for r in chosen] if action == "removed" else [],
                    "requester": None,
                }
                self.hub.webhooks.emit(
                    "installation_repositories",
                    action,
                    payload,
                    installation=found,
                    repository=None,
                    sender=found.account,
                )

    def redeliver(self, delivery_id: int) -> Delivery:
        return self.hub.webhooks.redeliver(delivery_id)

    async def deliver_all(self) -> None:
        """Wait until every delivery so far was sent."""
        await self.hub.webhooks.drain()

    async def ready(self, full_name: str, number: int, by: str | None = None) -> None:
        """Mark a draft as ready for review (GraphQL on GitHub)."""
        await self._set_draft(full_name, number, False, by)

    async def draft(self, full_name: str, number: int, by: str | None = None) -> None:
        """Convert to a draft (GraphQL on GitHub)."""
        await self._set_draft(full_name, number, True, by)

    async def _set_draft(self, full_name: str, number: int, draft: bool, by: str | None) -> None:
        repository, pull = self.repository(full_name), self.pull(full_name, number)
        actor = self.world.accounts[by.lower()] if by else pull.user
        await pulls.set_draft(self.hub, repository, pull, draft, actor)


def _brief(repository: Repository) -> dict[str, object]:
    return {
        "id": repository.id,
        "node_id": render.node("Repository", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
    }


def _git(folder: Path, *words: str, extra: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(find("git")), "-C", str(folder), "-c", "gc.auto=0", *words],
        capture_output=True,
        env=environment(extra),
        check=True,
    )
    return done.stdout.decode().strip()


def _create(path: Path, default_branch: str) -> None:
    path.mkdir(parents=True)
    _git(path, "init", "--quiet", "--bare", "--template=", f"--initial-branch={default_branch}")
    settings = {
        "http.receivepack": "true",
        "receive.hideRefs": "refs/pull",
        "uploadpack.allowFilter": "true",
        "uploadpack.allowAnySHA1InWant": "true",
    }
    with (path / "config").open("a") as config:
        for name, value in settings.items():
            section, _, key = name.partition(".")
            config.write(f"[{section}]\n\t{key} = {value}\n")
    hook = path / "hooks" / "update"
    hook.parent.mkdir()
    hook.write_text(UPDATE_HOOK)
    hook.chmod(0o700)


def _fill(path: Path, source: Path, default_branch: str, author: Account) -> None:
    if (source / ".git").exists() or (source / "HEAD").is_file():
        _git(path, "fetch", "--quiet", str(source.resolve()), "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        return
    index = path / "first-index"
    email = author.email or f"{author.login}@users.noreply.github.com"
    extra = {
        "GIT_INDEX_FILE": str(index),
        "GIT_AUTHOR_NAME": author.name or author.login,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": author.name or author.login,
        "GIT_COMMITTER_EMAIL": email,
    }
    work = f"--work-tree={source.resolve()}"
    _git(
        path,
        f"--git-dir={path.resolve()}",
        work,
        "-C",
        str(source.resolve()),
        "add",
        "--all",
        "--force",
        ".",
        extra=extra,
    )
    tree = _git(path, "write-tree", extra=extra)
    sha = _git(path, "commit-tree", tree, "-m", "First commit", extra=extra)
    _git(path, "update-ref", f"refs/heads/{default_branch}", sha)
    index.unlink()


def remove(repository: Repository) -> None:
    """Delete the files of a repository."""
    shutil.rmtree(repository.git.path)
