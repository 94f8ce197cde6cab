"""Check runs and suites, which only Apps write."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from review_bot.demo.github import render_checks
from review_bot.demo.github.api import ApiError, Call, Reply, Routes, invalid, not_found
from review_bot.demo.github.check_state import Annotation, CheckRun, CheckSuite

Json = dict[str, Any]
routes = Routes()
TEXT_CAP = 65535
TITLE_CAP = 255
ANNOTATIONS_CAP = 50
CONCLUSIONS = ("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required")
STATES = ("queued", "in_progress", "completed", "waiting", "requested", "pending")
LEVELS = ("notice", "warning", "failure")
_R = "/repos/{owner}/{repo}"
READ, WRITE = "checks:read", "checks:write"


@routes.add("POST", _R + "/check-runs", WRITE, people="nobody", content=True)
async def create(call: Call) -> Reply:
    repo = call.repo
    name, sha = (call.text(n, required=True, resource="CheckRun") for n in ("name", "head_sha"))
    if await repo.git.resolve(sha) != sha:
        raise ApiError(422, f"No commit found for SHA: {sha}")
    suite = call.hub.suite_for(repo, sha, await _branch_of(call, sha), None)
    run = CheckRun(call.world.next_id(), suite.id, call.world.app.id, name, sha, "queued", call.world.now())
    _apply(call, run)
    repo.checks[run.id] = run
    await call.hub.check_run_event(repo, run, "created", call.who)
    if run.status == "completed":
        await call.hub.check_run_event(repo, run, "completed", call.who)
    return Reply(201, render_checks.check_run(call.world, repo, run))


async def _branch_of(call: Call, sha: str) -> str | None:
    refs = await call.repo.git.refs("refs/heads/")
    return next((ref.removeprefix("refs/heads/") for ref, tip in refs.items() if tip == sha), None)


@routes.add("PATCH", _R + "/check-runs/{check_run_id}", WRITE, people="nobody", content=True)
async def update(call: Call) -> Reply:
    run = _run(call)
    if run.app != call.world.app.id:
        raise ApiError(403, "Invalid app_id")
    was = run.status
    _apply(call, run)
    if run.status == "completed" and was != "completed":
        await call.hub.check_run_event(call.repo, run, "completed", call.who)
    return Reply(body=render_checks.check_run(call.world, call.repo, run))


def _apply(call: Call, run: CheckRun) -> None:
    """Everything is judged before anything is changed."""
    conclusion, state = call.optional("conclusion"), call.optional("status")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise invalid(f"{conclusion} is not a conclusion", "CheckRun", "conclusion", "invalid")
    if state is not None and state not in STATES:
        raise invalid(f"{state} is not a status", "CheckRun", "status", "invalid")
    if state == "completed" and conclusion is None and run.conclusion is None:
        raise invalid("conclusion is required when status is completed", "CheckRun", "conclusion", "missing_field")
    output = call.body.get("output")
    found = _output(output) if output is not None else []
    actions = _actions(call)
    run.name = call.text("name", default=run.name)
    run.details_url = call.optional("details_url") or run.details_url
    run.external_id = call.text("external_id", default=run.external_id)
    run.started_at = _moment(call, "started_at") or run.started_at
    run.actions = actions or run.actions
    if output is not None:
        run.title, run.summary = output.get("title", run.title), output.get("summary", run.summary)
        run.text = output.get("text", run.text)
        run.annotations = [*run.annotations, *found]
    _set_state(call, run, state, conclusion)


def _set_state(call: Call, run: CheckRun, state: str | None, conclusion: str | None) -> None:
    if conclusion is not None:
        run.status, run.conclusion = "completed", conclusion
        run.completed_at = _moment(call, "completed_at") or call.world.now()
    elif state is not None and state != "completed":
        run.status, run.conclusion, run.completed_at = state, None, None


def _moment(call: Call, name: str) -> datetime | None:
    text = call.optional(name)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid(f"{name} is not a date", "CheckRun", name, "invalid") from error


def _actions(call: Call) -> list[Json]:
    found = call.items("actions")
    if len(found) > 3:
        raise invalid("actions exceeds a maximum of 3", "CheckRun", "actions", "invalid")
    for one in found:
        caps = (("label", 20), ("identifier", 20), ("description", 40))
        if any(not isinstance(one.get(name), str) or len(one[name]) > cap for name, cap in caps):
            raise invalid("an action is not valid", "CheckRun", "actions", "invalid")
    return found


def _output(output: Any) -> list[Annotation]:
    """The annotations of an output within GitHub's limits. Raises ApiError."""
    if not isinstance(output, dict) or not isinstance(output.get("summary"), str):
        raise ApiError(422, 'Invalid request.\n\n"summary" wasn\'t supplied.')
    for name, cap in (("title", TITLE_CAP), ("summary", TEXT_CAP), ("text", TEXT_CAP)):
        if len(output.get(name) or "") > cap:
            raise invalid(f"{name} exceeds a maximum length of {cap}", "CheckRun", name, "invalid")
    raw = output.get("annotations") or []
    if len(raw) > ANNOTATIONS_CAP:
        raise ApiError(
            422,
            f"Invalid request.\n\nNo more than {ANNOTATIONS_CAP} items are allowed; {len(raw)} were supplied.",
        )
    return [_annotation(one) for one in raw]


