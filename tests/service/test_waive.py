"""`/waive`: a pull request that adds the waiver, through the same gate as any other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from test_commands import replies, said
from town import BOT, DEPLOYMENT, FILES, REPOSITORY, Town, played, until

from review_bot.demo.github.faults import Fault
from review_bot.demo.github.git import run

LATEST = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "latest")}
CONFIGURED = {**FILES, ".review-bot.yaml": "# ours\nversion: 1\nmerge: {method: squash}  # always\n"}
UNTIL = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()


async def opened(here: Town) -> list[dict[str, Any]]:
    rows = await here.alice.ask("GET", f"/repos/{REPOSITORY}/pulls?state=all")
    return [r for r in rows if r["user"]["login"] == BOT]


async def rule_of(here: Town, sha: str) -> str:
    """The rule that the head breaks."""
    run = await here.completed(sha, "review-bot", "failure")
    (mark,) = await here.alice.ask("GET", f"/repos/{REPOSITORY}/check-runs/{run['id']}/annotations")
    return str(mark["title"])


def test_a_waiver_is_opened_linked_approved_merged_and_holds(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("latest", LATEST)
        rule = await rule_of(here, sha)
        await here.completed(sha)
        for path in (r".*/pulls", r".*/config\.git/git-receive-pack"):
            here.github.fault(Fault(method="POST", path=path, after=True))
        body = f'/waive {rule} {UNTIL} vendor image, see "T-12" @erin'
        assert await said(here, here.dave, number, body) == ["+1"]
        (told,) = await replies(here, number)
        (made,) = await opened(here)
        assert f"[#{made['number']}]({made['html_url']})" in told
        assert f"#{number}" in made["body"] and "@erin" not in made["body"]
        # Who asked for it wrote it, so to speak.
        waiver = made["head"]["sha"]
        await here.completed(waiver)
        await here.dave.review(REPOSITORY, made["number"])
        assert (await here.completed(waiver))["conclusion"] == "action_required"
        await here.carol.review(REPOSITORY, made["number"])
        await here.completed(waiver, conclusion="success")
        assert await here.alice.merge(REPOSITORY, made["number"]) == ""
        await here.alice.fetch(here.work)
        text = (await run(here.work, "show", "origin/main:.review-bot.yaml")).decode()
        assert text.startswith(CONFIGURED[".review-bot.yaml"])
        await here.completed(sha, "review-bot", "success")

    played(tmp_path, story, CONFIGURED)


def test_a_mistake_and_a_stranger_are_told(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("latest", LATEST)
        rule = await rule_of(here, sha)
        await here.completed(sha)
        for person, body, why in (
            (here.dave, f"/waive nope {UNTIL} because we must", f"expected is one of {rule}"),
            (here.dave, f"/waive {rule} tomorrow because we must", "no date after the rule"),
            (here.mallory, f"/waive {rule} {UNTIL} because I want", "no write permission"),
        ):
            assert await said(here, person, number, body) == ["confused"]
            assert why in (await replies(here, number))[-1]
        assert await opened(here) == []

    played(tmp_path, story)


def test_a_missing_right_is_said(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("latest", LATEST)
        rule = await rule_of(here, sha)
        await here.completed(sha)
        await until(lambda: _commented(here, number), "the comment")
        (installation,) = here.github.world.installations.values()
        installation.permissions["contents"] = "read"
        assert await said(here, here.dave, number, f"/waive {rule} {UNTIL} because we must") == ["confused"]
        assert "does not let the bot open" in (await replies(here, number))[0]

    played(tmp_path, story)


async def _commented(here: Town, number: int) -> list[str] | None:
    return await here.sticky(number) or None
