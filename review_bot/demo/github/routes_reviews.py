"""Reviews: written, submitted, edited, dismissed; and their comments on lines."""

from __future__ import annotations

from typing import Any

from review_bot.demo.github import line_comments, render_pulls
from review_bot.demo.github.api import ApiError, Call, Reply, Routes, not_found, unprocessable
from review_bot.demo.github.routes_issues import checked_body
from review_bot.demo.github.state import LineComment, Pull, Repository, Review
from review_bot.demo.github.world import line_comment_in

Json = dict[str, Any]
routes = Routes()
_ONE = "/repos/{owner}/{repo}/pulls/{pull_number}"
_REVIEW = _ONE + "/reviews/{review_id}"
_COMMENT = "/repos/{owner}/{repo}/pulls/comments/{comment_id}"
READ, WRITE = "pull_requests:read", "pull_requests:write"
_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def _json(call: Call, pull: Pull, review: Review) -> Json:
    return render_pulls.review(call.world, call.repo, pull, review)


def _review(call: Call, pull: Pull) -> Review:
    found = pull.reviews.get(call.number("review_id"))
    if found is None or (found.state == "PENDING" and found.user is not call.who):
        raise not_found()
    return found


@routes.add("GET", _ONE + "/reviews", READ)
async def listing(call: Call) -> Reply:
    pull = call.pull()
    seen = [r for r in pull.reviews.values() if r.state != "PENDING" or r.user is call.actor.account]
    shown, links = call.page(seen)
    return Reply(body=[_json(call, pull, r) for r in shown], headers=links)


@routes.add("POST", _ONE + "/reviews", WRITE, content=True)
async def create(call: Call) -> Reply:
    repo, pull = call.repo, call.pull()
    event, body = call.text("event"), checked_body(call, required=False, noun="body")
    _allowed(call, pull, event, body, call.items("comments"))
    commit = call.optional("commit_id") or pull.head_sha
    if await repo.git.resolve(commit) is None:
        raise unprocessable("commit_id is not part of the pull request")
    if any(r.state == "PENDING" and r.user is call.who for r in pull.reviews.values()):
        raise unprocessable("User can only have one pending review per pull request")
    review = Review(call.world.next_id(), call.who, body, "PENDING", commit, None)
    asked = [line_comments.read(raw) for raw in call.items("comments")]
    made = [await line_comments.make(call.hub, repo, pull, a, call.who, commit, review.id, pending=True) for a in asked]
    pull.reviews[review.id] = review
    pull.line_comments |= {comment.id: comment for comment in made}
    if event:
        await _submit(call, pull, review, event)
    return Reply(200, _json(call, pull, review))


def _allowed(call: Call, pull: Pull, event: str, body: str, comments: list[Any]) -> None:
    if event and event not in _STATES:
        raise unprocessable(f"Variable $event of type PullRequestReviewEvent was provided invalid value: {event}")
    if event == "APPROVE" and call.who is pull.user:
        raise unprocessable("Can not approve your own pull request")
    if event == "REQUEST_CHANGES" and call.who is pull.user:
        raise unprocessable("Can not request changes on your own pull request")
    if event == "REQUEST_CHANGES" and not body:
        raise unprocessable("body can't be blank")
    if event == "COMMENT" and not body and not comments:
        raise unprocessable("body can't be blank")


async def _submit(call: Call, pull: Pull, review: Review, event: str) -> None:
    review.state, review.submitted_at = _STATES[event], call.world.now()
    pull.updated_at = review.submitted_at
    pull.reviewers = [r for r in pull.reviewers if r is not review.user]
    # GitHub lists reviews in the order in which they were submitted.
    pull.reviews[review.id] = pull.reviews.pop(review.id)
    await call.hub.review_event(call.repo, pull, review, "submitted", call.who)
    for comment in pull.line_comments.values():
        if comment.review_id == review.id and comment.pending:
            comment.pending = False
            await call.hub.line_comment_event(call.repo, pull, comment, "created", call.who)


@routes.add("GET", _REVIEW, READ)
async def one(call: Call) -> Reply:
    pull = call.pull()
    return Reply(body=_json(call, pull, _review(call, pull)))


@routes.add("PUT", _REVIEW, WRITE, content=True)
async def edit(call: Call) -> Reply:
    pull = call.pull()
    review = _review(call, pull)
    _own(call, review)
    old, review.body = review.body, checked_body(call)
    if review.submitted_at and old != review.body:
        await call.hub.review_event(call.repo, pull, review, "edited", call.who, changes={"body": {"from": old}})
    return Reply(body=_json(call, pull, review))


@routes.add("DELETE", _REVIEW, WRITE)
async def delete(call: Call) -> Reply:
    pull = call.pull()
    review = _review(call, pull)
    if review.state != "PENDING":
        raise unprocessable("Can not delete a non-pending pull request review")
    shown = _json(call, pull, review)
    del pull.reviews[review.id]
    pull.line_comments = {n: c for n, c in pull.line_comments.items() if c.review_id != review.id}
    return Reply(body=shown)


