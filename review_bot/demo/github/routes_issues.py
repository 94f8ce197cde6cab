"""Issues, the comments on issues and pull requests, and reactions."""

from __future__ import annotations

from typing import Any

from review_bot.demo.github import pulls, render_pulls
from review_bot.demo.github.accounts import Account
from review_bot.demo.github.api import ApiError, Call, Reply, Routes, invalid, not_found, unprocessable
from review_bot.demo.github.routes_labels import label_named, names_of
from review_bot.demo.github.state import Comment, Issue, Pull, Reaction
from review_bot.demo.github.world import comment_in

Json = dict[str, Any]
routes = Routes()
BODY_CAP = 65536
_ISSUES = "/repos/{owner}/{repo}/issues"
_ONE = _ISSUES + "/{issue_number}"
_COMMENT = _ISSUES + "/comments/{comment_id}"
_LABELS = "/repos/{owner}/{repo}/labels"
READ = "issues:read|pull_requests:read"
WRITE = "issues:write|pull_requests:write"


def checked_body(call: Call, *, required: bool = True, noun: str = "body") -> str:
    """The text of a comment, within GitHub's limits."""
    body = call.text(noun, default="")
    if required and not body.strip():
        raise invalid("Body cannot be blank", "IssueComment", "body", "unprocessable")
    if len(body) > BODY_CAP:
        raise unprocessable(f"Body is too long (maximum is {BODY_CAP} characters)")
    return body


@routes.add("GET", _ISSUES, READ)
async def listing(call: Call) -> Reply:
    state = call.query.get("state", "open")
    names = {name.lower() for name in call.query.get("labels", "").split(",") if name}
    creator = call.query.get("creator", "").lower()
    found = [
        issue
        for issue in call.repo.issues.values()
        if state in ("all", issue.state)
        and names <= {label.name.lower() for label in issue.labels}
        and creator in ("", issue.user.login.lower())
    ]
    found.sort(key=lambda i: i.number, reverse=call.query.get("direction", "desc") == "desc")
    shown, links = call.page(found)
    return Reply(body=[render_pulls.issue(call.world, call.repo, i) for i in shown], headers=links)


@routes.add("POST", _ISSUES, "issues:write", content=True)
async def create(call: Call) -> Reply:
    repo, now = call.repo, call.world.now()
    title = call.text("title", required=True, resource="Issue")
    issue = Issue(call.world.next_id(), repo.next_number, title, call.optional("body"), call.who, now, now)
    issue.app = call.by_app
    if call.actor.kind == "installation" or call.world.allows(call.who, repo, "triage"):
        issue.labels = [label_named(call, repo, name) for name in names_of(call.items("labels"))]
        issue.assignees = _accounts(call, call.items("assignees"))
    repo.next_number += 1
    repo.issues[issue.number] = issue
    shown = render_pulls.issue(call.world, repo, issue)
    call.hub.emit("issues", "opened", {"issue": shown}, repo, call.who)
    return Reply(201, shown)


@routes.add("GET", _ONE, READ)
async def one(call: Call) -> Reply:
    return Reply(body=render_pulls.issue(call.world, call.repo, call.issue()))


@routes.add("PATCH", _ONE, WRITE)
async def change(call: Call) -> Reply:
    repo, issue = call.repo, call.issue()
    if call.actor.kind == "user" and issue.user is not call.who and not call.world.allows(call.who, repo, "triage"):
        raise ApiError(403, "Must have write access.")
    issue.title = call.text("title", default=issue.title)
    issue.body = call.optional("body") if "body" in call.body else issue.body
    if "labels" in call.body:
        issue.labels = [label_named(call, repo, name) for name in names_of(call.items("labels"))]
    if "assignees" in call.body:
        issue.assignees = _accounts(call, call.items("assignees"))
    state, now = call.text("state", default=issue.state), call.world.now()
    if state != issue.state and isinstance(issue, Pull):
        await pulls.set_state(call.hub, repo, issue, state, call.who)
    elif state != issue.state:
        closed = state == "closed"
        issue.state, issue.closed_at, issue.closed_by = state, now if closed else None, call.who if closed else None
        shown = {"issue": render_pulls.issue(call.world, repo, issue)}
        call.hub.emit("issues", "closed" if closed else "reopened", shown, repo, call.who)
    issue.updated_at = now
    return Reply(body=render_pulls.issue(call.world, repo, issue))


