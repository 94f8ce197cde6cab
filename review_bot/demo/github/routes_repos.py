"""Repositories: branches, refs, commits, comparisons, contents."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from review_bot.demo.github import render, render_commits, render_pulls
from review_bot.demo.github.api import ApiError, Call, Reply, Routes, not_found
from review_bot.demo.github.protection import protection_of
from review_bot.demo.github.state import Repository

Json = dict[str, Any]
routes = Routes()


@routes.add("GET", "/repos/{owner}/{repo}", "metadata:read")
async def repository(call: Call) -> Reply:
    role = "read" if call.actor.kind == "installation" else call.world.role(call.actor.account, call.repo)
    return Reply(body=render.full_repository(call.world, call.repo, role))


@routes.add("GET", "/repos/{owner}/{repo}/branches", "contents:read")
async def branches(call: Call) -> Reply:
    repo = call.repo
    shown, links = call.page(sorted((await repo.git.refs("refs/heads/")).items()))
    return Reply(
        body=[_short_branch(call, repo, ref.removeprefix("refs/heads/"), sha) for ref, sha in shown], headers=links
    )


def _short_branch(call: Call, repo: Repository, name: str, sha: str) -> Json:
    api = f"{call.world.api_url}/repos/{repo.full_name}"
    protected = protection_of(repo, name) is not None
    return {"name": name, "commit": {"sha": sha, "url": f"{api}/commits/{sha}"}, "protected": protected}


@routes.add("GET", "/repos/{owner}/{repo}/branches/{branch}", "contents:read")
async def branch(call: Call) -> Reply:
    repo, name = call.repo, call.params["branch"]
    sha = await repo.git.branch(name)
    if sha is None:
        raise ApiError(404, "Branch not found")
    rule = protection_of(repo, name)
    url = f"{call.world.api_url}/repos/{repo.full_name}/branches/{quote(name, safe='')}"
    checks = list(rule.required_checks) if rule else []
    required = {
        "enforcement_level": "non_admins" if checks else "off",
        "contexts": checks,
        "checks": [{"context": c, "app_id": rule.apps.get(c) if rule else None} for c in checks],
    }
    return Reply(
        body={
            "name": name,
            "commit": render_commits.commit(call.world, repo, await repo.git.commit(sha)),
            "_links": {"self": url, "html": f"{call.world.url}/{repo.full_name}/tree/{quote(name)}"},
            "protected": rule is not None,
            "protection": {"enabled": rule is not None, "required_status_checks": required},
            "protection_url": f"{url}/protection",
        }
    )


@routes.add("GET", "/repos/{owner}/{repo}/commits/{commit_sha}/pulls", "pull_requests:read|contents:read")
async def pulls_of_commit(call: Call) -> Reply:
    repo = call.repo
    sha = await repo.git.resolve(call.params["commit_sha"])
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {call.params['commit_sha']}")
    found = []
    for pull in repo.pulls.values():
        inside = await repo.git.merge_base(sha, pull.head_sha) == sha
        base = pull.figures.merge_base if pull.figures else pull.base_sha
        if sha in (pull.head_sha, pull.merge_commit_sha if pull.merged else None):
            found.append(pull)
        elif inside and base and await repo.git.merge_base(sha, base) != sha:
            found.append(pull)
    shown, links = call.page(found)
    return Reply(body=[render_pulls.pull(call.world, repo, p) for p in shown], headers=links)


@routes.add("GET", "/repos/{owner}/{repo}/commits", "contents:read")
async def commits(call: Call) -> Reply:
    repo = call.repo
    start = await repo.git.resolve(call.query.get("sha") or repo.default_branch)
    if start is None:
        raise not_found()
    shown, links = call.page(await repo.git.log(start))
    return Reply(body=[render_commits.commit(call.world, repo, c) for c in shown], headers=links)


@routes.add("GET", "/repos/{owner}/{repo}/commits/{ref}", "contents:read")
async def commit(call: Call) -> Reply:
    repo = call.repo
    sha = await repo.git.resolve(call.params["ref"])
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {call.params['ref']}")
    found = await repo.git.commit(sha)
    files = await repo.diffs.between(found.parents[0], sha) if found.parents else []
    added, removed = sum(f.additions for f in files), sum(f.deletions for f in files)
    return Reply(
        body={
            **render_commits.commit(call.world, repo, found),
            "stats": {"total": added + removed, "additions": added, "deletions": removed},
            "files": [render_commits.file(call.world, repo, f, sha) for f in files],
        }
    )


@routes.add("GET", "/repos/{owner}/{repo}/compare/{basehead}", "contents:read")
async def compare(call: Call) -> Reply:
    repo = call.repo
    left, dots, right = call.params["basehead"].partition("...")
    base = await repo.git.resolve(left.rpartition(":")[2]) if dots else None
    head = await repo.git.resolve(right.rpartition(":")[2]) if dots else None
    start = await repo.git.merge_base(base, head) if base and head else None
    if base is None or head is None or start is None:
        raise not_found()
    ahead, behind = await repo.git.count(f"{base}..{head}"), await repo.git.count(f"{head}..{base}")
    found = list(reversed(await repo.git.log(f"{base}..{head}"))) if ahead else []
    shown, links = call.page(found) if "page" in call.query or "per_page" in call.query else (found[:250], {})
    files = await repo.diffs.between(start, head)
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    url = f"{call.world.api_url}/repos/{repo.full_name}/compare/{base}...{head}"
    html = f"{call.world.url}/{repo.full_name}/compare/{base}...{head}"
    body = {
        "url": url,
        "html_url": html,
        "permalink_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "base_commit": render_commits.commit(call.world, repo, await repo.git.commit(base)),
        "merge_base_commit": render_commits.commit(call.world, repo, await repo.git.commit(start)),
        "status": status,
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": [render_commits.commit(call.world, repo, c) for c in shown],
        "files": [render_commits.file(call.world, repo, f, head) for f in files[:300]],
    }
    return Reply(body=body, headers=links)
