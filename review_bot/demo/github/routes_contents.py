"""Files of a repository: read at a revision, written as a commit."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import quote

from review_bot.demo.github import pulls, render, render_commits
from review_bot.demo.github.api import ApiError, Call, Reply, Routes, not_found, unprocessable
from review_bot.demo.github.routes_refs import move
from review_bot.demo.github.state import Repository

Json = dict[str, Any]
routes = Routes()


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
    await move(call, f"refs/heads/{name}", before, sha)
    blob = (await repo.git.run("rev-parse", f"{sha}:{path}")).decode().strip()
    found = await repo.git.commit(sha)
    made = {**render_commits.git_commit(call.world, repo, found), "sha": sha, "node_id": render.node("Commit", 1)}
    body = {"content": _entry(call, repo, name, "file", path, blob, len(content)), "commit": made}
    return Reply(200 if there else 201, body)
