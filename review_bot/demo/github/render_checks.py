"""Check runs, check suites, annotations and statuses as GitHub's JSON."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from review_bot.demo.github import render, render_commits
from review_bot.demo.github.check_state import Annotation, CheckRun, CheckSuite, Status
from review_bot.demo.github.git import Commit
from review_bot.demo.github.render import node, time
from review_bot.demo.github.state import Pull, Repository
from review_bot.demo.github.world import World

Json = dict[str, Any]


def pull_minimal(world: World, repository: Repository, found: Pull) -> Json:
    def side(of: Repository, ref: str, sha: str) -> Json:
        api = f"{world.api_url}/repos/{of.full_name}"
        return {"ref": ref, "sha": sha, "repo": {"id": of.id, "url": api, "name": of.name}}

    head = found.head_repository or repository
    return {
        "id": found.id,
        "number": found.number,
        "url": f"{world.api_url}/repos/{repository.full_name}/pulls/{found.number}",
        "head": side(head, found.head_ref, found.head_sha),
        "base": side(repository, found.base_ref, found.base_sha),
    }


def pulls_of(world: World, repository: Repository, sha: str) -> list[Json]:
    """The open pull requests of a head. Those from forks are left out, as on GitHub."""
    found = [p for p in repository.pulls.values() if p.state == "open" and p.head_sha == sha]
    return [pull_minimal(world, repository, p) for p in found if p.head_repository is repository]


def check_run(world: World, repository: Repository, run: CheckRun) -> Json:
    url = f"{world.api_url}/repos/{repository.full_name}/check-runs/{run.id}"
    return {
        "id": run.id,
        "node_id": node("CheckRun", run.id),
        "name": run.name,
        "head_sha": run.head_sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": f"{world.url}/{repository.full_name}/runs/{run.id}",
        "details_url": run.details_url or world.url,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": time(run.started_at),
        "completed_at": time(run.completed_at),
        "output": {
            "title": run.title,
            "summary": run.summary,
            "text": run.text,
            "annotations_count": len(run.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": run.suite_id},
        "app": render.app(world, world.app),
        "pull_requests": pulls_of(world, repository, run.head_sha),
    }


def annotation(world: World, repository: Repository, run: CheckRun, found: Annotation) -> Json:
    return {
        "path": found.path,
        "blob_href": f"{world.url}/{repository.full_name}/blob/{run.head_sha}/{quote(found.path)}",
        "start_line": found.start_line,
        "end_line": found.end_line,
        "start_column": found.start_column,
        "end_column": found.end_column,
        "annotation_level": found.level,
        "title": found.title,
        "message": found.message,
        "raw_details": found.raw_details,
    }


def suite_state(repository: Repository, suite: CheckSuite) -> tuple[str, str | None]:
    """Status and conclusion of a suite, from its latest runs."""
    runs = latest([run for run in repository.checks.values() if run.suite_id == suite.id])
    if not runs:
        return "queued", None
    if any(run.status != "completed" for run in runs):
        return "in_progress", None
    worst = ("failure", "timed_out", "action_required", "cancelled", "success", "neutral", "skipped")
    return "completed", min((run.conclusion or "failure" for run in runs), key=worst.index)


def latest(runs: list[CheckRun]) -> list[CheckRun]:
    """The newest run of each name and App."""
    return list({(run.app, run.name): run for run in sorted(runs, key=lambda r: r.id)}.values())


def check_suite(world: World, repository: Repository, suite: CheckSuite, head: Commit) -> Json:
    api = f"{world.api_url}/repos/{repository.full_name}"
    status, conclusion = suite_state(repository, suite)
    runs = [run for run in repository.checks.values() if run.suite_id == suite.id]
    return {
        "id": suite.id,
        "node_id": node("CheckSuite", suite.id),
        "head_branch": suite.branch,
        "head_sha": suite.head_sha,
        "status": status,
        "conclusion": conclusion,
        "url": f"{api}/check-suites/{suite.id}",
        "before": suite.before,
        "after": suite.head_sha,
        "pull_requests": pulls_of(world, repository, suite.head_sha),
        "app": render.app(world, world.app),
        "repository": render.repository(world, repository),
        "created_at": time(suite.created_at),
        "updated_at": time(suite.updated_at),
        "rerequestable": True,
        "runs_rerequestable": True,
        "latest_check_runs_count": len(latest(runs)),
        "check_runs_url": f"{api}/check-suites/{suite.id}/check-runs",
        "head_commit": render_commits.simple_commit(head),
    }


def status(world: World, repository: Repository, found: Status) -> Json:
    return {
        "url": f"{world.api_url}/repos/{repository.full_name}/statuses/{found.sha}",
        "avatar_url": f"{world.url}/avatars/{found.creator.id}",
        "id": found.id,
        "node_id": node("Status", found.id),
        "state": found.state,
        "description": found.description,
        "target_url": found.target_url,
        "context": found.context,
        "created_at": time(found.created_at),
        "updated_at": time(found.created_at),
    }
