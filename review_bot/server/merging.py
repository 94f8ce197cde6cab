"""Merging, by `/merge` or because the repository says so: only what was decided on, and only while nothing is pending.

Nothing is kept that GitHub does not know: the request is a comment that holds for the head it was given on. So a push
ends it, and a kill anywhere is mended by the next look.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from review_bot.core.errors import InputError
from review_bot.core.sanitise import code, markdown
from review_bot.gate import merging, settings
from review_bot.gate.merging import Check, Standing
from review_bot.gate.settings import Settings
from review_bot.github.client import Installation
from review_bot.github.conversation import Conversation
from review_bot.github.errors import Forbidden, Missing, Refused
from review_bot.github.pulls import pull_of, repo_path
from review_bot.github.webhook import Wish, pull_key
from review_bot.server import auditing
from review_bot.server.decided import Decided
from review_bot.server.store import Store

log = logging.getLogger("review_bot.merging")
MARK = "<!-- review-bot:merge -->"
# How soon to ask again what GitHub is working out.
SOON_SECONDS = 5.0
MOST_SAID = 400


@dataclass(frozen=True)
class Merging:
    """Merges one installation's pull requests; `login` is the bot's."""

    api: Installation
    login: str
    store: Store

    async def look(self, decided: Decided) -> None:
        """Merge, or say what is waited for. Raises GitHubError."""
        wishes = _settings(decided)
        pull = decided.pull
        asked = merging.asked_by(decided.decision, pull.head_sha)
        # A broken glass is for a person to go through.
        auto = wishes.merge_auto and not decided.decision.overridden
        waiting = bool(asked or auto)
        self.store.notes.merge_waits(pull.repository, pull.number, pull.head_sha if waiting else None)
        if not waiting:
            await self._ended(decided)
            return
        reasons = merging.not_yet(decided.decision, decided.verdict, decided.gate)
        if not reasons:
            standing = await self._standing(decided)
            reasons = merging.hindrances(standing, pull.head_sha, pull.base_ref, decided.fetched.tip)
            self._ask_again(decided, standing)
        if reasons:
            await self._wait(decided, asked, reasons)
        else:
            await self._merge(decided, asked, wishes.merge_method)

    async def _standing(self, decided: Decided) -> Standing:
        """GitHub's view, the base branch's tip read last since it is what nobody else holds still."""
        pull, path = decided.pull, repo_path(decided.pull.repository)
        row, runs, statuses = await asyncio.gather(
            self.api.get(f"{path}/pulls/{pull.number}"),
            self.api.pages(f"{path}/commits/{pull.head_sha}/check-runs", key="check_runs", filter="latest"),
            self.api.pages(f"{path}/commits/{pull.head_sha}/status", key="statuses"),
        )
        now = pull_of(pull.repository, row)
        return Standing(
            open=now.open,
            draft=now.draft,
            head=now.head_sha,
            base_ref=now.base_ref,
            tip=await self._tip(path, now.base_ref),
            state=str(row.get("mergeable_state") or merging.UNKNOWN),
            checks=(*map(_run, runs), *map(_status, statuses)),
        )

    async def _tip(self, path: str, branch: str) -> str:
        try:
            row = await self.api.get(f"{path}/git/ref/heads/{quote(branch)}")
        except Missing:
            return ""
        return str(row["object"]["sha"])

    def _ask_again(self, decided: Decided, standing: Standing) -> None:
        unsettled = standing.open and standing.state == merging.UNKNOWN
        wish = Wish(pull_key(decided.pull.repository, decided.pull.number), self.api.id)
        self.store.notes.wake(wish, "merge", time.time() + SOON_SECONDS if unsettled else None)

    async def _merge(self, decided: Decided, asked: str | None, method: str) -> None:
        pull = decided.pull
        body = {"sha": pull.head_sha, "merge_method": method}
        try:
            done = await self.api.send("PUT", f"{repo_path(pull.repository)}/pulls/{pull.number}/merge", body)
        except (Refused, Forbidden) as error:
            await self._say(decided, _refused(error, asked, method))
            return
        log.info("%s#%s: merged as %s", pull.repository, pull.number, done["sha"])
        entry = auditing.merged(pull, decided.document.digest, asked, method, str(done["sha"]))
        await asyncio.to_thread(self.store.audit.record, entry)
        # Events of the bot's own start nothing: what follows from a merge is asked for here.
        self.store.notes.merge_waits(pull.repository, pull.number, None)
        after = (pull_key(pull.repository, pull.number), f"base:{pull.repository}:{pull.base_ref}")
        self.store.want([Wish(key, self.api.id) for key in after])
        by = f", as {code(asked)} asked" if asked else ""
        await self._say(decided, f"**Merge:** done{by} ({method}): {str(done['sha'])[:12]}.")

    async def _wait(self, decided: Decided, asked: str | None, reasons: tuple[str, ...]) -> None:
        """Automatic merges wait in silence: what they wait for, the checks say anyway."""
        if asked is not None:
            listed = "; ".join(markdown(reason[:MOST_SAID]) for reason in reasons)
            await self._say(
                decided,
                f"**Merge:** {code(asked)} asked for it; it is done as soon as nothing stands against it. Waiting for "
                f"{listed}. `/merge cancel` takes it back, and so does a push.",
            )

    async def _ended(self, decided: Decided) -> None:
        conversation = Conversation(self.api, decided.pull.repository, self.login)
        if conversation.said(decided.comments, MARK):
            await self._say(decided, "**Merge:** not asked for any more: it was taken back, or given for another head.")

    async def _say(self, decided: Decided, text: str) -> None:
        conversation = Conversation(self.api, decided.pull.repository, self.login)
        await conversation.comment(decided.pull.number, text, decided.comments, MARK)


def _settings(decided: Decided) -> Settings:
    try:
        return settings.read(decided.facts.tree)
    except InputError:
        return Settings()  # the gate is an error then, and nothing merges


def _refused(error: Refused | Forbidden, asked: str | None, method: str) -> str:
    """GitHub's no in words, with the next step."""
    said = markdown(str(error).partition(": ")[2][:MOST_SAID])
    if "merge queue" in str(error).lower():
        return (
            "**Merge:** this branch has a merge queue, which Apps can't join through the API that the bot uses. Press "
            "“Merge when ready” on this page: the bot reviews the queue's merge group, too."
        )
    if isinstance(error, Forbidden):
        return f"**Merge:** the App may not merge here ({said}): it needs write access to contents."
    if "not allowed" in str(error).lower():
        return f"**Merge:** GitHub refused ({said}). `merge.method` in `.review-bot.yaml` is {method}: set another one."
    again = "Write `/merge` again once that is settled." if asked else "It is tried again at the next change."
    return f"**Merge:** GitHub refused: {said}. {again}"


def _run(row: Mapping[str, Any]) -> Check:
    if row.get("status") != "completed":
        return Check(str(row["name"]), "pending")
    return Check(str(row["name"]), "passing" if row.get("conclusion") in merging.FINE else "failing")


def _status(row: Mapping[str, Any]) -> Check:
    states = {"success": "passing", "pending": "pending"}
    return Check(str(row["context"]), states.get(str(row.get("state")), "failing"))
