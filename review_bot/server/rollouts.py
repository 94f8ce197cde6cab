"""Follow merges into the clusters: what Argo CD and Flux say there, told in one comment on each pull request.

What is followed is in the store, so that a restart goes on with it; what the comment says is found again by its marker.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import replace

from review_bot.cluster import deliverers, delivery
from review_bot.cluster.client import ClusterClient
from review_bot.cluster.connection import server_of
from review_bot.cluster.deliverers import Deliverers
from review_bot.cluster.matching import Origin, Place
from review_bot.core.clusters import Clusters, ClusterSettings
from review_bot.core.config import parse_config
from review_bot.core.configuration import CONFIG_PATH
from review_bot.core.errors import ClusterError, ReviewBotError
from review_bot.core.jenkins_x.requirements import with_environments
from review_bot.core.model import Target
from review_bot.core.planning import plan
from review_bot.github import revert
from review_bot.github.client import GitHubApp, Installation
from review_bot.github.conversation import Conversation
from review_bot.github.errors import Forbidden, GitHubError
from review_bot.github.git_process import GitError
from review_bot.github.mirror import Fetched, FetchError, Mirrors
from review_bot.github.pulls import PullReader, PullRequest, repo_path
from review_bot.github.workspace import Repository
from review_bot.server import rollout
from review_bot.server.rollout import Aim, Rollout, Seen
from review_bot.server.store import Store

log = logging.getLogger("review_bot.rollout")


class Lineage:
    """Which commits have a merge; `unknown` are those that the mirror lacks."""

    def __init__(self, git: Repository, merge: str) -> None:
        self._git, self._merge = git, merge
        self.unknown: set[str] = set()

    def contains(self, commit: str) -> bool:
        """Is it the merge or a descendant of it?"""
        if not commit:
            return False
        try:
            full = self._git.resolve(commit)
        except ReviewBotError:
            self.unknown.add(commit)
            return False
        try:
            return self._git.merge_base(self._merge, full) == self._merge
        except ReviewBotError:
            return False


class Rollouts:
    """All merges that are followed. `begin` is called at each look at a merged pull request, `run` is the task."""

    def __init__(
        self, github: GitHubApp, store: Store, mirrors: Mirrors, clusters: Clusters, github_url: str, login: str
    ) -> None:
        self._github, self._store, self._mirrors, self._clusters = github, store, mirrors, clusters
        self._url, self._login = github_url, login

    async def begin(self, api: Installation, pull: PullRequest) -> None:
        """Follow it, unless that was begun before or it is too old. Raises GitHubError, FetchError."""
        late = time.time() - rollout.seconds(pull.merged_at) > self._clusters.pace.rollout
        if late or self._store.has_rollout(pull.repository, pull.number):
            return
        default = str((await api.get(repo_path(pull.repository)))["default_branch"]) == pull.base_ref
        token = await api.git_token(pull.repository)
        fetched = await self._mirrors.fetch(pull.repository, pull.number, pull.base_ref, pull.head_sha, token)
        try:
            aims = await asyncio.to_thread(self._aims, pull, fetched)
        except (GitError, ReviewBotError) as error:
            log.warning("the rollout of %s#%s can't be followed: %s", pull.repository, pull.number, error)
            aims = ()
        made = rollout.begun(pull, api.id, default, aims)
        self._store.keep_rollout(pull.repository, pull.number, made.dump(), finished=made.over)

    def _aims(self, pull: PullRequest, fetched: Fetched) -> tuple[Aim, ...]:
        """The folders that the merge touches and that go to a cluster."""
        git = fetched.repository
        since = revert.before(git.path, pull.merge_sha, pull.head_sha, pull.commits)
        base, head = git.tree(since), git.tree(pull.merge_sha)
        config = with_environments(parse_config(head.read(CONFIG_PATH)), head)
        planned = plan(base, head, git.changes(since, pull.merge_sha), config)
        found = (self._aim(p.head) for p in planned if p.head is not None)
        return tuple(dict.fromkeys(a for a in found if a is not None))

    def _aim(self, target: Target) -> Aim | None:
        settings = self._clusters.of(target)
        if settings is None:
            return None
        return Aim(settings.name, target.environment or settings.name, target.path)

    async def run(self) -> None:
        """Look at everything that is followed, until cancelled."""
        while True:
            try:
                await self._look_at_all()
            except Exception:
                # An error that got out would end the service.
                log.exception("the look at what is rolled out ended early")
            await asyncio.sleep(self._clusters.pace.rollout_look)

    async def _look_at_all(self) -> None:
        followed = [Rollout.load(text) for text in await asyncio.to_thread(self._store.open_rollouts)]
        names = {self._hub(aim.cluster) for one in followed for aim in one.aims if aim.done is None}
        asked = [s for s in map(self._settings, sorted(names)) if s is not None]
        views = await asyncio.gather(*(asyncio.to_thread(_view, s) for s in asked))
        found = {s.name: view for s, view in zip(asked, views, strict=True)}
        for one in followed:
            await self._follow(one, found)

    async def _follow(self, one: Rollout, views: Mapping[str, Deliverers | ClusterError]) -> None:
        """One that fails must not keep the others; it is looked at again soon."""
        try:
            await self._look(one, views)
        except Exception as error:
            expected = isinstance(error, GitHubError | FetchError | ReviewBotError)
            what = f"{one.repository}#{one.number}"
            log.error("rollout of %s: %s", what, error, exc_info=None if expected else error)

    async def _look(self, one: Rollout, views: Mapping[str, Deliverers | ClusterError]) -> None:
        api, now = self._github.installation(one.installation), time.time()
        lineage = await self._lineage(api, one, views)
        seen, aims = {}, []
        for aim in one.aims:
            found = await asyncio.to_thread(self._seen, one, aim, views.get(self._hub(aim.cluster)), lineage)
            idle = found is None and aim.done is None
            after = replace(aim, idle=True) if idle else rollout.moved(aim, found or Seen(), one.merged, now)
            seen[after] = found or Seen()
            aims.append(after)
        moved = replace(one, aims=tuple(aims))
        limit = self._clusters.pace.rollout
        late = not moved.over and now - one.merged > limit
        moved = replace(moved, said=rollout.text(moved, seen, limit, late=late))
        if moved.said != one.said:
            await self._say(api, moved)
        if moved != one or late:
            self._store.keep_rollout(one.repository, one.number, moved.dump(), finished=moved.over or late)

    async def _lineage(
        self, api: Installation, one: Rollout, views: Mapping[str, Deliverers | ClusterError]
    ) -> Lineage:
        """What the mirror knows, brought up to date where a tool is at a commit that it lacks."""
        git = await asyncio.to_thread(self._mirrors.local, one.repository)
        if git is not None:
            lineage = Lineage(git, one.sha)
            for aim in one.aims:
                await asyncio.to_thread(self._deliveries, one, aim, views.get(self._hub(aim.cluster)), lineage)
            if not lineage.unknown:
                return lineage
        token = await api.git_token(one.repository)
        return Lineage((await self._mirrors.fetch_branch(one.repository, one.branch, token))[0], one.sha)

    async def _say(self, api: Installation, one: Rollout) -> None:
        if not one.said:
            return
        comments = await PullReader(api, one.repository).comments(one.number)
        conversation = Conversation(api, one.repository, self._login)
        try:
            await conversation.comment(one.number, one.said, comments, rollout.MARK)
        except Forbidden as error:
            log.warning("nothing about the rollout of %s#%s: %s", one.repository, one.number, error)

    def _seen(self, one: Rollout, aim: Aim, view: Deliverers | ClusterError | None, lineage: Lineage) -> Seen | None:
        """What there is to say of an aim, None if its cluster has no delivery tool."""
        if aim.done is not None or aim.idle:
            return Seen() if aim.done is not None else None
        settings = self._settings(self._hub(aim.cluster))
        if settings is None or view is None:
            return Seen(trouble=f"the operator's file has no cluster {aim.cluster} any more")
        if isinstance(view, ClusterError):
            return Seen(trouble=view.message)
        if not view.served:
            return None
        found = Seen(self._deliveries(one, aim, view, lineage))
        failed = rollout.worst_of(found)
        return found if failed is None else replace(found, events=_events(settings, failed))

    def _deliveries(
        self, one: Rollout, aim: Aim, view: Deliverers | ClusterError | None, lineage: Lineage
    ) -> tuple[delivery.Delivery, ...]:
        if not isinstance(view, Deliverers) or aim.done is not None:
            return ()
        origin = Origin(f"{self._url}/{one.repository}", one.branch, one.default, aim.path)
        return tuple(delivery.of(match, lineage.contains) for match in view.of(origin, self._place(aim.cluster)))

    def _hub(self, name: str) -> str:
        """The cluster in which the delivery tool's objects lie that deploy to this one."""
        settings = self._settings(name)
        return settings.hub or name if settings is not None else name

    def _place(self, name: str) -> Place:
        """The cluster as the objects in its hub call it."""
        if self._hub(name) != name:
            return self._reached(name)
        reached = (other for other, settings in self._clusters.by_name.items() if settings.hub == name)
        return Place(others=tuple(self._reached(other) for other in reached))

    def _reached(self, name: str) -> Place:
        settings = self._settings(name)
        server = server_of(settings) if settings is not None else None
        return Place(frozenset([name]), frozenset([server]) if server else frozenset())

    def _settings(self, name: str) -> ClusterSettings | None:
        every = self._clusters.every
        return every if every is not None and every.name == name else self._clusters.by_name.get(name)


def _view(settings: ClusterSettings) -> Deliverers | ClusterError:
    try:
        client = ClusterClient(settings)
    except ClusterError as error:
        return error
    try:
        return deliverers.read(client)
    except ClusterError as error:
        return error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return ClusterError(f"the cluster {settings.name} gives an answer that can't be read: {error}")
    finally:
        client.close()


def _events(settings: ClusterSettings, failed: delivery.Delivery) -> tuple[str, ...]:
    try:
        client = ClusterClient(settings)
    except ClusterError:
        return ()
    try:
        return deliverers.events(client, failed)
    finally:
        client.close()
