"""What everything shares: the world, tokens, webhooks, and the events that changes send."""

from __future__ import annotations

from typing import Any

from review_bot.demo.github import protection, render_checks, render_commits, render_pulls
from review_bot.demo.github.accounts import Account
from review_bot.demo.github.check_state import CheckRun, CheckSuite
from review_bot.demo.github.git import Person
from review_bot.demo.github.limits import Limits
from review_bot.demo.github.state import Comment, Figures, Issue, LineComment, Pull, Repository, Review
from review_bot.demo.github.tokens import Tokens
from review_bot.demo.github.webhooks import Webhooks
from review_bot.demo.github.world import World

Json = dict[str, Any]


class Hub:
    def __init__(self, world: World) -> None:
        self.world = world
        self.tokens = Tokens(world)
        self.webhooks = Webhooks(world)
        self.limits = Limits(world)

    async def settle(self, repository: Repository, pull: Pull) -> Figures | None:
        """Bring up to date what GitHub computes of an open pull request, and its refs/pull/N/merge."""
        async with pull.settling:
            base = await repository.git.branch(pull.base_ref) or pull.base_sha
            if not pull.merged and pull.figures_of != (base, pull.head_sha):
                await self._compute(repository, pull, base)
        return pull.figures

    async def _compute(self, repository: Repository, pull: Pull, base: str) -> None:
        git = repository.git
        start = await git.merge_base(base, pull.head_sha)
        merged = await self._test_merge(repository, pull, base)
        files = await repository.diffs.between(start, pull.head_sha) if start else []
        pull.figures = Figures(
            merge_base=start,
            mergeable=merged is not None,
            merge_commit=merged,
            commits=await git.count(f"{base}..{pull.head_sha}"),
            additions=sum(file.additions for file in files),
            deletions=sum(file.deletions for file in files),
            files=len(files),
            behind=start != base,
        )
        pull.figures_of = (base, pull.head_sha)
        pull.merge_commit_sha = merged

    async def _test_merge(self, repository: Repository, pull: Pull, base: str) -> str | None:
        """The commit at refs/pull/N/merge; None where the two conflict."""
        git = repository.git
        tree = await git.merge_tree(base, pull.head_sha)
        merged = None
        if tree is not None:
            message = f"Merge {pull.head_sha} into {base}"
            web_flow = self.web_flow()
            merged = await git.commit_tree(tree, [base, pull.head_sha], message, web_flow, web_flow)
        if pull.state == "open":
            await git.update_ref(f"refs/pull/{pull.number}/merge", merged)
        return merged

    def web_flow(self) -> Person:
        """GitHub itself as the committer of what it makes."""
        return Person("GitHub", "noreply@github.com", self.world.now().isoformat())

    # Events

    def emit(self, event: str, action: str | None, payload: Json, repository: Repository, sender: Account) -> None:
        installation = self.world.installation_of(repository)
        self.webhooks.emit(event, action, payload, installation=installation, repository=repository, sender=sender)

    async def pull_json(self, repository: Repository, pull: Pull) -> Json:
        await self.settle(repository, pull)
        box = protection.merge_box(self.world, repository, pull)
        return render_pulls.full_pull(self.world, repository, pull, box.state)

    async def pull_event(self, repository: Repository, pull: Pull, action: str, sender: Account, **extra: Any) -> None:
        payload = {"number": pull.number, "pull_request": await self.pull_json(repository, pull), **extra}
        self.emit("pull_request", action, payload, repository, sender)

    async def review_event(
        self, repository: Repository, pull: Pull, review: Review, action: str, sender: Account, **extra: Any
    ) -> None:
        shown = render_pulls.review(self.world, repository, pull, review)
        shown["state"] = review.state.lower()
        shown.setdefault("submitted_at", None)
        payload = {"review": shown, "pull_request": render_pulls.pull(self.world, repository, pull), **extra}
        self.emit("pull_request_review", action, payload, repository, sender)

    async def line_comment_event(
        self, repository: Repository, pull: Pull, comment: LineComment, action: str, sender: Account, **extra: Any
    ) -> None:
        payload = {
            "comment": render_pulls.line_comment(self.world, repository, pull, comment),
            "pull_request": render_pulls.pull(self.world, repository, pull),
            **extra,
        }
        self.emit("pull_request_review_comment", action, payload, repository, sender)

    def comment_event(
        self, repository: Repository, issue: Issue, comment: Comment, action: str, sender: Account, **extra: Any
    ) -> None:
        payload = {
            "issue": render_pulls.issue(self.world, repository, issue),
            "comment": render_pulls.comment(self.world, repository, issue, comment),
            **extra,
        }
        self.emit("issue_comment", action, payload, repository, sender)

    async def check_run_event(self, repository: Repository, run: CheckRun, action: str, sender: Account) -> None:
        shown = render_checks.check_run(self.world, repository, run)
        suite = repository.suites[run.suite_id]
        whole = await self.suite_json(repository, suite)
        shown["check_suite"] = {
            name: value
            for name, value in whole.items()
            if name not in ("head_commit", "latest_check_runs_count", "check_runs_url", "rerequestable")
        }
        self.emit("check_run", action, {"check_run": shown}, repository, sender)

    async def suite_json(self, repository: Repository, suite: CheckSuite) -> Json:
        head = await repository.git.commit(suite.head_sha)
        return render_checks.check_suite(self.world, repository, suite, head)

    async def suite_event(self, repository: Repository, suite: CheckSuite, action: str, sender: Account) -> None:
        self.emit("check_suite", action, {"check_suite": await self.suite_json(repository, suite)}, repository, sender)

    def suite_for(self, repository: Repository, sha: str, branch: str | None, before: str | None) -> CheckSuite:
        """The App's suite of a commit, made if there is none yet."""
        for suite in repository.suites.values():
            if suite.head_sha == sha:
                return suite
        now = self.world.now()
        made = CheckSuite(self.world.next_id(), self.world.app.id, sha, branch, before, now, now)
        repository.suites[made.id] = made
        return made

    async def push_event(
        self, repository: Repository, ref: str, before: str, after: str, sender: Account, commits: list[Json]
    ) -> None:
        gone = set(after) == {"0"}
        head = None if gone else await self._push_commit(repository, after)
        payload = {
            "ref": ref,
            "before": before,
            "after": after,
            "created": set(before) == {"0"},
            "deleted": gone,
            "forced": await self._forced(repository, before, after),
            "base_ref": None,
            "compare": f"{self.world.url}/{repository.full_name}/compare/{before[:12]}...{after[:12]}",
            "commits": commits,
            "head_commit": head,
            "pusher": {"name": sender.login, "email": sender.email},
        }
        self.emit("push", None, payload, repository, sender)

    async def _forced(self, repository: Repository, before: str, after: str) -> bool:
        if set(before) == {"0"} or set(after) == {"0"}:
            return False
        return await repository.git.merge_base(before, after) != before

    async def _push_commit(self, repository: Repository, sha: str) -> Json:
        found = await repository.git.commit(sha)
        simple = render_commits.simple_commit(found)
        address = f"{self.world.url}/{repository.full_name}/commit/{sha}"
        return {**simple, "distinct": True, "url": address, "added": [], "removed": [], "modified": []}

    async def push_commits(self, repository: Repository, before: str, after: str) -> list[Json]:
        """The newest 20 commits of a push, the oldest first; GitHub sends up to 2,048."""
        if set(after) == {"0"}:
            return []
        span = [after] if set(before) == {"0"} else [f"{before}..{after}"]
        found = await repository.git.log("--max-count=20", *span)
        return [await self._push_commit(repository, commit.sha) for commit in reversed(found)]