def _accounts(call: Call, logins: list[Any]) -> list[Account]:
    return [a for a in (call.world.account(str(login)) for login in logins) if a]


# Comments


@routes.add("GET", _ONE + "/comments", READ)
async def comments(call: Call) -> Reply:
    issue = call.issue()
    shown, links = call.page(_since(call, list(issue.comments.values())))
    return Reply(body=[render_pulls.comment(call.world, call.repo, issue, c) for c in shown], headers=links)


def _since(call: Call, found: list[Comment]) -> list[Comment]:
    since = call.query.get("since")
    return [c for c in found if not since or c.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ") >= since]


@routes.add("GET", _ISSUES + "/comments", READ)
async def all_comments(call: Call) -> Reply:
    pairs = [(i, c) for i in call.repo.issues.values() for c in _since(call, list(i.comments.values()))]
    pairs.sort(key=lambda pair: pair[1].id)
    shown, links = call.page(pairs)
    return Reply(body=[render_pulls.comment(call.world, call.repo, i, c) for i, c in shown], headers=links)


@routes.add("POST", _ONE + "/comments", WRITE, content=True)
async def comment(call: Call) -> Reply:
    issue, now = call.issue(), call.world.now()
    made = Comment(call.world.next_id(), call.who, checked_body(call), now, now, call.by_app)
    issue.comments[made.id] = made
    issue.updated_at = now
    call.hub.comment_event(call.repo, issue, made, "created", call.who)
    return Reply(201, render_pulls.comment(call.world, call.repo, issue, made))


def _found(call: Call) -> tuple[Issue, Comment]:
    found = comment_in(call.repo, call.number("comment_id"))
    if found is None:
        raise not_found()
    return found


def _own(call: Call, comment: Comment) -> None:
    if comment.user is call.who:
        return
    if call.actor.kind == "installation" or not call.world.allows(call.who, call.repo, "write"):
        raise ApiError(403, "Must have write access.")


@routes.add("GET", _COMMENT, READ)
async def get_comment(call: Call) -> Reply:
    return Reply(body=render_pulls.comment(call.world, call.repo, *_found(call)))


@routes.add("PATCH", _COMMENT, WRITE, content=True)
async def edit_comment(call: Call) -> Reply:
    issue, found = _found(call)
    _own(call, found)
    old, found.body, found.updated_at = found.body, checked_body(call), call.world.now()
    changes = {"body": {"from": old}}
    call.hub.comment_event(call.repo, issue, found, "edited", call.who, changes=changes)
    return Reply(body=render_pulls.comment(call.world, call.repo, issue, found))


@routes.add("DELETE", _COMMENT, WRITE)
async def delete_comment(call: Call) -> Reply:
    issue, found = _found(call)
    _own(call, found)
    del issue.comments[found.id]
    call.hub.comment_event(call.repo, issue, found, "deleted", call.who)
    return Reply(204)


# Reactions


@routes.add("GET", _COMMENT + "/reactions", READ)
async def reactions(call: Call) -> Reply:
    shown, links = call.page(_found(call)[1].reactions)
    return Reply(body=[render_pulls.reaction(call.world, r) for r in shown], headers=links)


@routes.add("POST", _COMMENT + "/reactions", WRITE, content=True)
async def react(call: Call) -> Reply:
    return _react(call, _found(call)[1].reactions)


@routes.add("POST", _ONE + "/reactions", WRITE, content=True)
async def react_to_issue(call: Call) -> Reply:
    return _react(call, call.issue().reactions)


def _react(call: Call, there: list[Reaction]) -> Reply:
    content = call.text("content", required=True, resource="Reaction")
    if content not in render_pulls.REACTIONS:
        raise invalid("content is not included in the list", "Reaction", "content", "invalid")
    for old in there:
        if old.user is call.who and old.content == content:
            return Reply(200, render_pulls.reaction(call.world, old))
    made = Reaction(call.world.next_id(), call.who, content, call.world.now())
    there.append(made)
    return Reply(201, render_pulls.reaction(call.world, made))


@routes.add("DELETE", _COMMENT + "/reactions/{reaction_id}", WRITE)
async def unreact(call: Call) -> Reply:
    _, found = _found(call)
    wanted = call.number("reaction_id")
    if not any(r.id == wanted and r.user is call.who for r in found.reactions):
        raise not_found()
    found.reactions = [r for r in found.reactions if r.id != wanted]
    return Reply(204)