def _annotation(raw: Json) -> Annotation:
    for name, kind in (("path", str), ("start_line", int), ("end_line", int), ("message", str)):
        if not isinstance(raw.get(name), kind):
            raise ApiError(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
    level = raw.get("annotation_level")
    if level not in LEVELS:
        raise invalid("annotation_level is not included in the list", "Annotation", "annotation_level", "invalid")
    if raw["start_line"] < 1 or raw["end_line"] < raw["start_line"]:
        raise invalid("end_line must be at or after start_line", "Annotation", "end_line", "invalid")
    if len(raw["message"].encode()) > 64 * 1024 or len(raw.get("title") or "") > 255:
        raise invalid("an annotation is too long", "Annotation", "message", "invalid")
    if raw.get("start_column") is not None and raw["start_line"] != raw["end_line"]:
        raise invalid("columns are only for annotations of one line", "Annotation", "start_column", "invalid")
    return Annotation(
        path=raw["path"],
        start_line=raw["start_line"],
        end_line=raw["end_line"],
        level=level,
        message=raw["message"],
        title=raw.get("title"),
        raw_details=raw.get("raw_details"),
        start_column=raw.get("start_column"),
        end_column=raw.get("end_column"),
    )


def _run(call: Call) -> CheckRun:
    found = call.repo.checks.get(call.number("check_run_id"))
    if found is None:
        raise not_found()
    return found


@routes.add("GET", _R + "/check-runs/{check_run_id}", READ)
async def one(call: Call) -> Reply:
    return Reply(body=render_checks.check_run(call.world, call.repo, _run(call)))


@routes.add("GET", _R + "/check-runs/{check_run_id}/annotations", READ)
async def list_annotations(call: Call) -> Reply:
    run = _run(call)
    shown, links = call.page(run.annotations)
    return Reply(body=[render_checks.annotation(call.world, call.repo, run, a) for a in shown], headers=links)


@routes.add("POST", _R + "/check-runs/{check_run_id}/rerequest", WRITE, people="write")
async def rerequest_run(call: Call) -> Reply:
    run = _run(call)
    await call.hub.check_run_event(call.repo, run, "rerequested", call.who)
    return Reply(201, {})


@routes.add("GET", _R + "/commits/{ref}/check-runs", READ)
async def runs_of_commit(call: Call) -> Reply:
    sha = await sha_of(call)
    return _runs(call, [r for r in call.repo.checks.values() if r.head_sha == sha])


@routes.add("GET", _R + "/check-suites/{check_suite_id}/check-runs", READ)
async def runs_of_suite(call: Call) -> Reply:
    suite = _suite(call)
    return _runs(call, [r for r in call.repo.checks.values() if r.suite_id == suite.id])


def _runs(call: Call, runs: list[CheckRun]) -> Reply:
    query = call.query
    found = [
        r
        for r in (runs if query.get("filter") == "all" else render_checks.latest(runs))
        if query.get("check_name") in (None, r.name)
        and query.get("status") in (None, r.status)
        and query.get("app_id") in (None, str(r.app))
    ]
    shown, links = call.page(sorted(found, key=lambda r: -r.id))
    shown_runs = [render_checks.check_run(call.world, call.repo, r) for r in shown]
    return Reply(body={"total_count": len(found), "check_runs": shown_runs}, headers=links)


async def sha_of(call: Call) -> str:
    """The commit that the path names. Raises ApiError."""
    sha = await call.repo.git.resolve(call.params["ref"])
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {call.params['ref']}")
    return sha


@routes.add("GET", _R + "/commits/{ref}/check-suites", READ)
async def suites(call: Call) -> Reply:
    sha = await sha_of(call)
    found = [s for s in call.repo.suites.values() if s.head_sha == sha]
    shown, links = call.page(found)
    body = [await call.hub.suite_json(call.repo, s) for s in shown]
    return Reply(body={"total_count": len(found), "check_suites": body}, headers=links)


def _suite(call: Call) -> CheckSuite:
    found = call.repo.suites.get(call.number("check_suite_id"))
    if found is None:
        raise not_found()
    return found


@routes.add("POST", _R + "/check-suites", WRITE, people="nobody")
async def create_suite(call: Call) -> Reply:
    sha = call.text("head_sha", required=True, resource="CheckSuite")
    if await call.repo.git.resolve(sha) != sha:
        raise ApiError(422, f"No commit found for SHA: {sha}")
    there = any(s.head_sha == sha for s in call.repo.suites.values())
    suite = call.hub.suite_for(call.repo, sha, await _branch_of(call, sha), None)
    return Reply(200 if there else 201, await call.hub.suite_json(call.repo, suite))


@routes.add("GET", _R + "/check-suites/{check_suite_id}", READ)
async def suite(call: Call) -> Reply:
    return Reply(body=await call.hub.suite_json(call.repo, _suite(call)))


@routes.add("POST", _R + "/check-suites/{check_suite_id}/rerequest", WRITE, people="write")
async def rerequest_suite(call: Call) -> Reply:
    await call.hub.suite_event(call.repo, _suite(call), "rerequested", call.who)
    return Reply(201, {})
