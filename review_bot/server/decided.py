"""What one look at an open pull request came to, for what follows from it: answers, reviewers, a merge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from review_bot.gate.decision import Decision
from review_bot.gate.facts import Facts
from review_bot.github.mirror import Fetched
from review_bot.github.pulls import PullComment, PullRequest, PullReview
from review_bot.server.document import Document


@dataclass(frozen=True)
class Decided:
    """`verdict` and `gate` are the conclusions that were published, twins of the head included."""

    pull: PullRequest
    fetched: Fetched
    document: Document
    facts: Facts
    decision: Decision
    verdict: str
    gate: str
    reviews: Sequence[PullReview]
    comments: Sequence[PullComment]
