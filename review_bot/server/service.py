"""The whole service put together: front, store, worker, GitHub; started and stopped as one."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from aiohttp import web

from review_bot.checks.opa_server import OpaServers
from review_bot.core.clusters import Clusters
from review_bot.core.errors import UsageError
from review_bot.github.client import AppIdentity, GitHubApp, Installation
from review_bot.github.errors import GitHubError
from review_bot.github.mirror import Mirrors
from review_bot.github.people import People
from review_bot.github.webhook import Wish
from review_bot.pipeline.review import Reviewer
from review_bot.server import sweep
from review_bot.server.after_merge import AfterMerge
from review_bot.server.answers import Answers
from review_bot.server.app import Front
from review_bot.server.drift_sweep import DriftSweep
from review_bot.server.follow_up import FollowUp
from review_bot.server.groups import Groups
from review_bot.server.look import Identity, Looker, Unsaid, reason_of
from review_bot.server.merging import Merging
from review_bot.server.metrics import Metrics
from review_bot.server.proposals import Proposals
from review_bot.server.reviewers import Reviewers
from review_bot.server.rollback import Rollback
from review_bot.server.rollouts import Rollouts
from review_bot.server.settings import Settings
from review_bot.server.store import Store, Work
from review_bot.server.waiving import Waiving
from review_bot.server.worker import Worker

log = logging.getLogger("review_bot.service")
SWEEP_SECONDS = 600.0
RETRY_SECONDS = 5.0
PARALLEL = max(2, os.cpu_count() or 2)


class Service:
    """One process of the bot. `async with service.running() as port:` serves until the block ends."""

    def __init__(self, settings: Settings, host: str = "0.0.0.0") -> None:  # noqa: S104
        self._settings, self._host = settings, host
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(settings.state_dir / "lock")
        self._store = Store(settings.database)
        self._github = GitHubApp(AppIdentity(settings.app_id, settings.private_key, settings.api_url))
        self._mirrors = Mirrors(settings.state_dir / "mirrors", settings.github_url)
        self._opa = OpaServers()
        self._reviewer = Reviewer(
            cache=settings.state_dir,
            engine=self._opa,
            clusters=settings.clusters,
            terraform=settings.terraform,
            remotes=settings.remotes,
            images=settings.images,
        )
        self._metrics = Metrics()
        self._store.audit.watch(self._metrics.recorded)
        self._worker = Worker(self._store, self._handle, self._tell, self._metrics, PARALLEL)
        self._front = Front(settings.webhook_secret, self._store, self._metrics, self._worker.notice, self._trouble)
        self._identity: Identity | None = None
        self._refused = "GitHub was not asked yet who this App is"
        self._lookers: dict[int, Looker] = {}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Serve; yields the port. Work under way at the end is taken up again at the next start."""
        await asyncio.to_thread(self._store.tidy)
        runner = web.AppRunner(self._front.application(), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, self._host, self._settings.port)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            raise UsageError(
                f"port {self._settings.port} can't be listened on: {error.strerror}", help="set PORT"
            ) from error
        background = asyncio.create_task(self._background())
        try:
            yield int(runner.addresses[0][1])
        finally:
            background.cancel()
            await asyncio.gather(background, return_exceptions=True)
            await runner.cleanup()
            await self._opa.close()
            self._github.close()
            self._store.close()
            os.close(self._lock)

    async def idle(self) -> None:
        """Return once nothing is left to look at: for the demo, which tells a story in order."""
        # The queue is in the database, which wakes nobody.
        while self._worker.busy or await asyncio.to_thread(self._store.waiting):  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    async def _background(self) -> None:
        await self._introduce()
        async with asyncio.TaskGroup() as group:
            group.create_task(_kept_up(self._worker.run))
            group.create_task(_kept_up(self._sweeps))
            if self._settings.clusters is not None and self._identity is not None:
                clusters, reviewer = self._settings.clusters, self._reviewer
                drift = DriftSweep(self._github, self._mirrors, clusters, reviewer, self._metrics)
                login = self._identity.login
                group.create_task(_kept_up(lambda: drift.run(login)))
                group.create_task(_kept_up(self._rollouts(self._settings.clusters, login).run))

    async def _introduce(self) -> None:
        """Learn who we are; until then nothing can be done, and /readyz says why."""
        while self._identity is None:
            try:
                about = await self._github.about()
                slug = str(about["slug"])
                self._front.app_slug = slug
                self._identity = Identity(int(about["id"]), f"{slug}[bot]")
                log.info("this is the App %s", slug)
            except (GitHubError, KeyError, ValueError) as error:
                self._refused = f"GitHub does not say who this App is: {error}"
                log.error("%s; check GITHUB_APP_ID, the private key and GITHUB_API_URL", self._refused)
                await asyncio.sleep(RETRY_SECONDS)

    def _trouble(self) -> str:
        return "" if self._identity is not None else self._refused

    async def _sweeps(self) -> None:
        while True:
            try:
                ids = await self._github.installation_ids()
                wishes = [Wish("sweep", id) for id in ids]
                await asyncio.to_thread(self._store.want, wishes)
                self._worker.notice(wishes)
                await asyncio.sleep(SWEEP_SECONDS)
            except GitHubError as error:
                log.error("the sweep could not be begun: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    def _looker(self, installation: int) -> Looker:
        if installation not in self._lookers:
            assert self._identity is not None  # noqa: S101 - the worker starts after the introduction
            api = self._github.installation(installation)
            after, follow = self._after_merge(api, self._identity.login), self._follow_up(api, self._identity.login)
            self._lookers[installation] = Looker(
                api, self._identity, self._store, self._mirrors, self._reviewer, after.look, follow.look
            )
        return self._lookers[installation]

    def _groups(self, installation: int) -> Groups:
        looker, api = self._looker(installation), self._github.installation(installation)
        assert self._identity is not None  # noqa: S101 - as above
        id = self._identity.app_id
        return Groups(api, id, self._store, self._mirrors, self._reviewer, looker.look)

    def _follow_up(self, api: Installation, login: str) -> FollowUp:
        waiving = Waiving(self._proposals(api, login))
        answers = Answers(api, login, self._store, self._metrics, waiving.answer)
        return FollowUp(api, self._store, answers, Reviewers(api, self._store), Merging(api, login, self._store))

    def _proposals(self, api: Installation, login: str) -> Proposals:
        return Proposals(api, login, self._store, self._mirrors, self._settings.github_url)

    def _after_merge(self, api: Installation, login: str) -> AfterMerge:
        clusters = self._settings.clusters
        rollback = Rollback(api, login, self._mirrors, People(api), self._proposals(api, login))
        return AfterMerge(api, rollback, self._rollouts(clusters, login) if clusters is not None else None)

    def _rollouts(self, clusters: Clusters, login: str) -> Rollouts:
        return Rollouts(self._github, self._store, self._mirrors, clusters, self._settings.github_url, login)

    async def _handle(self, work: Work) -> None:
        kind, _, rest = work.key.partition(":")
        if kind == "pull":
            repository, _, number = rest.rpartition("#")
            await self._looker(work.installation).look(repository, int(number), fresh=work.fresh)
            return
        if kind == "group":
            repository, _, branch = rest.partition(":")
            await self._groups(work.installation).look(repository, branch)
            return
        if kind == "people":
            self._looker(work.installation).people_changed()
        api = self._github.installation(work.installation)
        wishes = await sweep.expand(work.key, api, self._store, fresh=work.fresh)
        await asyncio.to_thread(self._store.want, wishes)
        self._worker.notice(wishes)

    async def _tell(self, work: Work, error: Exception) -> None:
        kind, _, rest = work.key.partition(":")
        if kind == "pull" and not isinstance(error, Unsaid):
            repository, _, number = rest.rpartition("#")
            await self._looker(work.installation).failed(repository, int(number), reason_of(error))
        if kind == "group":
            repository, _, branch = rest.partition(":")
            await self._groups(work.installation).failed(repository, branch, reason_of(error))


async def _kept_up(work: Callable[[], Awaitable[None]]) -> None:
    """Run what never ends; should it break (a full disk, say), begin it again rather than fall silent."""
    while True:
        try:
            await work()
        except Exception as error:
            log.error("%s broke and is begun again: %s", getattr(work, "__qualname__", work), error, exc_info=error)
        await asyncio.sleep(RETRY_SECONDS)


def _lock(path: Path) -> int:
    """Only one process may use a state folder. The lock goes with the process, however that ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise UsageError(
            f"another process uses {path.parent}", help="stop it, or set REVIEW_BOT_STATE_DIR to another folder"
        ) from error
    return handle
