"""Pull requests: list, open, read, change, merge."""

from __future__ import annotations

from typing import Any

from review_bot.demo.github import pulls, render, render_commits, render_pulls
from review_bot.demo.github.accounts import Account, Team
from review_bot.demo.github.api import ApiError, Call, Reply, Routes, invalid, not_found
from review_bot.demo.github.git import Commit
from review_bot.demo.github.protection import merge_box, protection_of
from review_bot.demo.github.state import Pull, Repository

Json = dict[str, Any]
routes = Routes()
FILES_CAP = 3000
COMMITS_CAP = 250
_P = "/repos/{owner}/{repo}/pulls"
_ONE = _P + "/{pull_number}"
READ, WRITE = "pull_requests:read", "pull_requests:write"


@routes.add("GET", _P, READ)
async def listing(call: Call) -> Reply:
    query = call.query
    state, base, head = query.get("state", "open"), query.get("base"), query.get("head")
    found = [
        p
        for p in call.repo.pulls.values()
        if state in ("all", p.state) and base in (None, "", p.base_ref) and _has_head(p, head)
    ]
    by_update = query.get("sort") in ("updated", "long-running")
    default = "asc" if query.get("sort") not in (None, "created") else "desc"
    found.sort(
        key=lambda p: (p.updated_at if by_update else p.created_at, p.number),
        reverse=query.get("direction", default) == "desc",
    )
    shown, links = call.page(found)
    return Reply(body=[render_pulls.pull(call.world, call.repo, p) for p in shown], headers=links)


def _has_head(pull: Pull, head: str | None) -> bool:
    # GitHub ignores a `head` without an owner.
    if not head or ":" not in head:
        return True
    owner = pull.head_repository.owner.login if pull.head_repository else ""
    return f"{owner}:{pull.head_ref}".lower() == head.lower()


@routes.add("POST", _P, WRITE, content=True)
async def create(call: Call) -> Reply:
    repo = call.repo
    owner, colon, branch = call.text("head", required=True, resource="PullRequest").partition(":")
    source = _fork_of(call, repo, owner) if colon else repo
    new = pulls.NewPull(
        title=call.text("title", required=True, resource="PullRequest"),
        body=call.optional("body"),
        base=call.text("base", required=True, resource="PullRequest"),
        head=branch if colon else owner,
        head_repository=source,
        draft=call.flag("draft"),
        maintainer_can_modify=call.flag("maintainer_can_modify", True) and source is not repo,
    )
    try:
        pull = await pulls.open_pull(call.hub, repo, new, call.who, call.by_app)
    except pulls.PullError as error:
        raise _refusal(error) from error
    return Reply(201, await call.hub.pull_json(repo, pull))


def _refusal(error: pulls.PullError) -> ApiError:
    text = str(error)
    if text in ("base", "head"):
        details = [{"resource": "PullRequest", "field": text, "code": "invalid"}]
        return ApiError(422, "Validation Failed", errors=details)
    return invalid(text, "PullRequest")


def _fork_of(call: Call, repo: Repository, owner: str) -> Repository:
    for candidate in call.world.repositories.values():
        if candidate.owner.login.lower() == owner.lower() and (candidate is repo or candidate.parent is repo):
            return candidate
    raise ApiError(422, "Validation Failed", errors=[{"resource": "PullRequest", "field": "head", "code": "invalid"}])


@routes.add("GET", _ONE, READ)
async def one(call: Call) -> Reply:
    shown = await call.hub.pull_json(call.repo, call.pull())
    if call.world.unsettled_reads > 0:
        call.world.unsettled_reads -= 1
        shown |= {"mergeable": None, "rebaseable": None, "mergeable_state": "unknown"}
    return Reply(body=shown)


@routes.add("PATCH", _ONE, WRITE)
async def change(call: Call) -> Reply:
    repo, pull = call.repo, call.pull()
    if call.who is not pull.user and call.actor.kind == "user" and not call.world.allows(call.who, repo, "triage"):
        raise ApiError(403, "Must have write access.")
    try:
        changes = await _edit(call, repo, pull)
        if changes:
            pull.updated_at = call.world.now()
            await call.hub.pull_event(repo, pull, "edited", call.who, changes=changes)
        if call.body.get("state") in ("open", "closed"):
            await pulls.set_state(call.hub, repo, pull, call.text("state"), call.who)
    except pulls.PullError as error:
        raise _refusal(error) from error
    return Reply(body=await call.hub.pull_json(repo, pull))


async def _edit(call: Call, repo: Repository, pull: Pull) -> Json:
    """Apply title, body and base; what was there before, as the event says it."""
    changes: Json = {}
    title, body, base = call.optional("title"), call.optional("body"), call.optional("base")
    if title is not None and title != pull.title:
        changes["title"], pull.title = {"from": pull.title}, title
    if body is not None and body != pull.body:
        changes["body"], pull.body = {"from": pull.body or ""}, body
    if base is not None and base != pull.base_ref:
        old_ref = pull.base_ref
        old_sha = await pulls.retarget(call.hub, repo, pull, base)
        changes["base"] = {"ref": {"from": old_ref}, "sha": {"from": old_sha}}
    return changes


@routes.add("GET", _ONE + "/files", READ)
async def files(call: Call) -> Reply:
    repo, pull = call.repo, call.pull()
    figures = await call.hub.settle(repo, pull)
    start = figures.merge_base if figures else None
    found = await repo.diffs.between(start, pull.head_sha) if start else []
    shown, links = call.page(found, cap=FILES_CAP)
    return Reply(body=[render_commits.file(call.world, repo, f, pull.head_sha) for f in shown], headers=links)


