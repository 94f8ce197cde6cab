"""The merge queue: each pull request is tried in a group on top of what is queued before it, and merged in order."""

from __future__ import annotations

from typing import Any

from review_bot.demo.github import protection, pulls, render_commits
from review_bot.demo.github.accounts import Account
from review_bot.demo.github.hub import Hub
from review_bot.demo.github.state import Pull, Queued, Repository

Json = dict[str, Any]


async def enqueue(hub: Hub, repository: Repository, pull: Pull, actor: Account) -> str:
    """Make the group's commit and ask for its checks; the commit. Raises PullError where it conflicts."""
    git = repository.git
    queue = repository.queues.setdefault(pull.base_ref, [])
    if any(one.number == pull.number for one in queue):
        raise pulls.PullError("The pull request is in the queue already")
    base = queue[-1].head if queue else await git.branch(pull.base_ref) or pull.base_sha
    tree = await git.merge_tree(base, pull.head_sha)
    if tree is None:
        raise pulls.PullError("Merge conflict")
    web_flow = hub.web_flow()
    text = f"Merge pull request #{pull.number}\n\n{pull.title}"
    head = await git.commit_tree(tree, [base, pull.head_sha], text, web_flow, web_flow)
    made = Queued(pull.number, base, head, f"gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{base}")
    queue.append(made)
    await git.update_ref(f"refs/heads/{made.branch}", head)
    group = await _group(repository, pull.base_ref, made)
    hub.emit("merge_group", "checks_requested", {"merge_group": group}, repository, actor)
    return head


async def _group(repository: Repository, base_ref: str, queued: Queued) -> Json:
    return {
        "head_sha": queued.head,
        "head_ref": f"refs/heads/{queued.branch}",
        "base_sha": queued.base,
        "base_ref": f"refs/heads/{base_ref}",
        "head_commit": render_commits.simple_commit(await repository.git.commit(queued.head)),
    }


async def finish(hub: Hub, repository: Repository, pull: Pull, actor: Account) -> bool:
    """Merge the first of the queue if every required check of its group passes, else drop it; whether it was merged.

    What was queued behind one that is dropped is queued again, without it. Raises PullError.
    """
    git = repository.git
    queue = repository.queues.get(pull.base_ref, [])
    if not queue or queue[0].number != pull.number:
        raise pulls.PullError("The pull request is not the first in the queue")
    first = queue[0]
    rule = protection.protection_of(repository, pull.base_ref)
    passed = all(need.state == "passing" for need in protection.requirements(repository, rule, first.head))
    behind = [] if passed else queue[1:]
    for one, reason in ((first, "merged" if passed else "dequeued"), *((b, "invalidated") for b in behind)):
        await _destroy(hub, repository, pull.base_ref, one, reason, actor)
    if passed:
        base = await git.branch(pull.base_ref) or pull.base_sha
        await hub.settle(repository, pull)
        await git.update_ref(f"refs/heads/{pull.base_ref}", first.head)
        await pulls.mark_merged(hub, repository, pull, first.head, actor)
        name = f"refs/heads/{pull.base_ref}"
        await pulls.refs_moved(hub, repository, {name: base}, {name: first.head}, actor)
    for one in behind:
        await enqueue(hub, repository, repository.pulls[one.number], actor)
    return passed


async def _destroy(
    hub: Hub, repository: Repository, base_ref: str, queued: Queued, reason: str, actor: Account
) -> None:
    repository.queues[base_ref].remove(queued)
    group = await _group(repository, base_ref, queued)
    await repository.git.update_ref(f"refs/heads/{queued.branch}", None)
    hub.emit("merge_group", "destroyed", {"merge_group": group, "reason": reason}, repository, actor)
