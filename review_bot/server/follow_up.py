"""What follows from a decision on an open pull request, once it is published: answers to commands, and more."""

from __future__ import annotations

from dataclasses import dataclass

from review_bot.core.errors import InputError
from review_bot.gate import settings
from review_bot.github.client import Installation
from review_bot.github.webhook import Wish, group_key, pull_key
from review_bot.server.answers import Answers
from review_bot.server.decided import Decided
from review_bot.server.merging import Merging
from review_bot.server.permitted import permitted
from review_bot.server.reviewers import Reviewers
from review_bot.server.store import Store


@dataclass(frozen=True)
class FollowUp:
    """One installation's; called at the end of each look at an open pull request."""

    api: Installation
    store: Store
    answers: Answers
    reviewers: Reviewers
    merging: Merging

    async def look(self, decided: Decided) -> None:
        """Raises GitHubError; the caller tries again later."""
        self._set_alarms(decided)
        self._doubt_groups(decided)
        await permitted(self.answers.answer(decided))
        await permitted(self.reviewers.ask(decided))
        await permitted(self.merging.look(decided))

    def _doubt_groups(self, decided: Decided) -> None:
        """A gate that turned back takes the merge group with it, which had passed on its word."""
        pull, notes = decided.pull, self.store.notes
        if decided.gate != "success":
            branches = notes.group_branches(pull.repository, passed=pull.number)
            self.store.want([Wish(group_key(pull.repository, branch), self.api.id) for branch in sorted(branches)])

    def _set_alarms(self, decided: Decided) -> None:
        """Look again when a freeze begins or ends, and from the start when a waiver does: that sends no event."""
        try:
            found = settings.read(decided.facts.tree)
        except InputError:
            return  # the gate says so; mending it is a push, which is an event
        key, now = pull_key(decided.pull.repository, decided.pull.number), decided.facts.now
        freeze, waiver = found.next_freeze(now), found.next_waiver_end(now)
        self.store.notes.wake(Wish(key, self.api.id), "freeze", freeze.timestamp() if freeze else None)
        self.store.notes.wake(Wish(key, self.api.id, fresh=True), "waiver", waiver.timestamp() if waiver else None)