@routes.add("POST", _REVIEW + "/events", WRITE, content=True)
async def submit(call: Call) -> Reply:
    pull = call.pull()
    review = _review(call, pull)
    event = call.text("event", required=True, resource="PullRequestReview")
    if review.state != "PENDING":
        raise unprocessable("Can not submit a review that is not pending")
    body = call.optional("body")
    review.body = review.body if body is None else body
    _allowed(call, pull, event, review.body, [c for c in pull.line_comments.values() if c.review_id == review.id])
    await _submit(call, pull, review, event)
    return Reply(body=_json(call, pull, review))


@routes.add("PUT", _REVIEW + "/dismissals", WRITE, people="write")
async def dismiss(call: Call) -> Reply:
    pull = call.pull()
    review = _review(call, pull)
    call.text("message", required=True, resource="PullRequestReview")
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        noun = {"COMMENTED": "commented", "DISMISSED": "dismissed"}.get(review.state, "pending")
        raise unprocessable(f"Can not dismiss a {noun} pull request review")
    review.state = "DISMISSED"
    await call.hub.review_event(call.repo, pull, review, "dismissed", call.who)
    return Reply(body=_json(call, pull, review))


def _own(call: Call, thing: Review | LineComment) -> None:
    if thing.user is not call.who and not (
        call.actor.kind == "user" and call.world.allows(call.who, call.repo, "write")
    ):
        raise ApiError(403, "Must have write access.")


def _comment_json(call: Call, repo: Repository, pull: Pull, comment: LineComment) -> Json:
    return render_pulls.line_comment(call.world, repo, pull, comment)


@routes.add("GET", _REVIEW + "/comments", READ)
async def review_comments(call: Call) -> Reply:
    pull = call.pull()
    review = _review(call, pull)
    shown, links = call.page([c for c in pull.line_comments.values() if c.review_id == review.id])
    return Reply(body=[_comment_json(call, call.repo, pull, c) for c in shown], headers=links)


@routes.add("GET", _ONE + "/comments", READ)
async def comments(call: Call) -> Reply:
    pull = call.pull()
    shown, links = call.page([c for c in pull.line_comments.values() if not c.pending])
    return Reply(body=[_comment_json(call, call.repo, pull, c) for c in shown], headers=links)


@routes.add("POST", _ONE + "/comments", WRITE, content=True)
async def comment(call: Call) -> Reply:
    repo, pull = call.repo, call.pull()
    checked_body(call)
    if call.whole("in_reply_to") is not None:
        return await _reply(call, call.whole("in_reply_to") or 0)
    commit = call.text("commit_id", required=True, resource="PullRequestReviewComment")
    if await repo.git.resolve(commit) != commit:
        raise unprocessable("commit_id is not part of the pull request")
    review = Review(call.world.next_id(), call.who, "", "COMMENTED", commit, call.world.now())
    made = await line_comments.make(
        call.hub, repo, pull, line_comments.read(call.body), call.who, commit, review.id, pending=False
    )
    pull.reviews[review.id] = review
    return await _created(call, pull, made)


@routes.add("POST", _ONE + "/comments/{comment_id}/replies", WRITE, content=True)
async def reply(call: Call) -> Reply:
    checked_body(call)
    return await _reply(call, call.number("comment_id"))


async def _reply(call: Call, to: int) -> Reply:
    pull = call.pull()
    first = pull.line_comments.get(to)
    if first is None:
        raise not_found()
    now = call.world.now()
    review = Review(call.world.next_id(), call.who, "", "COMMENTED", pull.head_sha, now)
    changed = {"id": call.world.next_id(), "review_id": review.id, "user": call.who, "body": call.text("body")}
    changed |= {"created_at": now, "updated_at": now, "reply_to": first.reply_to or first.id, "pending": False}
    pull.reviews[review.id] = review
    return await _created(call, pull, LineComment(**{**first.__dict__, **changed}))


async def _created(call: Call, pull: Pull, made: LineComment) -> Reply:
    pull.line_comments[made.id] = made
    await call.hub.review_event(call.repo, pull, pull.reviews[made.review_id], "submitted", call.who)
    await call.hub.line_comment_event(call.repo, pull, made, "created", call.who)
    return Reply(201, _comment_json(call, call.repo, pull, made))


def _found(call: Call) -> tuple[Pull, LineComment]:
    found = line_comment_in(call.repo, call.number("comment_id"))
    if found is None:
        raise not_found()
    return found


@routes.add("GET", _COMMENT, READ)
async def get_comment(call: Call) -> Reply:
    return Reply(body=_comment_json(call, call.repo, *_found(call)))


@routes.add("PATCH", _COMMENT, WRITE, content=True)
async def edit_comment(call: Call) -> Reply:
    pull, found = _found(call)
    _own(call, found)
    old, found.body, found.updated_at = found.body, checked_body(call), call.world.now()
    changes = {"body": {"from": old}}
    await call.hub.line_comment_event(call.repo, pull, found, "edited", call.who, changes=changes)
    return Reply(body=_comment_json(call, call.repo, pull, found))


@routes.add("DELETE", _COMMENT, WRITE)
async def delete_comment(call: Call) -> Reply:
    pull, found = _found(call)
    _own(call, found)
    del pull.line_comments[found.id]
    await call.hub.line_comment_event(call.repo, pull, found, "deleted", call.who)
    return Reply(204)
