"""No sequence of events gives a merge without a live approval of exactly the effect that is merged.

Events come from hypothesis, everything else is real: the bot, git, the stand-in. What was agreed to is kept by the test
in its own way, by reviewing the commits themselves, and never taken from what the bot says.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from town import DEPLOYMENT, FILES, REPOSITORY, Town, played

from review_bot.demo.github import pulls
from review_bot.demo.github.git import GitError, run
from review_bot.github.workspace import Repository
from review_bot.pipeline.review import Reviewer

MERGING = {**FILES, ".review-bot.yaml": "version: 1\nmerge: {auto: true, method: squash}\n"}
OWNERS = ("carol", "dave")
EVENTS = (
    "push 1.5.0",
    "push 1.6.0",
    "push latest",
    "push another file",
    "rebase",
    "base moves",
    "base deploys 1.5.0",
    "alice approves",
    "mallory approves",
    "carol approves",
    "carol /approve",
    "carol /approve in a quote",
    "carol requests changes",
    "carol cancels",
    "dave /hold",
    "dave /unhold",
    "alice /merge",
    "carol /merge",
    "close and reopen",
)
# Long enough that the bot has seen what happened, short enough that events still cross each other.
PAUSES = (0.0, 0.3, 1.5)


@dataclass
class Ledger:
    """Who agreed to which effect and has not taken it back; what stands against a merge."""

    agreed: dict[str, str] = field(default_factory=dict)
    objecting: set[str] = field(default_factory=set)
    held: bool = False

    def allows(self, effect: str) -> bool:
        """May this effect be merged?"""
        return not self.held and not self.objecting and effect in self.agreed.values()


@dataclass
class Walk:
    """One pull request and what happens to it."""

    here: Town
    number: int
    ledger: Ledger = field(default_factory=Ledger)

    async def effect(self, base: str, head: str) -> str:
        """What the bot's own review says of two commits, in a process of its own and with no memory of others."""
        await self.here.alice.fetch(self.here.work)
        reviewer = Reviewer(cache=self.here.root / "other-cache")
        review = await reviewer.review(Repository(self.here.work), base, head, branch="main")
        return review.verdict.effect_digest

    async def pull(self) -> dict[str, object]:
        return await self.here.alice.pull(REPOSITORY, self.number)

    async def agree(self, who: str) -> None:
        pull = await self.pull()
        if pull["state"] == "open" and who in OWNERS:
            head = str(pull["head"]["sha"])  # type: ignore[index]
            self.ledger.agreed[who] = await self.effect(await self.main(), head)
            self.ledger.objecting.discard(who)

    async def main(self) -> str:
        await self.here.alice.fetch(self.here.work)
        return (await run(self.here.work, "rev-parse", "origin/main")).decode().strip()

    async def happen(self, event: str) -> None:
        """Do it as a person would. What GitHub or git refuses has not happened."""
        with contextlib.suppress(GitError):
            await self._happen(event)

    async def _happen(self, event: str) -> None:
        here, number = self.here, self.number
        who, _, rest = event.partition(" ")
        if who == "push":
            text = DEPLOYMENT if rest == "another file" else DEPLOYMENT.replace("1.4.2", rest)
            await here.push("bump", {"note.md": "x\n"} if rest == "another file" else {"app/deploy.yaml": text})
        elif event == "rebase":
            await here.alice.fetch(here.work)
            await run(here.work, "checkout", "--quiet", "bump")
            try:
                await run(here.work, "rebase", "--quiet", "origin/main")
            except GitError:
                await run(here.work, "rebase", "--abort")
            await here.alice.push(here.work, REPOSITORY, "bump", force=True)
        elif who == "base":
            files = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")} if "1.5.0" in rest else {"x.md": "x\n"}
            await self._on_main(files)
        elif event == "close and reopen":
            for state in ("closed", "open"):
                await here.alice.call("PATCH", f"/repos/{REPOSITORY}/pulls/{number}", {"state": state})
        else:
            await self._said(who, rest)

    async def _on_main(self, files: dict[str, str]) -> None:
        """A commit on the base branch, by someone whom its protection does not bind."""
        here, github = self.here, self.here.github
        await here.alice.fetch(here.work)
        await run(here.work, "checkout", "--quiet", "-B", "elsewhere", "origin/main")
        sha = await here.dave.commit(here.work, files, "on main")
        await here.alice.push(here.work, REPOSITORY, "elsewhere", force=True)
        await run(here.work, "checkout", "--quiet", "bump")
        repository = github.repository(REPOSITORY)
        async with repository.lock:
            before = await repository.git.refs()
            await repository.git.run("update-ref", "refs/heads/main", sha)
            after = await repository.git.refs()
            await pulls.refs_moved(github.hub, repository, before, after, github.world.accounts["dave"])

    async def _said(self, who: str, what: str) -> None:
        here, number = self.here, self.number
        person = {"alice": here.alice, "carol": here.carol, "dave": here.dave, "mallory": here.mallory}[who]
        if what == "approves":
            status, _ = await person.review(REPOSITORY, number)
            if status < 300:
                await self.agree(who)
        elif what == "requests changes":
            status, _ = await person.review(REPOSITORY, number, "REQUEST_CHANGES", "please look again")
            if status < 300:
                self.ledger.agreed.pop(who, None)
                self.ledger.objecting.add(who)
        else:
            await self._commanded(who, what)

    async def _commanded(self, who: str, what: str) -> None:
        bodies = {"/approve in a quote": "> /approve", "cancels": "/approve cancel"}
        # What is taken back is taken back at once; what is given counts from when it was written.
        if what == "cancels":
            self.ledger.agreed.pop(who, None)
        if what == "/hold":
            self.ledger.held = True
        person = {"alice": self.here.alice, "carol": self.here.carol, "dave": self.here.dave}[who]
        await person.comment(REPOSITORY, self.number, bodies.get(what, what))
        if what == "/approve":
            await self.agree(who)
        if what == "/unhold":
            self.ledger.held = False

    async def check(self, before: Ledger) -> bool:
        """Is it merged? Then with somebody's word, as it stood when the merge was done or just before."""
        pull = await self.pull()
        if not pull["merged"]:
            return False
        await self.here.alice.fetch(self.here.work)
        sha = str(pull["merge_commit_sha"])
        effect = await self.effect(f"{sha}^", sha)
        assert before.allows(effect) or self.ledger.allows(effect), f"merged without a word on {effect}"
        return True


