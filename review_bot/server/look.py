"""One look at a pull request: whatever GitHub's state is now, bring what the bot says into line with it.

Doing it twice does no harm, and being stopped anywhere is mended by doing it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

from review_bot.core.configuration import CONFIG_PATH
from review_bot.core.errors import ReviewBotError
from review_bot.gate import explain
from review_bot.gate.decision import Decision, decide
from review_bot.gate.facts import Facts, parse
from review_bot.gate.judging import State
from review_bot.github.check_runs import APPROVALS, VERDICT, CheckRuns, Report, Run
from review_bot.github.client import Installation
from review_bot.github.conversation import Conversation
from review_bot.github.errors import GitHubError, Missing, RateLimited
from review_bot.github.mirror import Fetched, FetchError, Mirrors
from review_bot.github.people import People
from review_bot.github.pulls import PullComment, PullReader, PullRequest, PullReview
from review_bot.github.webhook import Wish, pull_key
from review_bot.pipeline.review import Reviewer
from review_bot.server import auditing, document, since
from review_bot.server.decided import Decided
from review_bot.server.document import Document
from review_bot.server.facts import FactsReader
from review_bot.server.permitted import permitted
from review_bot.server.store import Store, StoredReview, Twin
from review_bot.server.twins import with_gates, with_verdicts

CONCLUSIONS = {State.APPROVED: "success", State.ERROR: "failure"}


class Unsaid(GitHubError):
    """Verdict and gate are published; comment or review are not. Nothing about the pull request is in doubt."""


@dataclass(frozen=True)
class Identity:
    """The App's id and the login that its comments bear."""

    app_id: int
    login: str


