"""Reviews are requested of the people whom the gate waits for.

Somebody whose request was taken away by hand, and who has not reviewed since they were asked, is not asked again.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass

from review_bot.core.errors import InputError
from review_bot.gate import reviewers, settings
from review_bot.gate.judging import State
from review_bot.github.client import Installation
from review_bot.github.errors import Refused
from review_bot.github.pulls import PullReader, repo_path
from review_bot.server.decided import Decided
from review_bot.server.store import Store

log = logging.getLogger("review_bot.reviewers")
ASKED = "asked:"


@dataclass(frozen=True)
class Reviewers:
    """Asks people on one installation's pull requests."""

    api: Installation
    store: Store

    async def ask(self, decided: Decided) -> None:
        """Request what is missing, if anything is. Raises GitHubError."""
        pull = decided.pull
        if decided.decision.state is not State.PENDING or not _wanted(decided):
            return
        requested = {name.lower() for name in pull.reviewers}
        looking = {r.user.lower() for r in decided.reviews if r.sha == pull.head_sha and r.state != "DISMISSED"}
        needs = reviewers.missing(decided.decision.rules, requested | looking)
        if not needs:
            return
        reviews = Counter(r.user.lower() for r in decided.reviews)
        chosen = reviewers.choose(
            needs, self._refused(decided, reviews) | requested, reviews, await self._load(decided)
        )
        await self._request(decided, chosen)
        marks = (f"{ASKED}{name}:{reviews[name]}" for name in chosen)
        self.store.notes.answer(pull.repository, pull.number, *marks)

    def _refused(self, decided: Decided, reviews: Counter[str]) -> set[str]:
        """Those who were asked and have not reviewed since; each request is kept with how many reviews came before."""
        known = self.store.notes.answered(decided.pull.repository, decided.pull.number)
        asked = [note.removeprefix(ASKED).rpartition(":") for note in known if note.startswith(ASKED)]
        return {name for name, _, count in asked if int(count) >= reviews[name]}

    async def _load(self, decided: Decided) -> Counter[str]:
        """How many reviews are requested of whom in this repository."""
        pulls = await PullReader(self.api, decided.pull.repository).open_pulls()
        return Counter(name.lower() for pull in pulls for name in pull.reviewers)

    async def _request(self, decided: Decided, names: tuple[str, ...]) -> None:
        path = f"{repo_path(decided.pull.repository)}/pulls/{decided.pull.number}/requested_reviewers"
        for name in names:
            try:
                await self.api.send("POST", path, {"reviewers": [name]})
            except Refused as error:
                # They may approve all the same; GitHub just does not let them be asked.
                log.warning("no review of %s can be requested: %s", name, error)


def _wanted(decided: Decided) -> bool:
    try:
        return settings.read(decided.facts.tree).request_reviewers
    except InputError:
        return False
