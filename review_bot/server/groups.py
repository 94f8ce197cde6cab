"""A merge queue's group: what would be merged is reviewed by itself, with the approvals of its members, and can fail.

The verdict is that of the merged tree against the base branch. The gate passes only if every pull request in the row
(`github.queue`) is approved as it is now, the group holds exactly their changes, and what each of them does there is
the effect that was approved: merged together, two harmless changes can do a third thing that nobody has seen.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from review_bot.core.sanitise import code
from review_bot.github import queue
from review_bot.github.check_runs import APPROVALS, VERDICT, CheckRuns, Report
from review_bot.github.client import Installation
from review_bot.github.mirror import Fetched, Mirrors
from review_bot.github.queue import Group
from review_bot.pipeline.review import Reviewer
from review_bot.server import auditing, document
from review_bot.server.document import Document
from review_bot.server.permitted import permitted
from review_bot.server.store import Store

log = logging.getLogger("review_bot.groups")


@dataclass(frozen=True, slots=True)
class Member:
    """A pull request of the row; `why` says what stands against it, "" if nothing does."""

    number: int
    why: str = ""


@dataclass(frozen=True)
class Groups:
    """One installation's. `look` looks at a pull request, so that what the store knows of it is what GitHub does."""

    api: Installation
    app_id: int
    store: Store
    mirrors: Mirrors
    reviewer: Reviewer
    look_at: Callable[[str, int], Awaitable[None]]

    async def look(self, repository: str, branch: str) -> None:
        """Judge the group on the branch; complete the runs of one that is gone. Raises what `Looker.look` does."""
        known = await queue.groups(self.api, repository)
        group = next((g for g in known if g.branch == branch), None)
        runs = CheckRuns(self.api, repository, self.app_id)
        for head in self.store.notes.group_heads(repository, branch):
            if group is None or head != group.head:
                await permitted(runs.finish_old(head))
                self.store.notes.group_gone(repository, branch, head)
        if group is None:
            return
        if self.store.notes.numbers_at(repository, group.head):
            # Runs belong to a commit: a branch that is only named like a group must not speak for a pull request.
            log.warning("%s: %s is the head of a pull request, which is no merge group", repository, branch)
            return
        await self._judge(runs, repository, group, known)

    async def failed(self, repository: str, branch: str, reason: str) -> None:
        """Say on the group that it could not be reviewed: then it is not merged."""
        runs = CheckRuns(self.api, repository, self.app_id)
        for head in self.store.notes.group_heads(repository, branch):
            present = await runs.on(head)
            report = Report("failure", "The bot could not do its work", f"{reason}\n\nThe bot tries again by itself.")
            await runs.complete(head, VERDICT, report, present.get(VERDICT))

    async def _judge(self, runs: CheckRuns, repository: str, group: Group, known: list[Group]) -> None:
        # Written down first, so that a kill in between leaves no run in progress.
        self.store.notes.group_begun(repository, group.branch, group.head, group.number)
        present = await runs.on(group.head)
        for name in (VERDICT, APPROVALS):
            if name not in present:
                present[name] = await runs.start(group.head, name, "Reviewing what would be merged.")
        token = await self.api.git_token(repository)
        fetched = await self.mirrors.fetch(repository, group.number, group.base_ref, group.head, token)
        review = await self.reviewer.review(fetched.repository, fetched.tip, group.head)
        shown = await asyncio.to_thread(fetched.repository.shown, review.verdict.merge_base, group.head)
        reviewed = document.of(review, shown)
        await permitted(runs.complete(group.head, VERDICT, reviewed.full_report(), present.get(VERDICT)))
        members = await self._members(repository, group, known, fetched, reviewed)
        report = _report(members)
        passed = [m.number for m in members] if report.conclusion == "success" else []
        against = {member.number: member.why for member in members}
        entry = auditing.grouped(repository, group.number, group.head, report.conclusion, reviewed.digest, against)
        await asyncio.to_thread(self.store.audit.record, entry)
        self.store.notes.group_said(repository, group.branch, group.head, passed)
        await permitted(runs.complete(group.head, APPROVALS, report, present.get(APPROVALS)))

    async def _members(
        self, repository: str, group: Group, known: list[Group], fetched: Fetched, reviewed: Document
    ) -> list[Member]:
        """Every pull request that would be merged, the first first; none where that can't be told."""
        folder = fetched.repository.path
        row = await asyncio.to_thread(queue.chain, group, known, folder, fetched.tip)
        members = []
        for one in row:
            digest = reviewed.digest if len(row) == 1 else await self._digest(fetched, one)
            members.append(Member(one.number, await self._against(repository, one, folder, digest)))
        return members

    async def _digest(self, fetched: Fetched, group: Group) -> str:
        """What one member does where it stands in the row."""
        review = await self.reviewer.review(fetched.repository, group.base, group.head)
        return review.verdict.effect_digest

    async def _against(self, repository: str, group: Group, folder: Path, digest: str) -> str:
        """What stands against a member of the row (markdown), "" if nothing does."""
        await self.look_at(repository, group.number)
        stored = self.store.review(repository, group.number)
        if stored is None:
            return "is not an open pull request that was reviewed"
        if self.store.notes.gate(repository, group.number) != "success":
            return "its own gate has not approved it"
        if not await asyncio.to_thread(queue.is_merge_of, folder, group, stored.head):
            return f"the group does not hold what {code(stored.head[:7])}, its newest commit, would change"
        approved = Document.load(stored.document)
        if approved is None or approved.digest != digest:
            return (
                "what it does here is not the effect that was approved, since something else changed the same; "
                "update its branch, so that people see what it does now"
            )
        return ""


def _report(members: list[Member]) -> Report:
    if not members:
        why = "It stands on a commit that is neither on the base branch nor another group's: queue it again."
        return Report("failure", "It is not known what is in this group", why)
    rows = "\n".join(f"- ✗ #{m.number}: {m.why}" if m.why else f"- ✓ #{m.number} is approved" for m in members)
    wrong = [m for m in members if m.why]
    if not wrong:
        numbers = ", ".join(f"#{m.number}" for m in members)
        return Report("success", f"Approved: {numbers}, merged as approved", rows)
    numbers = ", ".join(f"#{m.number}" for m in wrong)
    return Report("failure", f"Not approved as it would be merged: {numbers}", rows)
