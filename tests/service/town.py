"""A small town for acceptance tests: the stand-in, the bot as a real process part, people, one repository."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientSession
from github_models import Models
from repositories import DEPLOYMENT, POLICY

from review_bot.demo.github.git import run
from review_bot.demo.github.server import StandIn
from review_bot.demo.github.state import Protection
from review_bot.demo.people import Person
from review_bot.server.service import Service
from review_bot.server.settings import Settings

REPOSITORY = "org/config"
BOT = "review-bot[bot]"
FILES = {
    "app/deploy.yaml": DEPLOYMENT,
    "policies/main.rego": POLICY,
    "OWNERS": "approvers: [carol, dave]\n",
    "README.md": "hello\n",
}
PEOPLE = {"alice": "write", "carol": "write", "dave": "write", "mallory": "read"}


T = TypeVar("T")


class Town:
    """Everything that a test needs; see `town`."""

    def __init__(self, root: Path, github: StandIn, people: dict[str, Person]) -> None:
        self.root, self.github = root, github
        self.alice, self.carol, self.dave, self.mallory = (people[n] for n in PEOPLE)
        self.work = root / "work"
        self._bot_url = ""

    def settings(self, **changed: Any) -> Settings:
        known = {
            "app_id": str(self.github.app.id),
            "private_key": self.github.app.private_key,
            "webhook_secret": self.github.app.webhook_secret,
            "api_url": self.github.api_url,
            "github_url": self.github.url,
            "database": self.root / "state" / "bot.sqlite",
            "state_dir": self.root / "state",
            "public_url": "",
            "port": 0,
        }
        return Settings(**{**known, **changed})

    @asynccontextmanager
    async def bot(self, **changed: Any) -> AsyncIterator[int]:
        """The service, listening and known to GitHub while the block lasts; `changed` are settings."""
        self._service = Service(self.settings(**changed), host="127.0.0.1")
        async with self._service.running() as port:
            self.github.webhook_url = f"http://127.0.0.1:{port}/webhook"
            self._bot_url = f"http://127.0.0.1:{port}"
            yield port

    async def settled(self) -> None:
        """Return once everything that happened has reached the bot, and it has nothing left to look at."""
        for _ in range(2):  # what it does itself is delivered, too
            await self.github.deliver_all()
            await self._service.idle()

    async def metrics(self) -> str:
        """What the bot counts, as Prometheus reads it."""
        async with ClientSession() as session, session.get(f"{self._bot_url}/metrics") as answer:
            return await answer.text()

    async def push(
        self, branch: str, files: Mapping[str, str | None], by: Person | None = None, start: str = ""
    ) -> str:
        """A commit on top of `start` (or of the branch as it is in the work tree) pushed to the branch."""
        person = by or self.alice
        if start:
            await run(self.work, "checkout", "--quiet", "-B", branch, start)
        sha = await person.commit(self.work, files, f"change {branch}")
        await person.push(self.work, REPOSITORY, branch, force=True)
        return sha

    async def open(self, branch: str, files: Mapping[str, str | None], **options: Any) -> tuple[int, str]:
        """A pull request of alice's; number and head."""
        sha = await self.push(branch, files, start="origin/main")
        return await self.alice.open_pull(REPOSITORY, branch, f"Change {branch}", **options), sha

    async def completed(self, sha: str, name: str = "review-bot/approvals", conclusion: str = "") -> dict[str, Any]:
        """Wait for a check run of that head to be complete (with that conclusion)."""

        async def found() -> dict[str, Any] | None:
            run = (await self.runs(sha)).get(name)
            done = run is not None and run["status"] == "completed" and conclusion in ("", run["conclusion"])
            return run if done else None

        return await until(found, f"{name} of {sha[:7]} {conclusion}")

    async def runs(self, sha: str) -> dict[str, dict[str, Any]]:
        """The newest check runs of a head, by name."""
        return {run["name"]: run for run in await self.alice.runs(REPOSITORY, sha)}

    async def sticky(self, number: int) -> list[str]:
        """What the bot says in comments."""
        return [c["body"] for c in await self.alice.comments(REPOSITORY, number) if c["user"]["login"] == BOT]


@asynccontextmanager
async def town(root: Path, files: Mapping[str, str] = FILES) -> AsyncIterator[Town]:
    """GitHub with one protected repository on which the App is installed; the bot is started by `Town.bot`.

    At the end every request, answer and webhook must have been one that GitHub's published models allow.
    """
    models = Models()
    source = root / "source"
    for name, text in files.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(StandIn(root / "github", models))
        for login in (*PEOPLE, "erin"):
            github.add_user(login)
        github.add_organisation("org")
        github.add_team("org/security", ["erin"])
        checks = ("review-bot", "review-bot/approvals")
        protection = Protection(required_checks=checks, apps={name: github.app.id for name in checks})
        github.add_repository(REPOSITORY, source, collaborators={**PEOPLE, "erin": "write"}, protection=protection)
        github.install([REPOSITORY])
        people = {}
        for login in PEOPLE:
            person = Person(login, github.token_of(login), github.api_url, github.url)
            people[login] = await stack.enter_async_context(person)
        made = Town(root, github, people)
        await made.alice.clone(REPOSITORY, made.work)
        yield made
        await github.deliver_all()
        models.deliveries(github.deliveries)
        models.assert_none()
        assert github.unknown == []


def played(
    root: Path, story: Callable[[Town], Awaitable[None]], files: Mapping[str, str] = FILES, **changed: Any
) -> None:
    """Run a story in a town where the bot is up; `changed` are its settings."""

    async def play() -> None:
        async with town(root, files) as here, here.bot(**changed):
            await story(here)

    asyncio.run(play())


async def until(ask: Callable[[], Awaitable[T | None]], what: str, seconds: float = 90) -> T:
    """Ask until there is an answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = await ask()
        if answer is not None:
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError(f"{what}: nothing after {seconds:g} s")
