"""What the bot still does once a pull request is merged."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from review_bot.github.client import Installation
from review_bot.github.errors import Forbidden
from review_bot.github.pulls import PullRequest
from review_bot.server.rollback import Rollback
from review_bot.server.rollouts import Rollouts

log = logging.getLogger("review_bot.after")


@dataclass(frozen=True)
class AfterMerge:
    """One installation's; called at each look at a merged pull request."""

    api: Installation
    rollback: Rollback
    rollouts: Rollouts | None = None

    async def look(self, pull: PullRequest) -> None:
        """Raises GitHubError, FetchError; the caller tries again later."""
        try:
            await self.rollback.answer(pull)
        except Forbidden as error:
            log.warning("no rollback of %s#%s, for want of a permission: %s", pull.repository, pull.number, error)
        if self.rollouts is not None:
            await self.rollouts.begin(self.api, pull)