@routes.add("GET", _ONE + "/commits", READ)
async def commits(call: Call) -> Reply:
    """The oldest first, and no more than 250."""
    repo = call.repo
    shown, links = call.page(await commits_of(call, call.pull()), cap=COMMITS_CAP)
    return Reply(body=[render_commits.commit(call.world, repo, c) for c in shown], headers=links)


async def commits_of(call: Call, pull: Pull) -> list[Commit]:
    figures = await call.hub.settle(call.repo, pull)
    if figures is None or figures.merge_base is None:
        return []
    return list(reversed(await call.repo.git.log(pull.head_sha, f"^{pull.figures_of[0]}")))


@routes.add("GET", _ONE + "/merge", READ)
async def is_merged(call: Call) -> Reply:
    if not call.pull().merged:
        raise not_found()
    return Reply(204)


@routes.add("PUT", _ONE + "/merge", "contents:write", people="write")
async def merge(call: Call) -> Reply:
    repo, pull = call.repo, call.pull()
    method = call.text("merge_method", default="merge")
    if method not in ("merge", "squash", "rebase"):
        raise invalid("merge_method is not included in the list", "PullRequest", "merge_method", "invalid")
    if pull.state == "closed":
        raise ApiError(405, "Pull Request is not mergeable")
    sha = call.optional("sha")
    if sha is not None and sha != pull.head_sha:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    await call.hub.settle(repo, pull)
    _may_merge(call, repo, pull)
    try:
        title, message = call.optional("commit_title"), call.optional("commit_message")
        tip = await pulls.merge(call.hub, repo, pull, method, title, message, call.who)
    except pulls.PullError as error:
        raise ApiError(405, str(error)) from error
    return Reply(body={"sha": tip, "merged": True, "message": "Pull Request successfully merged"})


def _may_merge(call: Call, repo: Repository, pull: Pull) -> None:
    box = merge_box(call.world, repo, pull)
    rule = protection_of(repo, pull.base_ref)
    if pull.draft:
        raise ApiError(405, "Pull Request is still a draft")
    if box.state == "dirty":
        raise ApiError(405, "Pull Request is not mergeable")
    admin = call.actor.kind == "user" and call.world.allows(call.actor.account, repo, "admin")
    if rule is None or (admin and not rule.enforce_admins):
        return
    if rule.merge_queue:
        raise ApiError(405, "Changes must be made through the merge queue")
    if box.reasons:
        raise ApiError(405, " ".join(box.reasons))
    if box.state == "behind":
        raise ApiError(405, "The head branch is not up to date with the base branch.")


@routes.add("PUT", _ONE + "/update-branch", WRITE, people="write")
async def update_branch(call: Call) -> Reply:
    pull = call.pull()
    expected = call.optional("expected_head_sha")
    if expected is not None and expected != pull.head_sha:
        raise ApiError(422, "Validation Failed", errors=["expected head sha didn\u2019t match current head ref."])
    try:
        await pulls.update_branch(call.hub, call.repo, pull, call.who)
    except pulls.PullError as error:
        raise ApiError(422, str(error)) from error
    url = f"{call.world.url}/{call.repo.full_name}/pull/{pull.number}"
    return Reply(202, {"message": "Updating pull request branch.", "url": url})


@routes.add("GET", _ONE + "/requested_reviewers", READ)
async def requested(call: Call) -> Reply:
    pull, world = call.pull(), call.world
    teams = [render.team(world, t) for t in pull.reviewing_teams]
    return Reply(body={"users": [render.user(world, u) for u in pull.reviewers], "teams": teams})


@routes.add("POST", _ONE + "/requested_reviewers", WRITE, people="triage")
async def request_reviewers(call: Call) -> Reply:
    repo, pull = call.repo, call.pull()
    people, teams = _reviewers(call, repo)
    if pull.user in people:
        raise ApiError(422, "Review cannot be requested from pull request author.")
    for person in people:
        if person not in pull.reviewers:
            pull.reviewers.append(person)
            shown = render.user(call.world, person)
            await call.hub.pull_event(repo, pull, "review_requested", call.who, requested_reviewer=shown)
    for team in teams:
        if team not in pull.reviewing_teams:
            pull.reviewing_teams.append(team)
            named = render.team(call.world, team)
            await call.hub.pull_event(repo, pull, "review_requested", call.who, requested_team=named)
    return Reply(201, render_pulls.pull(call.world, repo, pull))


@routes.add("DELETE", _ONE + "/requested_reviewers", WRITE, people="triage")
async def unrequest_reviewers(call: Call) -> Reply:
    pull = call.pull()
    people, teams = _reviewers(call, call.repo)
    pull.reviewers = [p for p in pull.reviewers if p not in people]
    pull.reviewing_teams = [t for t in pull.reviewing_teams if t not in teams]
    return Reply(body=render_pulls.pull(call.world, call.repo, pull))


def _reviewers(call: Call, repo: Repository) -> tuple[list[Account], list[Team]]:
    people = [call.world.account(str(login)) for login in call.items("reviewers")]
    teams = [call.world.teams.get(f"{repo.owner.login}/{slug}".lower()) for slug in call.items("team_reviewers")]
    known = [p for p in people if p and call.world.allows(p, repo, "read")]
    if len(known) != len(people) or None in teams:
        noun = "team_reviewers" if None in teams else "reviewers"
        raise ApiError(
            422,
            "Reviews may only be requested from collaborators. "
            f"One or more of the {noun} you specified is not a collaborator of the {repo.full_name} repository.",
        )
    return known, [t for t in teams if t]