def walked(root: Path, events: Sequence[tuple[str, float]]) -> bool:
    """Let these things happen; was it merged in the end?"""
    ended: list[bool] = []

    async def story(here: Town) -> None:
        number, _ = await here.open("bump", {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")})
        walk = Walk(here, number)
        for event, pause in events:
            before = Ledger(dict(walk.ledger.agreed), set(walk.ledger.objecting), walk.ledger.held)
            await walk.happen(event)
            await asyncio.sleep(pause)
            if await walk.check(before):
                ended.append(True)
                return
        await asyncio.sleep(2)
        ended.append(await walk.check(walk.ledger))

    played(root, story, MERGING)
    return ended[-1]


happenings = st.tuples(st.sampled_from(EVENTS), st.sampled_from(PAUSES))


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=True)
@given(st.lists(happenings, min_size=6, max_size=12))
def test_nothing_merges_without_somebody_s_word_on_just_that(events: list[tuple[str, float]]) -> None:
    with tempfile.TemporaryDirectory(prefix="walk-") as root:
        walked(Path(root), events)


@pytest.mark.parametrize(
    ("events", "merges"),
    [
        (["carol approves"], True),
        (["carol approves", "rebase"], True),
        (["carol /approve in a quote", "mallory approves", "alice /merge"], False),
        (["dave /hold", "carol approves", "carol /merge"], False),
        (["push latest", "carol approves", "alice /merge"], False),
    ],
)
def test_walks_do_merge_where_they_should_and_nowhere_else(events: list[str], merges: bool, tmp_path: Path) -> None:
    assert walked(tmp_path, [(event, 1.5) for event in events] + [("alice /merge", 1.5)] * 2) is merges


def test_the_ledger_would_notice() -> None:
    ledger = Ledger(agreed={"carol": "sha256:one"})
    assert ledger.allows("sha256:one")
    assert not ledger.allows("sha256:two")
    assert not Ledger(agreed={"carol": "sha256:one"}, held=True).allows("sha256:one")
    assert not Ledger(agreed={"carol": "sha256:one"}, objecting={"dave"}).allows("sha256:one")
