"""The sweep for drift: every so often, what runs is compared with the default branch of each installed repository.

One issue for each target that has drifted. It has a task of its own, one repository at a time, since a slow cluster
must not keep pull requests waiting. Nothing is remembered: what to do follows from GitHub's issues and the clusters.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict

from review_bot.checks.dry_run_words import Rule
from review_bot.core.clusters import Clusters
from review_bot.core.config import parse_config
from review_bot.core.configuration import CONFIG_PATH
from review_bot.core.errors import ReviewBotError
from review_bot.core.jenkins_x.requirements import with_environments
from review_bot.core.model import Finding, Severity, Target
from review_bot.github.client import GitHubApp, Installation
from review_bot.github.errors import Forbidden, GitHubError, RateLimited
from review_bot.github.issues import Issue, Issues
from review_bot.github.mirror import FetchError, Mirrors
from review_bot.github.pulls import repo_path
from review_bot.pipeline.drift import Drift, drift
from review_bot.pipeline.review import Reviewer
from review_bot.server import drift_issue
from review_bot.server.metrics import Metrics
from review_bot.server.sweep import repositories

log = logging.getLogger("review_bot.drift")
# These say that something could not be compared even where they weigh little at reviews.
UNCOMPARED = frozenset([Rule.CLUSTER, Rule.FORBIDDEN, Rule.SKIPPED])


class DriftSweep:
    """Compares and keeps the issues of every repository on which the App is installed."""

    def __init__(
        self, github: GitHubApp, mirrors: Mirrors, clusters: Clusters, reviewer: Reviewer, metrics: Metrics
    ) -> None:
        self._github, self._mirrors, self._clusters = github, mirrors, clusters
        self._reviewer, self._metrics = reviewer, metrics

    async def run(self, login: str) -> None:
        """Sweep until cancelled; `login` is the one that the App's issues bear."""
        while True:
            started = time.monotonic()
            await self._sweep(login)
            await asyncio.sleep(max(0.0, started + self._clusters.pace.drift - time.monotonic()))

    async def _sweep(self, login: str) -> None:
        try:
            for id in await self._github.installation_ids():
                api = self._github.installation(id)
                for repository in await repositories(api):
                    await self._one(api, repository, login)
        except Exception as error:
            # The next sweep is a new one; an error that got out would end the service.
            log.error("the sweep for drift ended early: %s", error, exc_info=not isinstance(error, GitHubError))
            self._metrics.drift_swept("failed")

    async def _one(self, api: Installation, repository: str, login: str) -> None:
        """A repository that fails must not keep the others; a rate limit concerns them all."""
        try:
            complete = await self.look(api, repository, login)
            self._metrics.drift_swept("complete" if complete else "incomplete")
        except RateLimited:
            raise
        except Exception as error:
            expected = isinstance(error, GitHubError | FetchError | ReviewBotError)
            log.error("drift of %s: %s", repository, error, exc_info=None if expected else error)
            self._metrics.drift_swept("failed")

    async def look(self, api: Installation, repository: str, login: str) -> bool:
        """Compare one repository; was everything compared? Raises GitHubError, FetchError, ReviewBotError."""
        branch = str((await api.get(repo_path(repository)))["default_branch"])
        git, tip = await self._mirrors.fetch_branch(repository, branch, await api.git_token(repository))
        tree = git.tree(tip)
        config = await asyncio.to_thread(lambda: with_environments(parse_config(tree.read(CONFIG_PATH)), tree))
        found = await drift(self._reviewer, git, tree, config, self._clusters)
        unsure = frozenset(t.target.id for t in found.targets if _unsure(t.target, found.findings))
        for text in sorted({f.message for f in found.findings if _weighs(f)}):
            log.warning("drift of %s: not everything could be compared: %s", repository, text)
        self._count(repository, found, unsure)
        try:
            await _Keeper(Issues(api, repository, login), branch).keep(found, unsure)
        except Forbidden as error:
            log.warning("no issues about drift in %s, for want of a permission: %s", repository, error)
        return not unsure

    def _count(self, repository: str, found: Drift, unsure: frozenset[str]) -> None:
        """A cluster that could not be asked about everything keeps its last figure."""
        objects: dict[str, int] = defaultdict(int)
        for one in found.targets:
            objects[one.cluster] += len(one.changes)
        for cluster in objects.keys() - {t.cluster for t in found.targets if t.target.id in unsure}:
            self._metrics.drifted(repository, cluster, objects[cluster])


class _Keeper:
    """Brings the issues of one repository into line with what was found."""

    def __init__(self, issues: Issues, branch: str) -> None:
        self._issues, self._branch = issues, branch

    async def keep(self, found: Drift, unsure: frozenset[str]) -> None:
        left = await self._issues.open(drift_issue.MARK)
        for one in found.targets:
            mark = drift_issue.marker(one.target)
            own = [i for i in left if mark in i.body]
            left = [i for i in left if i not in own]
            await self._close(own[1:], drift_issue.TWICE)
            if one.target.id in unsure and (own or not one.changes):
                continue  # what was seen last is the best that is known
            if one.changes:
                title, body = drift_issue.title(one), drift_issue.body(one, self._branch)
                await self._issues.write(own[0] if own else None, title, body)
            else:
                await self._close(own[:1], drift_issue.GONE)
        await self._close(left, drift_issue.NO_TARGET)

    async def _close(self, issues: list[Issue], sentence: str) -> None:
        for issue in issues:
            await self._issues.close(issue, sentence)


def _weighs(finding: Finding) -> bool:
    """Does it say that something could not be compared?"""
    return finding.severity is Severity.ERROR or finding.rule in UNCOMPARED


def _unsure(target: Target, findings: tuple[Finding, ...]) -> bool:
    return any(_weighs(f) and _concerns(f, target) for f in findings)


def _concerns(finding: Finding, target: Target) -> bool:
    if finding.target is not None:
        return finding.target == target.id
    if finding.rule == Rule.CLUSTER or finding.path is None or target.reads is None:
        return True
    return finding.path in target.reads
