"""What can happen on a walk (`walks`): `<who> <what>`; `main` and `lax` are branches that somebody pushes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from town import FILES, REPOSITORY, Town, played
from walks import CONFIG, TOWN, Walk

from review_bot.demo.github.git import GitError, run
from review_bot.demo.people import Person


async def _approves(walk: Walk, who: str) -> None:
    walk.keep(who, "yes", await walk.say(who, "APPROVE"))


async def _objects(walk: Walk, who: str) -> None:
    walk.keep(who, "no", await walk.say(who, "REQUEST_CHANGES", "please look again\n\n/approve"))


async def _writes_approve(walk: Walk, who: str) -> None:
    walk.keep(who, "yes", await walk.write(who, "/approve"))


async def _cancels(walk: Walk, who: str) -> None:
    walk.keep(who, "back", await walk.write(who, "/approve cancel"))


async def _quotes(walk: Walk, who: str) -> None:
    await walk.write(who, "> /approve\n\nplease do not /approve this, nor use the override\n\n```\n/lgtm\n```")


async def _dismissed(walk: Walk, who: str) -> None:
    """The newest word of a review is dismissed by dave."""
    words = [w for w in walk.now.words if w.who == who and w.source.startswith("review")]
    if words:
        path = f"/repos/{REPOSITORY}/pulls/{walk.number}/reviews/{words[-1].source.split()[1]}/dismissals"
        status, _ = await walk.here.dave.call("PUT", path, {"message": "out of date"})
        changed = [replace(w, what="back") if w is words[-1] and status < 300 else w for w in walk.now.words]
        walk.now = replace(walk.now, words=tuple(changed))


async def _edited(walk: Walk, who: str) -> None:
    """Somebody's newest comment that approves is edited, if it was not written within this second."""
    words = [w for w in walk.now.words if w.who == who and w.what == "yes" and w.source.startswith("comment")]
    if words:
        path = f"/repos/{REPOSITORY}/issues/comments/{words[-1].source.split()[1]}"
        await walk.person(who).call("PATCH", path, {"body": "I am not sure any more"})
        walk.now = walk.now.unsaid(words[-1].source)


async def _holds(walk: Walk, who: str) -> None:
    await walk.write(who, "/hold until Monday")
    walk.now = replace(walk.now, held=walk.now.held or who != "mallory")


async def _unholds(walk: Walk, who: str) -> None:
    await walk.write(who, "/unhold")
    walk.now = replace(walk.now, held=False)


async def _asks_to_merge(walk: Walk, who: str) -> None:
    await walk.write(who, "/merge")


async def _cancels_the_merge(walk: Walk, who: str) -> None:
    await walk.write(who, "/merge cancel")


async def _merges_by_hand(walk: Walk, who: str) -> None:
    """The button. GitHub asks the checks alone, so the bot must have said what it thinks."""
    if not await walk.settle():
        await walk.person(who).merge(REPOSITORY, walk.number)


async def _rebases(walk: Walk, who: str) -> None:
    await walk.checkout()
    work = walk.here.work
    try:
        name = ("-c", f"user.name={who}", "-c", f"user.email={who}@example.com")
        await run(work, *name, "rebase", "--quiet", f"origin/{walk.base}")
    except GitError:
        await run(work, "rebase", "--abort")
        return
    await walk.here.alice.push(work, REPOSITORY, "bump", force=True)


async def _updates(walk: Walk, who: str) -> None:
    await walk.person(who).call("PUT", f"/repos/{REPOSITORY}/pulls/{walk.number}/update-branch", {})


async def _writes_a_note(walk: Walk, who: str) -> None:
    await walk.change(who, {"note.md": f"{len(walk.known)}\n"})


async def _asks_for_two(walk: Walk, who: str) -> None:
    await walk.change(who, {".review-bot.yaml": CONFIG.replace("count: 1", "count: 2")})
    walk.main = replace(walk.main, owners_needed=2)
    if walk.base == "main":
        walk.now = replace(walk.now, owners_needed=2)


