"""What happens to pull requests: opened, pushed to, retargeted, closed, merged."""

from __future__ import annotations

from dataclasses import dataclass

from review_bot.demo.github import protection
from review_bot.demo.github.accounts import Account
from review_bot.demo.github.git import ZERO, GitError, Person
from review_bot.demo.github.hub import Hub
from review_bot.demo.github.state import Pull, Repository


@dataclass(frozen=True)
class NewPull:
    title: str
    body: str | None
    base: str
    head: str
    head_repository: Repository
    draft: bool = False
    maintainer_can_modify: bool = False


class PullError(Exception):
    """It can't be done; the text is GitHub's."""


async def open_pull(hub: Hub, repository: Repository, new: NewPull, author: Account, app: int | None = None) -> Pull:
    """Open a pull request and send its event. Raises PullError."""
    base_sha = await repository.git.branch(new.base)
    head_sha = await new.head_repository.git.branch(new.head)
    if base_sha is None or head_sha is None:
        raise PullError("base" if base_sha is None else "head")
    await fetch_head(repository, new.head_repository, head_sha, None)
    _refuse_doubles(repository, new)
    if await repository.git.count(f"{base_sha}..{head_sha}") == 0:
        raise PullError(f"No commits between {new.base} and {new.head}")
    now = hub.world.now()
    pull = Pull(
        id=hub.world.next_id(),
        number=repository.next_number,
        title=new.title,
        body=new.body,
        user=author,
        created_at=now,
        updated_at=now,
        app=app,
        base_ref=new.base,
        base_sha=base_sha,
        head_ref=new.head,
        head_sha=head_sha,
        head_repository=new.head_repository,
        draft=new.draft,
        maintainer_can_modify=new.maintainer_can_modify,
    )
    repository.next_number += 1
    repository.issues[pull.number] = pull
    await repository.git.update_ref(f"refs/pull/{pull.number}/head", head_sha)
    await hub.pull_event(repository, pull, "opened", author)
    return pull


def _refuse_doubles(repository: Repository, new: NewPull) -> None:
    for pull in repository.pulls.values():
        same = (pull.base_ref, pull.head_ref, pull.head_repository) == (new.base, new.head, new.head_repository)
        if same and pull.state == "open":
            raise PullError(f"A pull request already exists for {new.head_repository.owner.login}:{new.head}.")


async def fetch_head(repository: Repository, source: Repository, sha: str, number: int | None) -> None:
    """Bring a head's objects into the repository, and let refs/pull/N/head point at it."""
    if source is not repository:
        await repository.git.run("fetch", "--quiet", "--no-tags", str(source.git.path), sha)
    if number is not None:
        await repository.git.update_ref(f"refs/pull/{number}/head", sha)


async def retarget(hub: Hub, repository: Repository, pull: Pull, base: str) -> str:
    """Let the pull request point at another base; the old one's commit. Raises PullError."""
    sha = await repository.git.branch(base)
    if sha is None:
        raise PullError("base")
    old = pull.base_sha
    pull.base_ref, pull.base_sha = base, sha
    return old


async def set_state(hub: Hub, repository: Repository, pull: Pull, state: str, actor: Account) -> None:
    """Close or reopen. Raises PullError."""
    if state == pull.state:
        return
    if state == "open":
        if pull.merged:
            raise PullError("A merged pull request cannot be reopened")
        head = await pull.head_repository.git.branch(pull.head_ref) if pull.head_repository else None
        if head is None:
            raise PullError(f"The {pull.head_ref} branch was deleted.")
        pull.state, pull.closed_at, pull.closed_by = "open", None, None
        await hub.pull_event(repository, pull, "reopened", actor)
        return
    now = hub.world.now()
    pull.state, pull.closed_at, pull.closed_by, pull.updated_at = "closed", now, actor, now
    await hub.pull_event(repository, pull, "closed", actor)


async def set_draft(hub: Hub, repository: Repository, pull: Pull, draft: bool, actor: Account) -> None:
    if draft != pull.draft:
        pull.draft = draft
        await hub.pull_event(repository, pull, "converted_to_draft" if draft else "ready_for_review", actor)


