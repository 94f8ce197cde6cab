"""Branch protection: what stands between a pull request and its merge, in GitHub's words."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from review_bot.demo.github.accounts import Account
from review_bot.demo.github.render_checks import latest
from review_bot.demo.github.state import Protection, Pull, Repository, Review
from review_bot.demo.github.world import World

PASSING = ("success", "neutral", "skipped")


@dataclass(frozen=True)
class Requirement:
    """A required check as it stands on a head: `state` is "passing", "failing" or "expected" (nobody reported)."""

    name: str
    state: str
    detail: str


@dataclass(frozen=True)
class MergeBox:
    state: str  # GitHub's mergeable_state
    reasons: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    approvals: int
    approvals_needed: int


def protection_of(repository: Repository, branch: str) -> Protection | None:
    """The rules of a branch: an exact name beats a pattern."""
    if branch in repository.protections:
        return repository.protections[branch]
    return next((rule for pattern, rule in repository.protections.items() if fnmatchcase(branch, pattern)), None)


def requirements(repository: Repository, rule: Protection | None, sha: str) -> tuple[Requirement, ...]:
    return tuple(_requirement(repository, rule, name, sha) for name in rule.required_checks) if rule else ()


def _requirement(repository: Repository, rule: Protection, name: str, sha: str) -> Requirement:
    wanted = rule.apps.get(name)
    runs = latest([r for r in repository.checks.values() if r.head_sha == sha and r.name == name])
    runs = [r for r in runs if wanted is None or r.app == wanted]
    for run in runs:
        if run.status != "completed":
            return Requirement(name, "expected", f"{name} is in progress")
        if run.conclusion not in PASSING:
            return Requirement(name, "failing", f"{name}: {run.conclusion}")
    states = {} if wanted else {s.context: s for s in repository.statuses if s.sha == sha}
    if name in states and states[name].state != "success":
        return Requirement(name, "failing", f"{name}: {states[name].state}")
    if runs or name in states:
        return Requirement(name, "passing", runs[-1].title or "passed" if runs else "passed")
    return Requirement(name, "expected", f"{name} is expected")


def standing(pull: Pull) -> list[Review]:
    """The review of each person that counts: their last one that approves, objects or was dismissed."""
    found: dict[str, Review] = {}
    for review in pull.reviews.values():
        if review.submitted_at and review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            found[review.user.login] = review
    return list(found.values())


def counts(world: World, repository: Repository, account: Account) -> bool:
    """Whether someone's review counts: people with write permission, and Apps that may write contents."""
    if account.kind == "Bot":
        installation = world.installation_of(repository)
        return installation is not None and installation.permissions.get("contents") == "write"
    return world.allows(account, repository, "write")


def approvals(world: World, repository: Repository, pull: Pull) -> list[Account]:
    """Who approves and may: only people with write permission count."""
    return [
        review.user
        for review in standing(pull)
        if review.state == "APPROVED" and counts(world, repository, review.user)
    ]


def objections(world: World, repository: Repository, pull: Pull) -> list[Account]:
    return [
        review.user
        for review in standing(pull)
        if review.state == "CHANGES_REQUESTED" and counts(world, repository, review.user)
    ]


def merge_box(world: World, repository: Repository, pull: Pull) -> MergeBox:
    """The state of the merge button; the pull request's figures must be up to date."""
    rule = protection_of(repository, pull.base_ref)
    needs = requirements(repository, rule, pull.head_sha)
    given = len(approvals(world, repository, pull))
    reasons = [] if rule is None else _reasons(world, repository, pull, rule, needs, given)
    figures = pull.figures
    if figures is None:
        state = "unknown"
    elif not figures.mergeable:
        state = "dirty"
    elif pull.draft:
        state = "draft"
    elif reasons:
        state = "blocked"
    elif rule and rule.strict and figures.behind:
        state = "behind"
    else:
        state = "unstable" if _unstable(repository, pull.head_sha) else "clean"
    return MergeBox(state, tuple(reasons), needs, given, rule.required_approvals if rule else 0)


def _reasons(
    world: World, repository: Repository, pull: Pull, rule: Protection, needs: tuple[Requirement, ...], given: int
) -> list[str]:
    waiting = [n for n in needs if n.state == "expected"]
    failing = [n for n in needs if n.state == "failing"]
    reasons = []
    if len(needs) == 1 and (waiting or failing):
        word = "failing" if failing else "expected"
        reasons.append(f'Required status check "{needs[0].name}" is {word}.')
    elif waiting or failing:
        parts = [f"{len(some)} {word}" for some, word in ((failing, "failing"), (waiting, "expected")) if some]
        missing = f"{len(waiting) + len(failing)} of {len(needs)}"
        reasons.append(f"{missing} required status checks have not succeeded: {' and '.join(parts)}.")
    if rule.required_approvals > given:
        least = rule.required_approvals
        noun = "review is" if least == 1 else "reviews are"
        reasons.append(f"At least {least} approving {noun} required by reviewers with write access.")
    if rule.required_approvals and objections(world, repository, pull):
        reasons.append("Changes have been requested by a reviewer with write access.")
    return reasons


def _unstable(repository: Repository, sha: str) -> bool:
    runs = latest([r for r in repository.checks.values() if r.head_sha == sha])
    states = {s.context: s for s in repository.statuses if s.sha == sha}
    return any(r.conclusion not in PASSING for r in runs) or any(s.state != "success" for s in states.values())