async def _forbids(walk: Walk, who: str) -> None:
    await walk.change(who, {"policies/main.rego": FILES["policies/main.rego"].replace('":latest"', '":1.5.0"')})


async def _retargets(walk: Walk, base: str) -> None:
    path = f"/repos/{REPOSITORY}/pulls/{walk.number}"
    status, _ = await walk.here.alice.call("PATCH", path, {"base": base})
    if status < 300:
        walk.base = base
        lax = {"owners": frozenset({"dave"}), "owners_needed": 1, "team_needed": 0}
        main = {"owners": walk.main.owners, "owners_needed": walk.main.owners_needed, "team_needed": 1}
        walk.now = replace(walk.now, **(main if base == "main" else lax))  # type: ignore[arg-type]


async def _leaves(walk: Walk, who: str) -> None:
    walk.here.github.change_team("org/security", remove=[who])
    walk.now = replace(walk.now, team=walk.now.team - {who})


async def _joins(walk: Walk, who: str) -> None:
    walk.here.github.change_team("org/security", add=[who])
    walk.now = replace(walk.now, team=walk.now.team | {who})


async def _drafts(walk: Walk, who: str) -> None:
    await walk.here.github.draft(REPOSITORY, walk.number)
    walk.now = replace(walk.now, draft=True)


async def _readies(walk: Walk, who: str) -> None:
    await walk.here.github.ready(REPOSITORY, walk.number)
    walk.now = replace(walk.now, draft=False)


async def _closes(walk: Walk, who: str) -> None:
    await walk.here.alice.call("PATCH", f"/repos/{REPOSITORY}/pulls/{walk.number}", {"state": "closed"})


async def _reopens(walk: Walk, who: str) -> None:
    await walk.here.alice.call("PATCH", f"/repos/{REPOSITORY}/pulls/{walk.number}", {"state": "open"})


async def _queues(walk: Walk, who: str) -> None:
    if walk.queue:
        await walk.here.github.enqueue(REPOSITORY, walk.number)


async def _leaves_the_queue(walk: Walk, who: str) -> None:
    """GitHub's part: the group's checks are done, and it is merged or dropped."""
    if walk.queue and not await walk.settle():
        await walk.here.github.finish_queue(REPOSITORY, walk.number)


EVENTS = {
    "approves": _approves,
    "requests changes": _objects,
    "writes /approve": _writes_approve,
    "writes /approve cancel": _cancels,
    "quotes /approve": _quotes,
    "is dismissed": _dismissed,
    "edits the comment": _edited,
    "writes /hold": _holds,
    "writes /unhold": _unholds,
    "writes /merge": _asks_to_merge,
    "writes /merge cancel": _cancels_the_merge,
    "merges by hand": _merges_by_hand,
    "rebases": _rebases,
    "updates the branch": _updates,
    "writes a note": _writes_a_note,
    "asks for two owners": _asks_for_two,
    "forbids 1.5.0": _forbids,
    "is the base": _retargets,
    "leaves the team": _leaves,
    "joins the team": _joins,
    "makes it a draft": _drafts,
    "makes it ready": _readies,
    "closes it": _closes,
    "opens it again": _reopens,
    "queues it": _queues,
    "takes it from the queue": _leaves_the_queue,
}


def walked(root: Path, events: Sequence[tuple[str, bool]], *, queue: bool = False) -> bool:
    """Let these things happen, each followed by a rest or not; was it merged, as it may only be with a live word?"""
    ended: list[bool] = []

    async def story(here: Town) -> None:
        github = here.github
        async with Person("erin", github.token_of("erin"), github.api_url, github.url) as erin:
            walk = Walk(here, erin, EVENTS, queue)
            await walk.begin()
            for event, rest in events:
                await walk.happen(event)
                if rest and await walk.settle():
                    break
            ended.append(await walk.settle())

    played(root, story, TOWN)
    return ended[-1]
