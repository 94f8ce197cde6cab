"""Issues, pull requests, reviews and comments as GitHub's JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from review_bot.demo.github import render
from review_bot.demo.github.render import node, time
from review_bot.demo.github.state import Comment, Issue, Label, LineComment, Pull, Reaction, Repository, Review
from review_bot.demo.github.world import World

Json = dict[str, Any]
REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


def label(world: World, repository: Repository, found: Label) -> Json:
    return {
        "id": found.id,
        "node_id": node("Label", found.id),
        "url": f"{world.api_url}/repos/{repository.full_name}/labels/{found.name}",
        "name": found.name,
        "description": found.description,
        "color": found.color,
        "default": False,
        "archived_at": None,
        "archived_by": None,
    }


def reactions(url: str, found: Sequence[Reaction]) -> Json:
    counts = {name: sum(1 for r in found if r.content == name) for name in REACTIONS}
    return {"url": f"{url}/reactions", "total_count": len(found), **counts}


def reaction(world: World, found: Reaction) -> Json:
    return {
        "id": found.id,
        "node_id": node("Reaction", found.id),
        "user": render.user(world, found.user),
        "content": found.content,
        "created_at": time(found.created_at),
    }


def _thread(world: World, repository: Repository, found: Issue) -> Json:
    """What issues and pull requests share."""
    return {
        "id": found.id,
        "number": found.number,
        "state": found.state,
        "locked": False,
        "active_lock_reason": None,
        "title": found.title,
        "body": found.body,
        "user": render.user(world, found.user),
        "labels": [label(world, repository, one) for one in found.labels],
        "milestone": None,
        "assignee": render.user(world, found.assignees[0]) if found.assignees else None,
        "assignees": [render.user(world, one) for one in found.assignees],
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "closed_at": time(found.closed_at),
        "author_association": world.association(found.user, repository),
    }


def issue(world: World, repository: Repository, found: Issue) -> Json:
    api = f"{world.api_url}/repos/{repository.full_name}"
    url = f"{api}/issues/{found.number}"
    kind = "pull" if isinstance(found, Pull) else "issues"
    shown = {
        **_thread(world, repository, found),
        "node_id": node("Issue", found.id),
        "url": url,
        "repository_url": api,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": f"{world.url}/{repository.full_name}/{kind}/{found.number}",
        "comments": len(found.comments),
        "state_reason": None,
        "closed_by": render.user(world, found.closed_by) if found.closed_by else None,
        "reactions": reactions(url, found.reactions),
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": render.app(world, world.app) if found.app else None,
    }
    if isinstance(found, Pull):
        html = f"{world.url}/{repository.full_name}/pull/{found.number}"
        addresses = {"html_url": html, "diff_url": f"{html}.diff", "patch_url": f"{html}.patch"}
        shown["pull_request"] = {"url": f"{api}/pulls/{found.number}", **addresses, "merged_at": time(found.merged_at)}
        shown["draft"] = found.draft
    return shown


def comment(world: World, repository: Repository, on: Issue, found: Comment) -> Json:
    api = f"{world.api_url}/repos/{repository.full_name}"
    kind = "pull" if isinstance(on, Pull) else "issues"
    url = f"{api}/issues/comments/{found.id}"
    return {
        "url": url,
        "html_url": f"{world.url}/{repository.full_name}/{kind}/{on.number}#issuecomment-{found.id}",
        "issue_url": f"{api}/issues/{on.number}",
        "id": found.id,
        "node_id": node("IssueComment", found.id),
        "user": render.user_or_null(world, found.user),
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "author_association": world.association(found.user, repository),
        "body": found.body,
        "reactions": reactions(url, found.reactions),
        "performed_via_github_app": render.app(world, world.app) if found.app else None,
    }


def pull(world: World, repository: Repository, found: Pull) -> Json:
    """A pull request as lists show it."""
    api = f"{world.api_url}/repos/{repository.full_name}"
    url = f"{api}/pulls/{found.number}"
    html = f"{world.url}/{repository.full_name}/pull/{found.number}"
    links = {
        "html": html,
        "issue": f"{api}/issues/{found.number}",
        "comments": f"{api}/issues/{found.number}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{api}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{api}/statuses/{found.head_sha}",
    }
    return {
        **_thread(world, repository, found),
        "node_id": node("PullRequest", found.id),
        "url": url,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        **{f"{name}_url": address for name, address in links.items()},
        "_links": {name: {"href": address} for name, address in {"self": url, **links}.items()},
        "head": _side(world, found.head_repository, found.head_ref, found.head_sha),
        "base": _side(world, repository, found.base_ref, found.base_sha),
        "draft": found.draft,
        "auto_merge": None,
        "merged_at": time(found.merged_at),
        "merge_commit_sha": found.merge_commit_sha,
        "requested_reviewers": [render.user(world, one) for one in found.reviewers],
        "requested_teams": [render.team(world, one) for one in found.reviewing_teams],
    }


def _side(world: World, repository: Repository | None, ref: str, sha: str) -> Json:
    owner = repository.owner if repository else None
    return {
        "label": f"{owner.login}:{ref}" if owner else f"unknown:{ref}",
        "ref": ref,
        "sha": sha,
        "user": render.user(world, owner) if owner else None,
        "repo": render.repository(world, repository) if repository else None,
    }


def full_pull(world: World, repository: Repository, found: Pull, mergeable_state: str) -> Json:
    """A pull request with what GitHub computes of it; `hub.settle` must have gone before."""
    figures = found.figures
    return {
        **pull(world, repository, found),
        "merged": found.merged,
        "mergeable": None if found.merged or figures is None else figures.mergeable,
        "rebaseable": None if found.merged or figures is None else figures.mergeable,
        "mergeable_state": "unknown" if found.merged else mergeable_state,
        "merged_by": render.user(world, found.merged_by) if found.merged_by else None,
        "comments": len(found.comments),
        "review_comments": len([c for c in found.line_comments.values() if not c.pending]),
        "maintainer_can_modify": found.maintainer_can_modify,
        "commits": figures.commits if figures else 0,
        "additions": figures.additions if figures else 0,
        "deletions": figures.deletions if figures else 0,
        "changed_files": figures.files if figures else 0,
    }


def review(world: World, repository: Repository, on: Pull, found: Review) -> Json:
    html = f"{world.url}/{repository.full_name}/pull/{on.number}#pullrequestreview-{found.id}"
    url = f"{world.api_url}/repos/{repository.full_name}/pulls/{on.number}"
    shown = {
        "id": found.id,
        "node_id": node("PullRequestReview", found.id),
        "user": render.user_or_null(world, found.user),
        "body": found.body,
        "state": found.state,
        "html_url": html,
        "pull_request_url": url,
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "commit_id": found.commit,
        "author_association": world.association(found.user, repository),
    }
    if found.submitted_at:
        shown["submitted_at"] = time(found.submitted_at)
    return shown


def line_comment(world: World, repository: Repository, on: Pull, found: LineComment) -> Json:
    api = f"{world.api_url}/repos/{repository.full_name}/pulls"
    url = f"{api}/comments/{found.id}"
    html = f"{world.url}/{repository.full_name}/pull/{on.number}#discussion_r{found.id}"
    pull_url = f"{api}/{on.number}"
    shown = {
        "id": found.id,
        "node_id": node("PullRequestReviewComment", found.id),
        "url": url,
        "html_url": html,
        "pull_request_url": pull_url,
        "pull_request_review_id": found.review_id,
        "user": render.user_or_null(world, found.user),
        "body": found.body,
        "path": found.path,
        "diff_hunk": found.hunk,
        "commit_id": found.commit,
        "original_commit_id": found.original_commit,
        "position": found.position,
        "original_position": found.original_position,
        "line": found.line,
        "original_line": found.original_line,
        "side": found.side,
        "start_line": found.start_line,
        "original_start_line": found.start_line,
        "start_side": found.start_side,
        "subject_type": found.subject,
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "author_association": world.association(found.user, repository),
        "reactions": reactions(url, []),
        "_links": {"self": {"href": url}, "html": {"href": html}, "pull_request": {"href": pull_url}},
    }
    if found.reply_to is not None:
        shown["in_reply_to_id"] = found.reply_to
    return shown