class Looker:
    """Looks at pull requests of one installation."""

    def __init__(
        self,
        api: Installation,
        identity: Identity,
        store: Store,
        mirrors: Mirrors,
        reviewer: Reviewer,
        after_merge: Callable[[PullRequest], Awaitable[None]] | None = None,
        follow_up: Callable[[Decided], Awaitable[None]] | None = None,
    ) -> None:
        self._after_merge, self._follow_up = after_merge, follow_up
        self._api, self._identity, self._store = api, identity, store
        self._mirrors, self._reviewer = mirrors, reviewer
        self._people = People(api)
        self._alone: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()

    def reader(self, repository: str) -> PullReader:
        return PullReader(self._api, repository)

    def people_changed(self) -> None:
        """What is known of people's rights and teams holds no more."""
        self._people.forget()

    async def look(self, repository: str, number: int, *, fresh: bool = False) -> None:
        """Raises GitHubError, FetchError or ReviewBotError; the caller tries again later."""
        # A merge group looks at its members too, and nothing may be written twice.
        lock = self._alone.setdefault((repository, number), asyncio.Lock())
        async with lock:
            await self._look(repository, number, fresh=fresh)

    async def _look(self, repository: str, number: int, *, fresh: bool) -> None:
        runs = CheckRuns(self._api, repository, self._identity.app_id)
        try:
            pull = await self.reader(repository).pull(number)
        except Missing:
            self._store.forget(repository, number)
            return
        await self._finish_others(runs, pull)
        if not pull.open:
            await self._finish(runs, pull.repository, number, pull.head_sha)
            twins = self._store.twins(repository, number, pull.head_sha)
            self._store.forget(repository, number)
            self._look_at(repository, twins)
            if pull.merged and self._after_merge is not None:
                await self._after_merge(pull)
            return
        present = await runs.on(pull.head_sha)
        fetched = await self._fetch(pull)
        known = None if fresh else self._known(pull, fetched)
        reviewed = known or await self._review(runs, pull, fetched, present)
        await self._publish(runs, pull, fetched, reviewed, present)
        self._store.looked(repository, number, pull.updated_at)

    async def failed(self, repository: str, number: int, reason: str) -> None:
        """Say on the pull request that the bot could not review it, or look at it again; nothing merges meanwhile."""
        pull = await self.reader(repository).pull(number)
        if not pull.open:
            return
        runs = CheckRuns(self._api, repository, self._identity.app_id)
        present = await runs.on(pull.head_sha)
        summary = f"{reason}\n\nThe bot tries again by itself. To ask for it now, press Re-run."
        self._store.head_begun(repository, number, pull.head_sha)
        stored = self._store.review(repository, number)
        # A verdict that stands is left to stand: then it is the gate that can't be trusted any more.
        name = APPROVALS if stored is not None and stored.head == pull.head_sha else VERDICT
        report = Report("failure", "The bot could not do its work", summary)
        await asyncio.to_thread(self._store.audit.record, auditing.failed(pull, name, reason))
        await runs.complete(pull.head_sha, name, report, present.get(name))

    def _known(self, pull: PullRequest, fetched: Fetched) -> Document | None:
        stored = self._store.review(pull.repository, pull.number)
        if stored is None or (stored.head, stored.tip) != (fetched.head, fetched.tip):
            return None
        return Document.load(stored.document)

    async def _fetch(self, pull: PullRequest) -> Fetched:
        token = await self._api.git_token(pull.repository)
        return await self._mirrors.fetch(pull.repository, pull.number, pull.base_ref, pull.head_sha, token)

    async def _review(self, runs: CheckRuns, pull: PullRequest, fetched: Fetched, present: dict[str, Run]) -> Document:
        self._store.head_begun(pull.repository, pull.number, pull.head_sha)
        before = self._store.review(pull.repository, pull.number)
        first = before is None or before.head != fetched.head
        # Runs that stand on a head before its first review speak of another pull request and must not let this in.
        for name in (VERDICT, APPROVALS):
            done = name in present and present[name].completed
            if (first and done) or (name == VERDICT and name not in present):
                present[name] = await runs.start(pull.head_sha, name, "Rendering what this pull request touches.")
        git, branch = fetched.repository, pull.base_ref
        review = await self._reviewer.review(git, fetched.tip, fetched.head, branch=branch)
        shown = await asyncio.to_thread(fetched.repository.shown, review.verdict.merge_base, fetched.head)
        reviewed = document.of(review, shown)
        if before is not None and not first:
            # A base that moved and changes nothing here must not cost a write to each open pull request.
            old = Document.load(before.document)
            reviewed = old if old is not None and old.substance == reviewed.substance else reviewed
        stored = StoredReview(fetched.head, fetched.tip, reviewed.dump(), "")
        self._store.keep_review(pull.repository, pull.number, stored)
        return reviewed

    async def _publish(
        self, runs: CheckRuns, pull: PullRequest, fetched: Fetched, reviewed: Document, present: dict[str, Run]
    ) -> None:
        """The verdict first, since people wait for it; then the gate; then the conversation."""
        reader = self.reader(pull.repository)
        twins = self._store.twins(pull.repository, pull.number, pull.head_sha)
        shared = with_verdicts(reviewed.full_report(), twins)
        verdict = await permitted(runs.complete(pull.head_sha, VERDICT, shared, present.get(VERDICT)))
        # From here on people can see this effect, so that from here on they can agree to it.
        self._store.published(pull.repository, pull.number, pull.head_sha, reviewed.digest)
        self._store.notes.keep_effect(pull.repository, pull.number, reviewed.digest, since.dump(reviewed.shown))
        reviews, comments = await asyncio.gather(reader.reviews(pull.number), reader.comments(pull.number))
        facts, decision = await self._decide(pull, fetched, reviewed, shared.conclusion, reviews, comments)
        past = since.since(facts, self._store.notes.effects(pull.repository, pull.number), reviewed.shown)
        summary = f"{explain.summary(decision)}\n{past.line}".rstrip()
        conclusion = CONCLUSIONS.get(decision.state, "action_required")
        report = Report(conclusion, explain.title(decision), summary, past.text)
        changed = self._store.gate_said(pull.repository, pull.number, report.conclusion)
        gate = with_gates(report, twins)
        await permitted(runs.complete(pull.head_sha, APPROVALS, gate, present.get(APPROVALS)))
        if changed:
            self._look_at(pull.repository, twins)
        self._store.head_finished(pull.repository, pull.number, pull.head_sha)
        try:
            await self._converse(pull, reviewed, decision, verdict, reviews, comments)
            if self._follow_up is not None:
                states = shared.conclusion, gate.conclusion
                await self._follow_up(
                    Decided(pull, fetched, reviewed, facts, decision, *states, reviews=reviews, comments=comments)
                )
        except RateLimited:
            raise
        except GitHubError as error:
            raise Unsaid(str(error)) from error

    async def _decide(
        self,
        pull: PullRequest,
        fetched: Fetched,
        reviewed: Document,
        verdict: str,
        reviews: Sequence[PullReview],
        comments: Sequence[PullComment],
    ) -> tuple[Facts, Decision]:
        """The decision, which stands in the audit log before it stands anywhere else."""
        gathered = await FactsReader(self.reader(pull.repository), self._people).gather(
            pull, fetched, reviewed, self._store.effects(pull.repository, pull.number), reviews, comments
        )
        facts = await asyncio.to_thread(parse, gathered)
        decision = await asyncio.to_thread(decide, facts)
        base = fetched.repository.tree(fetched.tip)
        policies = await asyncio.to_thread(lambda: auditing.policies_of(base, base.read(CONFIG_PATH)))
        entry = auditing.decided(pull, reviewed.digest, verdict, policies, gathered, decision)
        await asyncio.to_thread(self._store.audit.record, entry)
        return facts, decision

    async def _converse(
        self,
        pull: PullRequest,
        reviewed: Document,
        decision: Decision,
        run: Run | None,
        reviews: Sequence[PullReview],
        comments: Sequence[PullComment],
    ) -> None:
        conversation = Conversation(self._api, pull.repository, self._identity.login)
        where = f" · [all findings]({run.url})" if run is not None and run.url else ""
        parts = [reviewed.comment, f"**Approvals:** {explain.line(decision)}", f"{reviewed.footer}{where}"]
        await permitted(conversation.comment(pull.number, "\n\n".join(parts), comments))
        await permitted(conversation.review(pull.number, pull.head_sha, reviewed.places_text, reviewed.places, reviews))

    def _look_at(self, repository: str, twins: Sequence[Twin]) -> None:
        self._store.want([Wish(pull_key(repository, twin.number), self._api.id) for twin in twins])

    async def _finish_others(self, runs: CheckRuns, pull: PullRequest) -> None:
        for sha in self._store.unfinished_heads(pull.repository, pull.number):
            if sha != pull.head_sha:
                await self._finish(runs, pull.repository, pull.number, sha)

    async def _finish(self, runs: CheckRuns, repository: str, number: int, sha: str) -> None:
        await permitted(runs.finish_old(sha))
        self._store.head_finished(repository, number, sha)


def reason_of(error: Exception) -> str:
    """Words for the pull request about why it could not be reviewed."""
    if isinstance(error, FetchError):
        return f"The repository could not be fetched: {error}."
    if isinstance(error, ReviewBotError | GitHubError):
        return f"{error}"
    return f"The bot itself failed ({type(error).__name__}); its operator finds the details in the log."
