"""Freezes begin and end by the clock: nobody sends an event then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from town import DEPLOYMENT, FILES, REPOSITORY, Town, played

BUMP = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")}
ASSIGN = 'targets: {assign: [{match: "**", environment: production}]}\n'


def frozen(start: datetime, end: datetime, environment: str = "production") -> dict[str, str]:
    """The town's files with a freeze, written in the wall clock of another zone."""
    zone = ZoneInfo("Pacific/Auckland")
    first, last = (m.astimezone(zone).replace(tzinfo=None).isoformat() for m in (start, end))
    freeze = f"{{name: audit, from: {first}, until: {last}, environments: [{environment}], timezone: Pacific/Auckland}}"
    return {**FILES, ".review-bot.yaml": f"version: 1\n{ASSIGN}freezes: [{freeze}]\n"}


def test_a_gate_turns_back_when_a_freeze_begins_and_forth_when_it_ends(tmp_path: Path) -> None:
    begin = datetime.now(UTC) + timedelta(seconds=15)
    files = frozen(begin, begin + timedelta(seconds=6))

    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        await here.carol.review(REPOSITORY, number)
        await here.completed(sha, conclusion="success")
        blocked = await here.completed(sha, conclusion="action_required")
        assert "frozen until" in blocked["output"]["title"]
        assert "Pacific/Auckland" in blocked["output"]["title"]
        await here.completed(sha, conclusion="success")

    played(tmp_path, story, files)


def test_a_freeze_of_another_environment_freezes_nothing(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    files = frozen(now - timedelta(hours=1), now + timedelta(hours=1), "staging")

    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        await here.carol.review(REPOSITORY, number)
        await here.completed(sha, conclusion="success")

    played(tmp_path, story, files)
