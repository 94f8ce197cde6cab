"""Reviews are requested of those whom the gate waits for: the least busy, and never against a person's hand."""

from __future__ import annotations

from pathlib import Path

from town import BOT, DEPLOYMENT, FILES, REPOSITORY, Town, played, until

BUMP = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")}
LATER = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.6.0")}
OFF = {**FILES, ".review-bot.yaml": "version: 1\napprovals: {request_reviewers: false}\n"}


async def asked(here: Town, number: int, *names: str) -> None:
    """Wait until exactly these people's reviews are requested."""

    async def found() -> bool | None:
        pull = await here.alice.pull(REPOSITORY, number)
        return {user["login"] for user in pull["requested_reviewers"]} == set(names) or None

    await until(found, f"requests of {names}")


async def settled(here: Town, number: int) -> None:
    """Wait until the bot has looked at the pull request once more."""
    comment = await here.dave.comment(REPOSITORY, number, "/review")
    path = f"/repos/{REPOSITORY}/issues/comments/{comment['id']}/reactions"

    async def seen() -> bool | None:
        return bool(await here.alice.ask("GET", path)) or None

    await until(seen, "a look")


def requests(here: Town) -> int:
    posts = [r for r in here.github.requests if r.method == "POST" and r.path.endswith("/requested_reviewers")]
    return sum(r.user == BOT for r in posts)


def test_one_is_asked_where_one_is_missing_and_the_next_one_for_the_next(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        one, _ = await here.open("one", BUMP)
        await asked(here, one, "carol")
        two, _ = await here.open("two", {"README.md": "x\n"})
        await asked(here, two, "dave")
        await settled(here, one)
        assert requests(here) == 2

    played(tmp_path, story)


def test_who_was_taken_off_by_hand_is_not_asked_again(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, _ = await here.open("bump", BUMP)
        await asked(here, number, "carol")
        path = f"/repos/{REPOSITORY}/pulls/{number}/requested_reviewers"
        await here.alice.ask("DELETE", path, {"reviewers": ["carol"]})
        await settled(here, number)
        await asked(here, number, "dave")
        await here.alice.ask("DELETE", path, {"reviewers": ["dave"]})
        await settled(here, number)
        later = await here.push("bump", LATER)
        await here.completed(later)
        await settled(here, number)
        await asked(here, number)

    played(tmp_path, story)


def test_who_approved_an_earlier_effect_is_asked_for_the_new_one(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        await here.dave.review(REPOSITORY, number)
        await here.completed(sha, conclusion="success")
        await here.alice.ask(
            "DELETE", f"/repos/{REPOSITORY}/pulls/{number}/requested_reviewers", {"reviewers": ["carol"]}
        )
        later = await here.push("bump", LATER)
        await here.completed(later, conclusion="action_required")
        await asked(here, number, "dave")

    played(tmp_path, story)


def test_a_repository_can_do_without(tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha)
        await settled(here, number)
        await asked(here, number)

    played(tmp_path, story, OFF)
