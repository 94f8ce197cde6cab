"""Walks: things that happen to one pull request in some order, and what its merge must answer to.

Nothing that the bot says is believed: effects are those of the commits themselves, reviewed apart, and who agreed, who
objects and what the base branch asks for is kept as it happens (`ledger`, `walk_events`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from ledger import WRITERS, Ledger, Word
from town import DEPLOYMENT, FILES, REPOSITORY, Town

from review_bot.demo.github import pulls
from review_bot.demo.github.git import GitError, run
from review_bot.demo.github.pulls import PullError
from review_bot.demo.github.state import Protection
from review_bot.demo.people import Person
from review_bot.github.workspace import Repository
from review_bot.pipeline.review import Reviewer

CHECKS = ("review-bot", "review-bot/approvals")
CONFIG = """\
version: 1
merge: {auto: true, method: squash}
approvals:
  rules:
    - {name: owners, require: {owners: true, count: 1}}
    - {name: security, require: {teams: [org/security]}}
"""
TOWN = {**FILES, ".review-bot.yaml": CONFIG}
# What a branch with laxer rules has: no policy, no team, one owner.
LAX = {"policies/main.rego": None, ".review-bot.yaml": None, "OWNERS": "approvers: [dave]\n", "lax.md": "x\n"}
DEPLOYS = "deploys "
Event = Callable[["Walk", str], Awaitable[None]]


@dataclass
class Walk:
    """One pull request of alice's (branch `bump`). `moments`: how things stood since the bot was last idle."""

    here: Town
    erin: Person
    events: Mapping[str, Event]
    queue: bool
    number: int = 0
    base: str = "main"
    now: Ledger = field(default_factory=Ledger)
    main: Ledger = field(default_factory=Ledger)
    shown: set[str] = field(default_factory=set)
    moments: list[Ledger] = field(default_factory=list)
    known: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    async def begin(self) -> None:
        for branch in ("main", "lax"):
            apps = dict.fromkeys(CHECKS, self.here.github.app.id)
            queue = self.queue and branch == "main"
            self.here.github.protect(REPOSITORY, branch, Protection(CHECKS, apps, merge_queue=queue))
        self.here.github.change_team("org/security", add=["dave"])
        await self.here.push("lax", LAX, start="origin/main")
        files = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")}
        self.number, _ = await self.here.open("bump", files)
        await self.settle()

    async def settle(self) -> bool:
        """Let the bot come to rest; was it merged? From here on only what is true now counts."""
        await self.here.settled()
        if await self.merged():
            return True
        self.shown = {await self.effect()}
        self.moments = [self.now]
        return False

    async def tip(self, branch: str) -> str:
        await self.here.alice.fetch(self.here.work)
        return (await run(self.here.work, "rev-parse", f"origin/{branch}")).decode().strip()

    async def effect(self) -> str:
        """The digest of what the pull request would do now."""
        return (await self.reviewed(await self.tip(self.base), await self.tip("bump")))[0]

    async def reviewed(self, base: str, head: str) -> tuple[str, str]:
        """Digest and conclusion of two commits, by a reviewer of the test's own."""
        if (base, head) not in self.known:
            reviewer = Reviewer(cache=self.here.root / "apart")
            review = await reviewer.review(Repository(self.here.work), base, head, branch=base)
            self.known[base, head] = review.verdict.effect_digest, str(review.verdict.conclusion)
        return self.known[base, head]

    async def merged(self) -> bool:
        """Is it? Then somebody who may must have agreed to just what was merged, and nothing stood against it."""
        pull = await self.here.alice.pull(REPOSITORY, self.number)
        if not pull["merged"]:
            return False
        await self.here.alice.fetch(self.here.work)
        sha = str(pull["merge_commit_sha"])
        before = (await run(self.here.work, "rev-parse", f"{sha}^1")).decode().strip()
        effect, conclusion = await self.reviewed(before, sha)
        wrote = await self.wrote(before, str(pull["head"]["sha"]))
        moments = self.moments
        if await self.same_tree(before, sha):
            # What changes no file has no owners: anyone who may write speaks for it.
            moments = [replace(moment, owners=frozenset(WRITERS)) for moment in moments]
        reasons = [moment.against(effect, wrote) for moment in moments]
        assert conclusion != "failure", f"merged as {sha[:7]} with a failing verdict"
        assert "" in reasons, f"merged as {sha[:7]}, though {reasons[-1]}"
        return True

    async def same_tree(self, *commits: str) -> bool:
        trees = await run(self.here.work, "rev-parse", *(f"{commit}^{{tree}}" for commit in commits))
        return len(set(trees.split())) == 1

    async def wrote(self, base: str, head: str) -> frozenset[str]:
        """Everyone in the commits between, by git's names; GitHub's own are nobody's."""
        text = await run(
            self.here.work, "log", "--format=%an%n%cn%n%(trailers:key=Co-authored-by,valueonly)", head, f"^{base}"
        )
        names = {name.partition("<")[0].strip().lower() for name in text.decode().splitlines()}
        return frozenset(names - {"", "github", "web-flow"}) | {"alice"}

    async def happen(self, event: str) -> None:
        """Do it as a person would. What GitHub or git refuses has not happened."""
        if event.startswith("main "):
            # Between the bot's look at the base and its merge there is a moment that GitHub can't guard.
            await self.settle()
        who, _, what = event.partition(" ")
        known = self.events.get(what)
        with contextlib.suppress(GitError, PullError):
            await (known(self, who) if known else self.deploys(who, what.removeprefix(DEPLOYS)))
        self.moments.append(self.now)
        if not await self._is_merged():
            self.shown.add(await self.effect())

    async def _is_merged(self) -> bool:
        return bool((await self.here.alice.pull(REPOSITORY, self.number))["merged"])

    def person(self, who: str) -> Person:
        here = self.here
        people = {"alice": here.alice, "carol": here.carol, "dave": here.dave, "mallory": here.mallory}
        return people.get(who, self.erin)

    async def deploys(self, who: str, version: str) -> None:
        """A version, by a commit on main or on the branch; the words after it stand as a comment in the file."""
        text = DEPLOYMENT.replace("1.4.2", version.split()[0])
        note = f"# {version}\n" if " " in version else ""
        await self.change(who, {"app/deploy.yaml": note + text})

    async def change(self, who: str, files: dict[str, str | None]) -> None:
        if who != "main":
            await self.checkout()
            await self.here.push("bump", files, by=self.person(who))
            return
        here, github = self.here, self.here.github
        await here.alice.fetch(here.work)
        await run(here.work, "checkout", "--quiet", "-B", "elsewhere", "origin/main")
        await here.push("elsewhere", files, by=here.dave)
        sha = await self.tip("elsewhere")
        repository = github.repository(REPOSITORY)
        async with repository.lock:
            refs = await repository.git.refs()
            await repository.git.update_ref("refs/heads/main", sha)
            after = {**refs, "refs/heads/main": sha}
            await pulls.refs_moved(github.hub, repository, refs, after, github.world.accounts["dave"])

    async def checkout(self) -> None:
        await self.here.alice.fetch(self.here.work)
        await run(self.here.work, "checkout", "--quiet", "--force", "-B", "bump", "origin/bump")

    async def say(self, who: str, event: str, body: str = "") -> str:
        """A review; its id, "" if GitHub refused it."""
        status, answer = await self.person(who).review(REPOSITORY, self.number, event, body)
        return f"review {answer['id']}" if status < 300 else ""

    async def write(self, who: str, body: str) -> str:
        answer = await self.person(who).comment(REPOSITORY, self.number, body)
        return f"comment {answer['id']}"

    def keep(self, who: str, what: str, source: str) -> None:
        if source:
            self.now = self.now.said(Word(who, what, frozenset(self.shown), source))
