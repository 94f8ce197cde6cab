"""Walks: things that happen to one pull request in some order, and a ledger of who agreed to what.

The ledger knows nothing of the bot: effects are those of the commits themselves, reviewed apart, and who agreed, who
objects and what the base branch asks for is kept as it happens. Only git and the stand-in are believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from town import DEPLOYMENT, FILES, REPOSITORY, Town, played

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
WRITERS = ("alice", "carol", "dave", "erin")
DEPLOYS = "deploys "


@dataclass(frozen=True)
class Word:
    """What somebody said: `yes` to these effects, `no` (a request for changes), or `back` (it is taken back)."""

    who: str
    what: str
    effects: frozenset[str] = frozenset()
    # The comment or review that says so; "" where none does.
    source: str = ""


@dataclass(frozen=True)
class Ledger:
    """How things stand at one moment."""

    words: tuple[Word, ...] = ()
    team: frozenset[str] = frozenset({"erin", "dave"})
    owners: frozenset[str] = frozenset({"carol", "dave"})
    owners_needed: int = 1
    team_needed: int = 1
    held: bool = False
    draft: bool = False

    def said(self, word: Word) -> Ledger:
        return replace(self, words=(*self.words, word))

    def unsaid(self, source: str) -> Ledger:
        return replace(self, words=tuple(w for w in self.words if w.source != source))

    def against(self, effect: str, contributors: frozenset[str]) -> str:
        """Why this effect must not be merged, "" if it may."""
        yes, objecting = set(), set()
        for word in self.words:
            if word.what == "no":
                objecting.add(word.who)
            elif word.source.startswith("review"):
                objecting.discard(word.who)
            yes.discard(word.who)
            if word.what == "yes" and effect in word.effects:
                yes.add(word.who)
        yes -= contributors
        hindrances = {
            "it is on hold": self.held,
            "it is a draft": self.draft,
            "changes are requested": bool((objecting - contributors) & (self.owners | self.team)),
            "nobody knows who wrote some of it": not contributors <= set(WRITERS),
            "owners are missing": len(yes & self.owners) < self.owners_needed,
            "the team is missing": len(yes & self.team) < self.team_needed,
        }
        return ", ".join(why for why, true in hindrances.items() if true)


@dataclass
class Walk:
    """One pull request of alice's (branch `bump`). `moments`: how things stood since the bot was last idle."""

    here: Town
    erin: Person
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
        reasons = [moment.against(effect, wrote) for moment in self.moments]
        assert conclusion != "failure", f"merged as {sha[:7]} with a failing verdict"
        assert "" in reasons, f"merged as {sha[:7]}, though {reasons[-1]}"
        return True

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
        try:
            await _EVENTS[what](self, who) if what in _EVENTS else await self.deploys(who, what.removeprefix(DEPLOYS))
        except (GitError, PullError):
            await run(self.here.work, "rebase", "--quit")
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


async def _approves(walk: Walk, who: str) -> None:
    walk.keep(who, "yes", await walk.say(who, "APPROVE"))


async def _objects(walk: Walk, who: str) -> None:
    walk.keep(who, "no", await walk.say(who, "REQUEST_CHANGES", "please look again\n\n/approve"))


async def _writes_approve(walk: Walk, who: str) -> None:
    walk.keep(who, "yes", await walk.write(who, "/approve"))


async def _cancels(walk: Walk, who: str) -> None:
    walk.keep(who, "back", await walk.write(who, "/approve cancel"))


async def _quotes(walk: Walk, who: str) -> None:
    await walk.write(who, "> /approve\n\nplease do not /approve this, nor use the override\n\n```\n/lgtm\n```")


async def _dismissed(walk: Walk, who: str) -> None:
    """The newest word of a review is dismissed by dave."""
    words = [w for w in walk.now.words if w.who == who and w.source.startswith("review")]
    if words:
        path = f"/repos/{REPOSITORY}/pulls/{walk.number}/reviews/{words[-1].source.split()[1]}/dismissals"
        status, _ = await walk.here.dave.call("PUT", path, {"message": "out of date"})
        changed = [replace(w, what="back") if w is words[-1] and status < 300 else w for w in walk.now.words]
        walk.now = replace(walk.now, words=tuple(changed))


async def _edited(walk: Walk, who: str) -> None:
    """Somebody's newest comment that approves is edited, if it was not written within this second."""
    words = [w for w in walk.now.words if w.who == who and w.what == "yes" and w.source.startswith("comment")]
    if words:
        path = f"/repos/{REPOSITORY}/issues/comments/{words[-1].source.split()[1]}"
        await walk.person(who).call("PATCH", path, {"body": "I am not sure any more"})
        walk.now = walk.now.unsaid(words[-1].source)


async def _holds(walk: Walk, who: str) -> None:
    await walk.write(who, "/hold until Monday")
    walk.now = replace(walk.now, held=walk.now.held or who != "mallory")


async def _unholds(walk: Walk, who: str) -> None:
    await walk.write(who, "/unhold")
    walk.now = replace(walk.now, held=False)


async def _asks_to_merge(walk: Walk, who: str) -> None:
    await walk.write(who, "/merge")


