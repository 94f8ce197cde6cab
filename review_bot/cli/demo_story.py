"""What happens in the demo: pull requests are opened, judged, approved, and merged or refused."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from review_bot.cli import demo_acts as acts
from review_bot.cli.demo_outcome import Outcome
from review_bot.core.errors import ToolError
from review_bot.demo.github.git import run as git
from review_bot.demo.github.server import StandIn
from review_bot.demo.github.state import Protection
from review_bot.demo.people import Person
from review_bot.demo.scenarios import (
    FOLLOWING,
    PERMISSIONS,
    REPOSITORY,
    SCENARIOS,
    TEAM,
    TEAM_MEMBERS,
    Edit,
    Scenario,
    files_after,
)
from review_bot.github.check_runs import APPROVALS, VERDICT
from review_bot.server.service import Service
from review_bot.server.settings import Settings

PATIENCE_SECONDS = 60.0
# How the gate begins to tell that an approval was of something else.
STALE = re.compile(r"`\w+` approved another effect at \w+")


class Stage:
    """The stand-in, the bot and the people. Use as `async with`."""

    def __init__(self, sample: Path, root: Path, say: Callable[[str], None]) -> None:
        self._sample, self._root, self.say = sample, root, say
        self._stack = AsyncExitStack()
        self.people: dict[str, Person] = {}
        self.work = root / "work"

    async def __aenter__(self) -> Stage:
        self.github = github = await self._stack.enter_async_context(StandIn(self._root / "github"))
        for login in PERMISSIONS:
            github.add_user(login)
        github.add_organisation("org")
        github.add_team(TEAM, TEAM_MEMBERS)
        names = (VERDICT, APPROVALS)
        protection = Protection(required_checks=names, apps=dict.fromkeys(names, github.app.id))
        github.add_repository(
            REPOSITORY, self._sample, collaborators=PERMISSIONS, protection=protection, author="carol"
        )
        github.install([REPOSITORY])
        self._service = Service(self._settings(), host="127.0.0.1")
        port = await self._stack.enter_async_context(self._service.running())
        github.webhook_url = f"http://127.0.0.1:{port}/webhook"
        for login in PERMISSIONS:
            person = Person(login, github.token_of(login), github.api_url, github.url)
            self.people[login] = await self._stack.enter_async_context(person)
        self.say(f"started    GitHub's stand-in at {github.url}, the bot at port {port}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        return self.github.url

    async def play(self) -> list[Outcome]:
        """The whole story: each pull request by itself, then what takes several."""
        author = self.people["alice"]
        await author.clone(REPOSITORY, self.work)
        opened = [await self.open(scenario) for scenario in (*SCENARIOS, *FOLLOWING)]
        self.say(f"opened     {len(opened)} pull requests")
        outcomes = [await self.judged(scenario, number, head) for scenario, number, head in opened]
        self.say("reviewed   all of them")
        for outcome in outcomes:
            await self.approve(outcome)
        for outcome in outcomes:
            await self.decided(outcome)
        following = outcomes[len(SCENARIOS) :]
        outcomes = outcomes[: len(SCENARIOS)]
        self.say("approved   what people agreed to")
        # The refused ones first: once another is merged, some of them conflict, and that would hide the gate.
        for outcome in sorted(outcomes, key=lambda o: (o.approvals or {}).get("conclusion") == "success"):
            await self.merge(outcome)
            if not outcome.merged:
                # Nobody goes on with it, and each time main moves an open one would be reviewed again.
                await self.set_state(outcome, "closed")
        self.say(f"merged     {sum(o.merged for o in outcomes)}; the others were refused")
        behind = await acts.play(self, *following)
        self.say("played     a broken glass, a rebase, a merge queue")
        return [*outcomes, *following, behind]

    def _settings(self) -> Settings:
        state = self._root / "bot"
        return Settings(
            app_id=str(self.github.app.id),
            private_key=self.github.app.private_key,
            webhook_secret=self.github.app.webhook_secret,
            api_url=self.github.api_url,
            github_url=self.github.url,
            database=state / "review-bot.sqlite",
            state_dir=state,
            public_url="",
            port=0,
        )

    async def open(self, scenario: Scenario) -> tuple[Scenario, int, str]:
        author = self.people[scenario.author]
        await git(self.work, "checkout", "--quiet", "-B", scenario.branch, "origin/main")
        head = await self.push(scenario, scenario.edits, first=True)
        name = f"{author.login}:{scenario.branch}" if scenario.fork else scenario.branch
        return scenario, await author.open_pull(REPOSITORY, name, scenario.title), head

    async def push(self, scenario: Scenario, edits: tuple[Edit, ...], *, first: bool = False) -> str:
        author = self.people[scenario.author]
        if scenario.fork and first:
            self.github.fork(REPOSITORY, author.login)
        if not first:
            await git(self.work, "checkout", "--quiet", scenario.branch)
        before = await asyncio.to_thread(_texts, self.work)
        head = await author.commit(self.work, files_after(edits, before), scenario.title)
        target = f"{author.login}/{REPOSITORY.partition('/')[2]}" if scenario.fork else REPOSITORY
        await author.push(self.work, target, scenario.branch)
        return head

    async def judged(self, scenario: Scenario, number: int, head: str) -> Outcome:
        gate = await self.run(head, APPROVALS, lambda run: True)
        verdict = await self.run(head, VERDICT, lambda run: True)
        marks = await self.people["alice"].ask("GET", f"/repos/{REPOSITORY}/check-runs/{verdict['id']}/annotations")
        problems = [f"{m['path']}:{m['start_line']} {m['title']}" for m in marks if m["annotation_level"] == "failure"]
        url = f"{self.url}/{REPOSITORY}/pull/{number}"
        return Outcome(scenario, number, head, url, verdict, problems, gate["output"]["title"])

    async def approve(self, outcome: Outcome) -> None:
        """Approvals, and whatever is pushed behind the approvers' backs."""
        for login in outcome.scenario.approvals:
            status, _ = await self.people[login].review(REPOSITORY, outcome.number)
            said = f"@{login} approved"
            if status >= 300:
                # GitHub lets nobody approve their own pull request; a comment is the next thing they would try.
                await self.people[login].comment(REPOSITORY, outcome.number, "/approve")
                said = f"@{login} could not approve by a review and wrote /approve"
            outcome.said = (*outcome.said, said)
        if outcome.scenario.later:
            await self.run(outcome.head, APPROVALS, lambda run: run["conclusion"] == "success")
            outcome.head = await self.push(outcome.scenario, outcome.scenario.later)
            outcome.then = (f"@{outcome.scenario.author} pushed more: {outcome.head[:7]}",)

    async def decided(self, outcome: Outcome) -> None:
        """Wait until the gate has seen everything that was said."""
        await self.github.deliver_all()
        await self._service.idle()
        outcome.approvals = await self.run(outcome.head, APPROVALS, lambda run: True)
        outcome.verdict = await self.run(outcome.head, VERDICT, lambda run: True)
        told = STALE.search(str(outcome.approvals["output"]["summary"]))
        if told and told.group() not in outcome.then:
            outcome.then = (*outcome.then, told.group())

    async def merge(self, outcome: Outcome) -> None:
        # An earlier merge moved the base: the gate looks again before this one may go.
        await self.decided(outcome)
        outcome.refusal = await self.people["carol"].merge(REPOSITORY, outcome.number)
        outcome.merged = not outcome.refusal

    async def set_state(self, outcome: Outcome, state: str) -> None:
        path = f"/repos/{REPOSITORY}/pulls/{outcome.number}"
        await self.people["alice"].ask("PATCH", path, {"state": state})

    async def run(
        self, head: str, name: str, good: Callable[[dict[str, Any]], bool], patience: float = PATIENCE_SECONDS
    ) -> dict[str, Any]:
        """A check run of the head, once it is complete and `good`."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            for run in await self.people["alice"].runs(REPOSITORY, head):
                if run["name"] == name and run["status"] == "completed" and good(run):
                    return run
            await asyncio.sleep(0.05)
        raise ToolError(f"{name} of {head[:7]} is not there after {patience:.0f} s", help="run `review-bot doctor`")


def _texts(work: Path) -> dict[str, str]:
    files = (p for p in work.rglob("*") if p.is_file() and ".git" not in p.relative_to(work).parts)
    return {str(p.relative_to(work)): p.read_text() for p in files}