async def refs_moved(
    hub: Hub, repository: Repository, before: dict[str, str], after: dict[str, str], actor: Account
) -> None:
    """Everything that follows from branches that moved: events, heads of pull requests, check suites."""
    repository.pushed_at = hub.world.now()
    for ref in sorted(before.keys() | after.keys()):
        old, new = before.get(ref, ZERO), after.get(ref, ZERO)
        if old == new or not ref.startswith(("refs/heads/", "refs/tags/")):
            continue
        commits = await hub.push_commits(repository, old, new)
        await hub.push_event(repository, ref, old, new, actor, commits)
        if ref.startswith("refs/heads/"):
            await _branch_moved(hub, repository, ref.removeprefix("refs/heads/"), old, new, actor)


async def _branch_moved(hub: Hub, repository: Repository, branch: str, old: str, new: str, actor: Account) -> None:
    if new != ZERO and hub.world.installation_of(repository):
        suite = hub.suite_for(repository, new, branch, old)
        await hub.suite_event(repository, suite, "requested", actor)
    for parent in list(hub.world.repositories.values()):
        for pull in list(parent.pulls.values()):
            if pull.state == "open" and pull.head_repository is repository and pull.head_ref == branch:
                await _head_moved(hub, parent, repository, pull, new, actor)
    for pull in list(repository.pulls.values()):
        if pull.state == "open" and pull.base_ref == branch:
            if new == ZERO:
                await set_state(hub, repository, pull, "closed", actor)
            else:
                await _merged_by_push(hub, repository, pull, new, actor)


async def _head_moved(hub: Hub, parent: Repository, source: Repository, pull: Pull, new: str, actor: Account) -> None:
    if new == ZERO:
        await set_state(hub, parent, pull, "closed", actor)
        return
    old, pull.head_sha = pull.head_sha, new
    pull.updated_at = hub.world.now()
    pull.base_sha = await parent.git.branch(pull.base_ref) or pull.base_sha
    await fetch_head(parent, source, new, pull.number)
    await _outdate(parent, pull, old)
    await hub.pull_event(parent, pull, "synchronize", actor, before=old, after=new)
    rule = protection.protection_of(parent, pull.base_ref)
    for review in list(pull.reviews.values()):
        if rule and rule.dismiss_stale and review.state == "APPROVED":
            review.state = "DISMISSED"
            await hub.review_event(parent, pull, review, "dismissed", actor)


async def _outdate(repository: Repository, pull: Pull, old: str) -> None:
    """Comments on a file that changed are outdated; GitHub looks at the line, this at the file."""
    changed = {file.path for file in await repository.diffs.between(old, pull.head_sha)}
    for comment in pull.line_comments.values():
        if comment.path in changed:
            comment.position, comment.line = None, None
        elif comment.line is not None:
            comment.commit = pull.head_sha


async def _merged_by_push(hub: Hub, repository: Repository, pull: Pull, tip: str, actor: Account) -> None:
    """A pull request whose head is in its base by a push is merged, as GitHub sees it."""
    if await repository.git.merge_base(tip, pull.head_sha) != pull.head_sha:
        return
    await mark_merged(hub, repository, pull, tip, actor)


async def mark_merged(hub: Hub, repository: Repository, pull: Pull, sha: str, actor: Account) -> None:
    now = hub.world.now()
    pull.state, pull.closed_at, pull.closed_by = "closed", now, actor
    pull.merged_at, pull.merged_by, pull.merge_commit_sha, pull.updated_at = now, actor, sha, now
    await repository.git.update_ref(f"refs/pull/{pull.number}/merge", None)
    await hub.pull_event(repository, pull, "closed", actor)


def person(hub: Hub, account: Account) -> Person:
    email = account.email or f"{account.id}+{account.login}@users.noreply.github.com"
    return Person(account.name or account.login, email, hub.world.now().isoformat())


