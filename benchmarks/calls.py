"""GitHub API calls for one event of a pull request, counted by the stand-in. Run `python -m benchmarks.calls [--each]`.

Cold is the first event of a pull request to a bot that was just started and knows nobody; warm ones follow. A
conditional request that was answered "not modified" costs nothing of GitHub's limit and is counted apart.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path

from review_bot.demo.github.git import run
from review_bot.demo.github.server import StandIn
from review_bot.demo.github.state import Protection
from review_bot.demo.people import Person
from review_bot.demo.scenarios import PERMISSIONS, REPOSITORY, TEAM, TEAM_MEMBERS
from review_bot.server.service import Service
from review_bot.server.settings import Settings

SAMPLE = Path(__file__).resolve().parents[1] / "examples" / "config-repo"
STAGING = "apps/web/overlays/staging/kustomization.yaml"
CHECKS = ("review-bot", "review-bot/approvals")


class Bench:
    """The sample repository, a bot, people; `count` says what an event costs."""

    def __init__(self, github: StandIn, service: Service, people: dict[str, Person], work: Path) -> None:
        self.github, self.service, self.people, self.work = github, service, people, work

    async def settled(self) -> None:
        for _ in range(2):
            await self.github.deliver_all()
            await self.service.idle()

    async def count(self, event: Awaitable[object]) -> Counter[str]:
        """The bot's calls until it is idle again: `METHOD route` each, "304 " before those that changed nothing."""
        await self.settled()
        seen = len(self.github.world.requests)
        await event
        await self.settled()
        own = [r for r in self.github.world.requests[seen:] if r.actor in ("app", "installation") and r.route]
        return Counter(f"{'304 ' if r.status == 304 else ''}{r.route}" for r in own)

    async def push(self, tag: str, *, first: bool = False) -> None:
        alice = self.people["alice"]
        if first:
            await run(self.work, "checkout", "--quiet", "-B", "bump", "origin/main")
        text = (self.work / STAGING).read_text()
        old = next(line for line in text.splitlines() if "newTag" in line)
        await alice.commit(self.work, {STAGING: text.replace(old, f"    newTag: {tag}")}, f"web {tag}")
        await alice.push(self.work, REPOSITORY, "bump")

    async def play(self) -> dict[str, Counter[str]]:
        alice, carol = self.people["alice"], self.people["carol"]
        await self.push("1.4.3", first=True)
        found = {"cold: opened": await self.count(alice.open_pull(REPOSITORY, "bump", "web 1.4.3"))}
        found["warm: a remark"] = await self.count(alice.comment(REPOSITORY, 1, "please have a look"))
        found["warm: approved"] = await self.count(carol.review(REPOSITORY, 1))
        found["warm: pushed"] = await self.count(self.push("1.4.4"))
        await asyncio.sleep(1.1)  # GitHub's times are whole seconds: carol sees what was published
        found["warm: approved again"] = await self.count(carol.review(REPOSITORY, 1))
        await run(self.work, "checkout", "--quiet", "-B", "other", "bump")
        await alice.commit(self.work, {STAGING: (self.work / STAGING).read_text() + "# more\n"}, "more")
        await alice.push(self.work, REPOSITORY, "other")
        found["warm: another is opened"] = await self.count(alice.open_pull(REPOSITORY, "other", "more"))
        await alice.call("PATCH", f"/repos/{REPOSITORY}/pulls/2", {"state": "closed"})
        found["warm: /merge, and merged"] = await self.count(carol.comment(REPOSITORY, 1, "/merge"))
        return found


async def measured(root: Path) -> dict[str, Counter[str]]:
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(StandIn(root / "github"))
        for login in PERMISSIONS:
            github.add_user(login)
        github.add_organisation("org")
        github.add_team(TEAM, TEAM_MEMBERS)
        rule = Protection(CHECKS, dict.fromkeys(CHECKS, github.app.id))
        github.add_repository(REPOSITORY, SAMPLE, collaborators=PERMISSIONS, protection=rule, author="carol")
        github.install([REPOSITORY])
        service = Service(_settings(github, root / "bot"), host="127.0.0.1")
        port = await stack.enter_async_context(service.running())
        github.webhook_url = f"http://127.0.0.1:{port}/webhook"
        people = {}
        for login in PERMISSIONS:
            person = Person(login, github.token_of(login), github.api_url, github.url)
            people[login] = await stack.enter_async_context(person)
        await people["alice"].clone(REPOSITORY, root / "work")
        # The bot's first sweep is not the event's.
        while not any("installation" in r.path for r in github.world.requests):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return await Bench(github, service, people, root / "work").play()


def _settings(github: StandIn, state: Path) -> Settings:
    return Settings(
        app_id=str(github.app.id),
        private_key=github.app.private_key,
        webhook_secret=github.app.webhook_secret,
        api_url=github.api_url,
        github_url=github.url,
        database=state / "review-bot.sqlite",
        state_dir=state,
        public_url="",
        port=0,
    )


def table(found: dict[str, Counter[str]]) -> list[str]:
    """A line of Markdown for each event."""
    rows = ["| event | calls | of them writes | not modified |", "|---|---:|---:|---:|"]
    for event, calls in found.items():
        same = sum(count for call, count in calls.items() if call.startswith("304 "))
        writes = sum(count for call, count in calls.items() if not call.startswith(("304 ", "GET ")))
        rows.append(f"| {event} | {calls.total() - same} | {writes} | {same} |")
    return rows


def main() -> None:
    """Print the table, and with --each every call."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", action="store_true", help="name every call")
    each = parser.parse_args().each
    with tempfile.TemporaryDirectory(prefix="calls-") as root:
        found = asyncio.run(measured(Path(root)))
    print("\n".join(table(found)))
    for event, calls in found.items() if each else ():
        print(f"\n{event}")
        print("\n".join(f"  {count} {call}" for call, count in sorted(calls.items())))


if __name__ == "__main__":
    main()
