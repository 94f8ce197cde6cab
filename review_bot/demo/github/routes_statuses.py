"""Commit statuses: the older kind of check, which people write too."""

from __future__ import annotations

from review_bot.demo.github import render, render_checks, render_commits
from review_bot.demo.github.api import ApiError, Call, Reply, Routes, invalid
from review_bot.demo.github.check_state import Status
from review_bot.demo.github.routes_checks import sha_of

routes = Routes()
_R = "/repos/{owner}/{repo}"


@routes.add("POST", _R + "/statuses/{sha}", "statuses:write", people="write", content=True)
async def set_status(call: Call) -> Reply:
    sha, state = call.params["sha"], call.text("state", required=True, resource="Status")
    if state not in ("error", "failure", "pending", "success"):
        raise invalid("state is not included in the list", "Status", "state", "invalid")
    if await call.repo.git.resolve(sha) != sha:
        raise ApiError(422, f"No commit found for SHA: {sha}")
    description = call.optional("description")
    if len(description or "") > 140:
        raise invalid("description is too long (maximum is 140 characters)", "Status", "description")
    context, target = call.text("context", default="default"), call.optional("target_url")
    made = Status(call.world.next_id(), sha, state, context, description, target, call.who, call.world.now())
    call.repo.statuses.append(made)
    shown = render_checks.status(call.world, call.repo, made)
    await _event(call, made)
    return Reply(201, {**shown, "creator": render.user(call.world, call.who)})


@routes.add("GET", _R + "/commits/{ref}/status", "statuses:read")
async def combined(call: Call) -> Reply:
    sha = await sha_of(call)
    states = list({s.context: s for s in call.repo.statuses if s.sha == sha}.values())
    bad = any(s.state in ("error", "failure") for s in states)
    waiting = not states or any(s.state == "pending" for s in states)
    shown, links = call.page(states)
    api = f"{call.world.api_url}/repos/{call.repo.full_name}"
    body = {
        "state": "failure" if bad else "pending" if waiting else "success",
        "statuses": [render_checks.status(call.world, call.repo, s) for s in shown],
        "sha": sha,
        "total_count": len(states),
        "repository": render.repository(call.world, call.repo),
        "commit_url": f"{api}/commits/{sha}",
        "url": f"{api}/commits/{sha}/status",
    }
    return Reply(body=body, headers=links)


@routes.add("GET", _R + "/commits/{ref}/statuses", "statuses:read")
async def statuses(call: Call) -> Reply:
    sha = await sha_of(call)
    shown, links = call.page([s for s in reversed(call.repo.statuses) if s.sha == sha])
    found = [
        {**render_checks.status(call.world, call.repo, s), "creator": render.user(call.world, s.creator)} for s in shown
    ]
    return Reply(body=found, headers=links)


async def _event(call: Call, made: Status) -> None:
    repo, world = call.repo, call.world
    shown = render_checks.status(world, repo, made)
    names = ("id", "context", "description", "state", "target_url", "created_at", "updated_at", "avatar_url")
    commit = render_commits.commit(world, repo, await repo.git.commit(made.sha))
    payload = {name: shown[name] for name in names} | {"sha": made.sha, "name": repo.full_name, "branches": []}
    call.hub.emit("status", None, {**payload, "commit": commit}, repo, call.who)
