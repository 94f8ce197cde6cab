"""Commits, files of a diff, comparisons and branches as GitHub's JSON."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from review_bot.demo.github import render
from review_bot.demo.github.diffs import FileChange
from review_bot.demo.github.git import Commit, Person
from review_bot.demo.github.state import Repository
from review_bot.demo.github.world import World

Json = dict[str, Any]
UNVERIFIED: Json = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def commit(world: World, repository: Repository, found: Commit) -> Json:
    """A commit; `author` and `committer` are null where nobody on GitHub has that e-mail address."""
    api = f"{world.api_url}/repos/{repository.full_name}"
    html = f"{world.url}/{repository.full_name}/commit"
    author, committer = world.by_email(found.author.email), world.by_email(found.committer.email)
    return {
        "sha": found.sha,
        "node_id": render.node("Commit", int(found.sha[:12], 16)),
        "commit": git_commit(world, repository, found),
        "url": f"{api}/commits/{found.sha}",
        "html_url": f"{html}/{found.sha}",
        "comments_url": f"{api}/commits/{found.sha}/comments",
        "author": render.user(world, author) if author else None,
        "committer": render.user(world, committer) if committer else None,
        "parents": [{"sha": sha, "url": f"{api}/commits/{sha}", "html_url": f"{html}/{sha}"} for sha in found.parents],
    }


def git_commit(world: World, repository: Repository, found: Commit) -> Json:
    api = f"{world.api_url}/repos/{repository.full_name}/git"
    return {
        "author": _person(found.author),
        "committer": _person(found.committer),
        "message": found.message,
        "tree": {"sha": found.tree, "url": f"{api}/trees/{found.tree}"},
        "url": f"{api}/commits/{found.sha}",
        "comment_count": 0,
        "verification": UNVERIFIED,
    }


def simple_commit(found: Commit) -> Json:
    """The commit that check suites carry."""
    return {
        "id": found.sha,
        "tree_id": found.tree,
        "message": found.message,
        "timestamp": found.committer.date,
        "author": {"name": found.author.name, "email": found.author.email},
        "committer": {"name": found.committer.name, "email": found.committer.email},
    }


def _person(person: Person) -> Json:
    return {"name": person.name, "email": person.email, "date": person.date}


def file(world: World, repository: Repository, found: FileChange, sha: str) -> Json:
    web = f"{world.url}/{repository.full_name}"
    path = quote(found.path)
    shown: Json = {
        "sha": found.sha,
        "filename": found.path,
        "status": found.status,
        "additions": found.additions,
        "deletions": found.deletions,
        "changes": found.additions + found.deletions,
        "blob_url": f"{web}/blob/{sha}/{path}",
        "raw_url": f"{web}/raw/{sha}/{path}",
        "contents_url": f"{world.api_url}/repos/{repository.full_name}/contents/{path}?ref={sha}",
    }
    if found.patch is not None:
        shown["patch"] = found.patch
    if found.previous is not None:
        shown["previous_filename"] = found.previous
    return shown


def reference(world: World, repository: Repository, ref: str, sha: str) -> Json:
    api = f"{world.api_url}/repos/{repository.full_name}/git"
    return {
        "ref": ref,
        "node_id": render.node(ref, repository.id),
        "url": f"{api}/{ref}",
        "object": {"type": "commit", "sha": sha, "url": f"{api}/commits/{sha}"},
    }
