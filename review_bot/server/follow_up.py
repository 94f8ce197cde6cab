"""What follows from a decision on an open pull request, once it is published: answers to commands, and more."""

from __future__ import annotations

from dataclasses import dataclass

from review_bot.server.answers import Answers
from review_bot.server.decided import Decided
from review_bot.server.merging import Merging
from review_bot.server.permitted import permitted


@dataclass(frozen=True)
class FollowUp:
    """One installation's; called at the end of each look at an open pull request."""

    answers: Answers
    merging: Merging

    async def look(self, decided: Decided) -> None:
        """Raises GitHubError; the caller tries again later."""
        await permitted(self.answers.answer(decided))
        await permitted(self.merging.look(decided))
