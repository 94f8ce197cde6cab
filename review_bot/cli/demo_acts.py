"""The demo's acts that take more than one pull request: a broken glass, a rebase, a merge queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from review_bot.demo.github.git import run as git
from review_bot.demo.github.state import Protection
from review_bot.demo.scenarios import QUEUED, REPOSITORY
from review_bot.github.check_runs import APPROVALS, VERDICT

if TYPE_CHECKING:
    from review_bot.cli.demo_outcome import Outcome
    from review_bot.cli.demo_story import Stage

REASON = "the shop is down, carol and dave are asleep"


async def play(stage: Stage, outage: Outcome, rebased: Outcome) -> Outcome:
    """Go on with the two that are open; the outcome of one that is queued behind the second."""
    await _break_the_glass(stage, outage)
    await _rebase(stage, rebased)
    names = (VERDICT, APPROVALS)
    rule = Protection(names, dict.fromkeys(names, stage.github.app.id), merge_queue=True)
    stage.github.protect(REPOSITORY, "main", rule)
    await stage.people["alice"].fetch(stage.work)
    behind = await stage.judged(*await stage.open(QUEUED))
    await stage.approve(behind)
    await stage.decided(behind)
    await _queue(stage, rebased, behind)
    return behind


async def _break_the_glass(stage: Stage, outcome: Outcome) -> None:
    await stage.people["erin"].comment(REPOSITORY, outcome.number, f"/override {REASON}")
    outcome.said = (f"@erin, who may, wrote /override {REASON}",)
    await stage.merge(outcome)


async def _rebase(stage: Stage, outcome: Outcome) -> None:
    author, before = stage.people[outcome.scenario.author], outcome.head
    await author.fetch(stage.work)
    await git(stage.work, "checkout", "--quiet", outcome.scenario.branch)
    name = ("-c", f"user.name={author.login}", "-c", f"user.email={author.login}@example.com")
    await git(stage.work, *name, "rebase", "--quiet", "origin/main")
    outcome.head = (await git(stage.work, "rev-parse", "HEAD")).decode().strip()
    await author.push(stage.work, REPOSITORY, outcome.scenario.branch, force=True)
    outcome.then = (f"main moved on, @{author.login} rebased {before[:7]} to {outcome.head[:7]}: the same effect",)
    await stage.decided(outcome)


async def _queue(stage: Stage, *outcomes: Outcome) -> None:
    """Groups stand on each other; the first is merged while the second is still to be decided on by GitHub."""
    groups = [await stage.github.enqueue(REPOSITORY, outcome.number, by="carol") for outcome in outcomes]
    gates = [await stage.run(group, APPROVALS, lambda run: True) for group in groups]
    for outcome, gate in zip(outcomes, gates, strict=True):
        outcome.then = (*outcome.then, "@carol put it into the merge queue; its group there:", gate["output"]["title"])
        outcome.merged = await stage.github.finish_queue(REPOSITORY, outcome.number, by="carol")
        if not outcome.merged:
            why = next((row for row in str(gate["output"]["summary"]).splitlines() if "✗" in row), "")
            outcome.refusal = f"dropped from the queue: {why.partition(': ')[2]}"
