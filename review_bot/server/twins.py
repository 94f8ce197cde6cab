"""Pull requests with one head share its check runs, since GitHub keeps those by commit: the worst of them is shown.

Otherwise a pull request into a branch with laxer rules could turn the runs of a stricter one green.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from review_bot.github.check_runs import Report
from review_bot.server.document import Document
from review_bot.server.store import Twin

PASSING = ("success", "neutral")


def with_verdicts(report: Report, twins: Sequence[Twin]) -> Report:
    """The verdict's report, failing if a twin's verdict fails or is not known."""
    worse = []
    for twin in twins:
        document = Document.load(twin.document)
        if document is None or document.report.conclusion not in PASSING:
            worse.append(twin.number)
    return _marked(report, worse, "failure", "has problems")


def with_gates(report: Report, twins: Sequence[Twin]) -> Report:
    """The gate's report, waiting if a twin's gate does."""
    worse = [twin.number for twin in twins if twin.gate != "success"]
    return _marked(report, worse, "action_required", "is not approved")


def _marked(report: Report, worse: Sequence[int], conclusion: str, what: str) -> Report:
    if not worse or report.conclusion not in PASSING:
        return report
    numbers = ", ".join(f"#{number}" for number in worse)
    note = f"This commit is also the head of {numbers}, which {what}. Checks belong to a commit, so both must be fine."
    return replace(
        report,
        conclusion=conclusion,
        title=f"Shared with {numbers}, which {what}",
        summary=f"{note} Push another commit to one of them to part them.\n\n{report.summary}",
    )
