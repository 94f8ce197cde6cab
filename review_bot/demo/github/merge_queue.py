"""The merge queue: a pull request is tried on top of its base in a group of its own, and merged if the checks pass."""

from __future__ import annotations

from typing import Any

from review_bot.demo.github import protection, pulls, render_commits
from review_bot.demo.github.accounts import Account
from review_bot.demo.github.hub import Hub
from review_bot.demo.github.state import Pull, Repository

Json = dict[str, Any]


def _branch(pull: Pull, base: str) -> str:
    return f"gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{base}"


async def enqueue(hub: Hub, repository: Repository, pull: Pull, actor: Account) -> str:
    """Make the group's commit and ask for its checks; the commit. Raises PullError where the two conflict."""
    git = repository.git
    base = await git.branch(pull.base_ref) or pull.base_sha
    tree = await git.merge_tree(base, pull.head_sha)
    if tree is None:
        raise pulls.PullError("Merge conflict")
    web_flow = hub.web_flow()
    text = f"Merge pull request #{pull.number}\n\n{pull.title}"
    head = await git.commit_tree(tree, [base, pull.head_sha], text, web_flow, web_flow)
    await git.update_ref(f"refs/heads/{_branch(pull, base)}", head)
    group = await _group(repository, pull, base, head)
    hub.emit("merge_group", "checks_requested", {"merge_group": group}, repository, actor)
    return head


async def _group(repository: Repository, pull: Pull, base: str, head: str) -> Json:
    return {
        "head_sha": head,
        "head_ref": f"refs/heads/{_branch(pull, base)}",
        "base_sha": base,
        "base_ref": f"refs/heads/{pull.base_ref}",
        "head_commit": render_commits.simple_commit(await repository.git.commit(head)),
    }


async def finish(hub: Hub, repository: Repository, pull: Pull, actor: Account) -> bool:
    """Merge the group if every required check of it passes, else drop it; whether it was merged."""
    git = repository.git
    base = await git.branch(pull.base_ref) or pull.base_sha
    ref = f"refs/heads/{_branch(pull, base)}"
    head = await git.resolve(ref)
    if head is None:
        raise pulls.PullError("The pull request is not in the queue")
    rule = protection.protection_of(repository, pull.base_ref)
    passed = all(need.state == "passing" for need in protection.requirements(repository, rule, head))
    group = await _group(repository, pull, base, head)
    await git.update_ref(ref, None)
    reason = "merged" if passed else "dequeued"
    hub.emit("merge_group", "destroyed", {"merge_group": group, "reason": reason}, repository, actor)
    if passed:
        await hub.settle(repository, pull)
        await git.update_ref(f"refs/heads/{pull.base_ref}", head)
        await pulls.mark_merged(hub, repository, pull, head, actor)
        name = f"refs/heads/{pull.base_ref}"
        await pulls.refs_moved(hub, repository, {name: base}, {name: head}, actor)
    return passed