async def merge(
    hub: Hub, repository: Repository, pull: Pull, method: str, title: str | None, message: str | None, actor: Account
) -> str:
    """Merge and let the base branch move; the new tip. Whether it is allowed was asked before. Raises PullError."""
    base = await repository.git.branch(pull.base_ref)
    if base is None:
        raise PullError("Base branch was deleted")
    try:
        makers = {"merge": _merge_commit, "squash": _squash, "rebase": _rebase}
        tip = await makers[method](hub, repository, pull, base, title, message, actor)
    except GitError as error:
        raise PullError("Merge conflict") from error
    before = await repository.git.refs("refs/heads/")
    await repository.git.update_ref(f"refs/heads/{pull.base_ref}", tip)
    await hub.settle(repository, pull)
    await mark_merged(hub, repository, pull, tip, actor)
    await refs_moved(hub, repository, before, {**before, f"refs/heads/{pull.base_ref}": tip}, actor)
    return tip


async def _tree(repository: Repository, base: str, head: str) -> str:
    tree = await repository.git.merge_tree(base, head)
    if tree is None:
        raise PullError("Merge conflict")
    return tree


async def _merge_commit(
    hub: Hub, repository: Repository, pull: Pull, base: str, title: str | None, message: str | None, actor: Account
) -> str:
    owner = pull.head_repository.owner.login if pull.head_repository else "unknown"
    subject = title or f"Merge pull request #{pull.number} from {owner}/{pull.head_ref}"
    text = f"{subject}\n\n{pull.title if message is None else message}"
    tree = await _tree(repository, base, pull.head_sha)
    return await repository.git.commit_tree(tree, [base, pull.head_sha], text, person(hub, actor), hub.web_flow())


async def _squash(
    hub: Hub, repository: Repository, pull: Pull, base: str, title: str | None, message: str | None, actor: Account
) -> str:
    subject = title or f"{pull.title} (#{pull.number})"
    tree = await _tree(repository, base, pull.head_sha)
    text = f"{subject}\n\n{message or ''}".rstrip() + "\n"
    return await repository.git.commit_tree(tree, [base], text, person(hub, pull.user), hub.web_flow())


async def _rebase(
    hub: Hub, repository: Repository, pull: Pull, base: str, title: str | None, message: str | None, actor: Account
) -> str:
    """Each commit on top of the base; `merge-tree` with the commit's parent as the merge base needs git 2.40."""
    git = repository.git
    tip = base
    for commit in reversed(await git.log("--no-merges", f"{base}..{pull.head_sha}")):
        parent = commit.parents[0] if commit.parents else base
        # A pick is the merge of the tip and the commit where the commit's parent counts as the common ancestor.
        ancestor = await git.commit_tree(f"{parent}^{{tree}}", [], "base", hub.web_flow(), hub.web_flow())
        ours = await git.commit_tree(f"{tip}^{{tree}}", [ancestor], "ours", hub.web_flow(), hub.web_flow())
        theirs = await git.commit_tree(commit.tree, [ancestor], "theirs", hub.web_flow(), hub.web_flow())
        tree = await _tree(repository, ours, theirs)
        tip = await git.commit_tree(tree, [tip], commit.message, commit.author, person(hub, actor))
    return tip


async def update_branch(hub: Hub, repository: Repository, pull: Pull, actor: Account) -> str:
    """Merge the base into the head. Raises PullError."""
    base = await repository.git.branch(pull.base_ref)
    source = pull.head_repository
    if base is None or source is None or await repository.git.merge_base(base, pull.head_sha) == base:
        raise PullError("There are no new commits on the base branch.")
    tree = await repository.git.merge_tree(pull.head_sha, base)
    if tree is None:
        raise PullError("merge conflict between base and head")
    text = f"Merge branch '{pull.base_ref}' into {pull.head_ref}"
    tip = await repository.git.commit_tree(tree, [pull.head_sha, base], text, person(hub, actor), hub.web_flow())
    if source is not repository:
        await source.git.run("fetch", "--quiet", "--no-tags", str(repository.git.path), tip)
    before = await source.git.refs("refs/heads/")
    await source.git.update_ref(f"refs/heads/{pull.head_ref}", tip)
    await refs_moved(hub, source, before, {**before, f"refs/heads/{pull.head_ref}": tip}, actor)
    return tip
