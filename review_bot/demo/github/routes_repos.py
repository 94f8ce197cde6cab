"""Repositories: branches, refs, commits, comparisons, contents."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import quote

from review_bot.demo.github import pulls, render, render_commits, render_pulls
from review_bot.demo.github.api import ApiError, Call, Reply, Routes, not_found, unprocessable
from review_bot.demo.github.git import GitError
from review_bot.demo.github.protection import protection_of
from review_bot.demo.github.state import Protection, Repository

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


@routes.add("GET", "/repos/{owner}/{repo}/branches/{branch}/protection", "administration:read", people="admin")
async def branch_protection(call: Call) -> Reply:
    name = call.params["branch"]
    if await call.repo.git.branch(name) is None:
        raise ApiError(404, "Branch not found")
    rule = protection_of(call.repo, name)
    if rule is None:
        raise ApiError(404, "Branch not protected")
    return Reply(body=_protection(f"{call.world.api_url}{call.path}", rule))


def _protection(url: str, rule: Protection) -> Json:
    shown: Json = {
        "url": url,
        "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": rule.enforce_admins},
        **{
            name: {"enabled": False}
            for name in (
                "required_linear_history",
                "allow_force_pushes",
                "allow_deletions",
                "block_creations",
                "required_conversation_resolution",
                "lock_branch",
                "allow_fork_syncing",
            )
        },
        "required_signatures": {"url": f"{url}/required_signatures", "enabled": False},
    }
    if rule.required_checks:
        shown["required_status_checks"] = {
            "url": f"{url}/required_status_checks",
            "strict": rule.strict,
            "contexts": list(rule.required_checks),
            "contexts_url": f"{url}/required_status_checks/contexts",
            "checks": [{"context": name, "app_id": rule.apps.get(name)} for name in rule.required_checks],
        }
    if rule.required_approvals or rule.require_pull_request:
        shown["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews",
            "dismiss_stale_reviews": rule.dismiss_stale,
            "require_code_owner_reviews": False,
            "require_last_push_approval": False,
            "required_approving_review_count": rule.required_approvals,
        }
    return shown


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
    await _move(call, ref, before, sha)
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
    await _move(call, ref, before, sha)
    return Reply(body=render_commits.reference(call.world, call.repo, ref, sha))


@routes.add("DELETE", "/repos/{owner}/{repo}/git/refs/{ref}", "contents:write", people="write")
async def delete_ref(call: Call) -> Reply:
    ref = f"refs/{call.params['ref']}"
    before = await call.repo.git.refs()
    if ref not in before:
        raise ApiError(422, "Reference does not exist")
    await _move(call, ref, before, None)
    return Reply(204)


async def _move(call: Call, ref: str, before: dict[str, str], sha: str | None) -> None:
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


@routes.add("GET", "/repos/{owner}/{repo}/contents", "contents:read")
async def root_contents(call: Call) -> Reply:
    return await _contents(call, "")


@routes.add("GET", "/repos/{owner}/{repo}/contents/{path}", "contents:read")
async def contents(call: Call) -> Reply:
    return await _contents(call, call.params["path"].strip("/"))


async def _contents(call: Call, path: str) -> Reply:
    repo, ref = call.repo, call.query.get("ref") or call.repo.default_branch
    sha = await repo.git.resolve(ref)
    if sha is None:
        raise ApiError(404, f"No commit found for the ref {ref}")
    content = await repo.git.read(sha, path) if path else None
    if content is not None:
        blob = (await repo.git.run("rev-parse", f"{sha}:{path}")).decode().strip()
        large = len(content) > 1024 * 1024
        text = "" if large else base64.encodebytes(content).decode()
        extra = {"content": text, "encoding": "none" if large else "base64"}
        return Reply(body={**_entry(call, repo, ref, "file", path, blob, len(content)), **extra})
    rows = await repo.git.listing(sha, path)
    if not rows:
        raise not_found()
    kinds = {"blob": "file", "tree": "dir", "commit": "submodule"}
    return Reply(body=[_entry(call, repo, ref, kinds[kind], name, blob, 0) for _, kind, blob, name in rows])


def _entry(call: Call, repo: Repository, ref: str, kind: str, path: str, sha: str, size: int) -> Json:
    api = f"{call.world.api_url}/repos/{repo.full_name}"
    url = f"{api}/contents/{quote(path)}?ref={quote(ref)}"
    html = f"{call.world.url}/{repo.full_name}/blob/{quote(ref)}/{quote(path)}"
    git_url = f"{api}/git/blobs/{sha}"
    return {
        "type": kind,
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": sha,
        "size": size,
        "url": url,
        "html_url": html,
        "git_url": git_url,
        "download_url": f"{call.world.url}/{repo.full_name}/raw/{quote(ref)}/{quote(path)}",
        "_links": {"self": url, "git": git_url, "html": html},
    }


@routes.add("PUT", "/repos/{owner}/{repo}/contents/{path}", "contents:write", people="write", content=True)
async def put_contents(call: Call) -> Reply:
    """Write a file as one commit on a branch."""
    repo, path = call.repo, call.params["path"].strip("/")
    name = call.optional("branch") or repo.default_branch
    tip = await repo.git.branch(name)
    if tip is None:
        raise ApiError(404, f"Branch {name} not found")
    try:
        content = base64.b64decode(call.text("content", required=True))
    except binascii.Error as error:
        raise unprocessable("content is not valid Base64") from error
    there = await repo.git.read(tip, path) is not None
    if there and not call.optional("sha"):
        raise ApiError(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    who = pulls.person(call.hub, call.who)
    tree = await repo.git.edit(tip, {path: content})
    sha = await repo.git.commit_tree(tree, [tip], call.text("message", required=True), who, call.hub.web_flow())
    before = await repo.git.refs("refs/heads/")
    await _move(call, f"refs/heads/{name}", before, sha)
    blob = (await repo.git.run("rev-parse", f"{sha}:{path}")).decode().strip()
    found = await repo.git.commit(sha)
    made = {**render_commits.git_commit(call.world, repo, found), "sha": sha, "node_id": render.node("Commit", 1)}
    body = {"content": _entry(call, repo, name, "file", path, blob, len(content)), "commit": made}
    return Reply(200 if there else 201, body)