async def _cancels_the_merge(walk: Walk, who: str) -> None:
    await walk.write(who, "/merge cancel")


async def _merges_by_hand(walk: Walk, who: str) -> None:
    """The button. GitHub asks the checks alone, so the bot must have said what it thinks."""
    if not await walk.settle():
        await walk.person(who).merge(REPOSITORY, walk.number)


async def _rebases(walk: Walk, who: str) -> None:
    await walk.checkout()
    await run(
        walk.here.work,
        "-c",
        f"user.name={who}",
        "-c",
        f"user.email={who}@example.com",
        "rebase",
        "--quiet",
        f"origin/{walk.base}",
    )
    await walk.here.alice.push(walk.here.work, REPOSITORY, "bump", force=True)


async def _updates(walk: Walk, who: str) -> None:
    await walk.person(who).call("PUT", f"/repos/{REPOSITORY}/pulls/{walk.number}/update-branch", {})


async def _writes_a_note(walk: Walk, who: str) -> None:
    await walk.change(who, {"note.md": f"{len(walk.known)}\n"})


async def _asks_for_two(walk: Walk, who: str) -> None:
    await walk.change(who, {".review-bot.yaml": CONFIG.replace("count: 1", "count: 2")})
    walk.main = replace(walk.main, owners_needed=2)
    if walk.base == "main":
        walk.now = replace(walk.now, owners_needed=2)


async def _forbids(walk: Walk, who: str) -> None:
    await walk.change(who, {"policies/main.rego": FILES["policies/main.rego"].replace('":latest"', '":1.5.0"')})


async def _retargets(walk: Walk, base: str) -> None:
    path = f"/repos/{REPOSITORY}/pulls/{walk.number}"
    status, _ = await walk.here.alice.call("PATCH", path, {"base": base})
    if status < 300:
        walk.base = base
        lax = {"owners": frozenset({"dave"}), "owners_needed": 1, "team_needed": 0}
        main = {"owners": walk.main.owners, "owners_needed": walk.main.owners_needed, "team_needed": 1}
        walk.now = replace(walk.now, **(main if base == "main" else lax))  # type: ignore[arg-type]


async def _leaves(walk: Walk, who: str) -> None:
    walk.here.github.change_team("org/security", remove=[who])
    walk.now = replace(walk.now, team=walk.now.team - {who})


async def _joins(walk: Walk, who: str) -> None:
    walk.here.github.change_team("org/security", add=[who])
    walk.now = replace(walk.now, team=walk.now.team | {who})


async def _drafts(walk: Walk, who: str) -> None:
    await walk.here.github.draft(REPOSITORY, walk.number)
    walk.now = replace(walk.now, draft=True)


async def _readies(walk: Walk, who: str) -> None:
    await walk.here.github.ready(REPOSITORY, walk.number)
    walk.now = replace(walk.now, draft=False)


async def _closes(walk: Walk, who: str) -> None:
    await walk.here.alice.call("PATCH", f"/repos/{REPOSITORY}/pulls/{walk.number}", {"state": "closed"})


async def _reopens(walk: Walk, who: str) -> None:
    await walk.here.alice.call("PATCH", f"/repos/{REPOSITORY}/pulls/{walk.number}", {"state": "open"})


async def _queues(walk: Walk, who: str) -> None:
    if walk.queue:
        await walk.here.github.enqueue(REPOSITORY, walk.number)


async def _leaves_the_queue(walk: Walk, who: str) -> None:
    """GitHub's part: the group's checks are done, and it is merged or dropped."""
    if walk.queue and not await walk.settle():
        await walk.here.github.finish_queue(REPOSITORY, walk.number)


_EVENTS = {
    "approves": _approves,
    "requests changes": _objects,
    "writes /approve": _writes_approve,
    "writes /approve cancel": _cancels,
    "quotes /approve": _quotes,
    "is dismissed": _dismissed,
    "edits the comment": _edited,
    "writes /hold": _holds,
    "writes /unhold": _unholds,
    "writes /merge": _asks_to_merge,
    "writes /merge cancel": _cancels_the_merge,
    "merges by hand": _merges_by_hand,
    "rebases": _rebases,
    "updates the branch": _updates,
    "writes a note": _writes_a_note,
    "asks for two owners": _asks_for_two,
    "forbids 1.5.0": _forbids,
    "is the base": _retargets,
    "leaves the team": _leaves,
    "joins the team": _joins,
    "makes it a draft": _drafts,
    "makes it ready": _readies,
    "closes it": _closes,
    "opens it again": _reopens,
    "queues it": _queues,
    "takes it from the queue": _leaves_the_queue,
}


def walked(root: Path, events: Sequence[tuple[str, bool]], *, queue: bool = False) -> bool:
    """Let these things happen, each followed by a rest or not; was it merged, as it may only be with a live word?"""
    ended: list[bool] = []

    async def story(here: Town) -> None:
        github = here.github
        async with Person("erin", github.token_of("erin"), github.api_url, github.url) as erin:
            walk = Walk(here, erin, queue)
            await walk.begin()
            for event, rest in events:
                await walk.happen(event)
                if rest and await walk.settle():
                    break
            ended.append(await walk.settle())

    played(root, story, TOWN)
    return ended[-1]
