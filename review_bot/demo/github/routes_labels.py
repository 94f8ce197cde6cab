"""Labels: of a repository, and of an issue or a pull request."""

from __future__ import annotations

from typing import Any

from review_bot.demo.github import render_pulls
from review_bot.demo.github.api import ApiError, Call, Reply, Routes, not_found
from review_bot.demo.github.state import Issue, Label, Pull, Repository

routes = Routes()
_ONE = "/repos/{owner}/{repo}/issues/{issue_number}"
_LABELS = "/repos/{owner}/{repo}/labels"
READ = "issues:read|pull_requests:read"
WRITE = "issues:write|pull_requests:write"


def names_of(raw: list[Any]) -> list[str]:
    return [str(one.get("name", "")) if isinstance(one, dict) else str(one) for one in raw]


def label_named(call: Call, repo: Repository, name: str) -> Label:
    """The label of that name; GitHub makes one that is not there yet."""
    if name.lower() not in repo.labels:
        repo.labels[name.lower()] = Label(call.world.next_id(), name)
    return repo.labels[name.lower()]


@routes.add("GET", _LABELS, READ)
async def labels(call: Call) -> Reply:
    shown, links = call.page(list(call.repo.labels.values()))
    return Reply(body=[render_pulls.label(call.world, call.repo, one) for one in shown], headers=links)


@routes.add("GET", _LABELS + "/{name}", READ)
async def get_label(call: Call) -> Reply:
    found = call.repo.labels.get(call.params["name"].lower())
    if found is None:
        raise not_found()
    return Reply(body=render_pulls.label(call.world, call.repo, found))


@routes.add("POST", _LABELS, WRITE, people="write", content=True)
async def create_label(call: Call) -> Reply:
    name = call.text("name", required=True, resource="Label")
    if name.lower() in call.repo.labels:
        raise ApiError(
            422, "Validation Failed", errors=[{"resource": "Label", "code": "already_exists", "field": "name"}]
        )
    made = label_named(call, call.repo, name)
    made.color, made.description = call.text("color", default="ededed").lstrip("#"), call.optional("description")
    return Reply(201, render_pulls.label(call.world, call.repo, made))


@routes.add("DELETE", _LABELS + "/{name}", WRITE, people="write")
async def delete_label(call: Call) -> Reply:
    found = call.repo.labels.pop(call.params["name"].lower(), None)
    if found is None:
        raise not_found()
    for issue in call.repo.issues.values():
        issue.labels = [one for one in issue.labels if one is not found]
    return Reply(204)


@routes.add("GET", _ONE + "/labels", READ)
async def issue_labels(call: Call) -> Reply:
    shown, links = call.page(call.issue().labels)
    return Reply(body=[render_pulls.label(call.world, call.repo, one) for one in shown], headers=links)


@routes.add("POST", _ONE + "/labels", WRITE, people="triage")
async def add_labels(call: Call) -> Reply:
    raw = call.raw_body if isinstance(call.raw_body, list) else call.items("labels")
    return await _set_labels(call, call.issue(), [*(one.name for one in call.issue().labels), *names_of(raw)])


@routes.add("PUT", _ONE + "/labels", WRITE, people="triage")
async def set_labels(call: Call) -> Reply:
    raw = call.raw_body if isinstance(call.raw_body, list) else call.items("labels")
    return await _set_labels(call, call.issue(), names_of(raw))


@routes.add("DELETE", _ONE + "/labels/{name}", WRITE, people="triage")
async def remove_label(call: Call) -> Reply:
    issue, name = call.issue(), call.params["name"].lower()
    if name not in {one.name.lower() for one in issue.labels}:
        raise ApiError(404, "Label does not exist")
    return await _set_labels(call, issue, [one.name for one in issue.labels if one.name.lower() != name])


async def _set_labels(call: Call, issue: Issue, names: list[str]) -> Reply:
    """Change the labels, and send an event for each that came or went."""
    repo, before = call.repo, list(issue.labels)
    issue.labels = list(dict.fromkeys(label_named(call, repo, name) for name in names))
    issue.updated_at = call.world.now()
    moved = [("labeled", one) for one in issue.labels if one not in before]
    moved += [("unlabeled", one) for one in before if one not in issue.labels]
    for action, label in moved:
        shown = render_pulls.label(call.world, repo, label)
        if isinstance(issue, Pull):
            await call.hub.pull_event(repo, issue, action, call.who, label=shown)
        else:
            payload = {"issue": render_pulls.issue(call.world, repo, issue), "label": shown}
            call.hub.emit("issues", action, payload, repo, call.who)
    return Reply(body=[render_pulls.label(call.world, repo, one) for one in issue.labels])
