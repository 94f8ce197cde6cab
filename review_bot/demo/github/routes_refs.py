"""References: read, made, moved and deleted, with what follows from it."""

from __future__ import annotations

from typing import Any

from review_bot.demo.github import pulls, render_commits
from review_bot.demo.github.api import ApiError, Call, Reply, Routes, not_found
from review_bot.demo.github.git import GitError
from review_bot.demo.github.protection import protection_of

Json = dict[str, Any]
routes = Routes()


@routes.add("GET", "/repos/{owner}/{repo}/git/ref/{ref}", "contents:read")
async def git_ref(call: Call) -> Reply:
    sha = (await call.repo.git.refs(f"refs/{call.params['ref']}")).get(f"refs/{call.params['ref']}")
    if sha is None:
        raise not_found()
    return Reply(body=render_commits.reference(call.world, call.repo, f"refs/{call.params['ref']}", sha))


@routes.add("GET", "/repos/{owner}/{repo}/git/matching-refs/{ref}", "contents:read")
async def matching_refs(call: Call) -> Reply:
    wanted = f"refs/{call.params['ref']}"
    found = [(r, s) for r, s in (await call.repo.git.refs()).items() if r.startswith(wanted)]
    shown, links = call.page(found)
    return Reply(body=[render_commits.reference(call.world, call.repo, r, s) for r, s in shown], headers=links)


@routes.add("POST", "/repos/{owner}/{repo}/git/refs", "contents:write", people="write", content=True)
async def create_ref(call: Call) -> Reply:
    ref, sha = call.text("ref", required=True), call.text("sha", required=True)
    if not ref.startswith("refs/") or ref.count("/") < 2:
        raise ApiError(422, "Reference name must start with 'refs/' and have at least two slashes.")
    if await call.repo.git.resolve(sha) != sha:
        raise ApiError(422, "Object does not exist")
    before = await call.repo.git.refs()
    if ref in before:
        raise ApiError(422, "Reference already exists")
    await move(call, ref, before, sha)
    return Reply(201, render_commits.reference(call.world, call.repo, ref, sha))


@routes.add("PATCH", "/repos/{owner}/{repo}/git/refs/{ref}", "contents:write", people="write", content=True)
async def update_ref(call: Call) -> Reply:
    ref, sha = f"refs/{call.params['ref']}", call.text("sha", required=True)
    before = await call.repo.git.refs()
    if ref not in before:
        raise ApiError(422, "Reference does not exist")
    if await call.repo.git.resolve(sha) != sha:
        raise ApiError(422, "Object does not exist")
    if not call.flag("force") and await call.repo.git.merge_base(before[ref], sha) != before[ref]:
        raise ApiError(422, "Update is not a fast forward")
    await move(call, ref, before, sha)
    return Reply(body=render_commits.reference(call.world, call.repo, ref, sha))


@routes.add("DELETE", "/repos/{owner}/{repo}/git/refs/{ref}", "contents:write", people="write")
async def delete_ref(call: Call) -> Reply:
    ref = f"refs/{call.params['ref']}"
    before = await call.repo.git.refs()
    if ref not in before:
        raise ApiError(422, "Reference does not exist")
    await move(call, ref, before, None)
    return Reply(204)


async def move(call: Call, ref: str, before: dict[str, str], sha: str | None) -> None:
    name = ref.removeprefix("refs/heads/")
    rule = protection_of(call.repo, name) if ref.startswith("refs/heads/") else None
    if rule and ref in before and not call.world.allows(call.actor.account, call.repo, "admin"):
        raise ApiError(422, "Cannot update this protected ref.")
    if ref.startswith("refs/pull/"):
        raise ApiError(422, "refs/pull is read-only")
    try:
        await call.repo.git.update_ref(ref, sha)
    except GitError as error:
        raise ApiError(422, "Reference update failed") from error
    after = {k: v for k, v in {**before, ref: sha}.items() if v is not None}
    await pulls.refs_moved(call.hub, call.repo, before, after, call.who)
