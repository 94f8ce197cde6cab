"""Takes what is due from the store and looks at it: a few at once, never the same subject twice at a time.

Invariants:
- A wish that comes in during a look leads to one more look, never to several.
- A wish that makes the look under way pointless (`interrupt`) stops it first.
- A failed look is tried again later and later; a rate limit holds the whole installation.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from review_bot.core.errors import ReviewBotError
from review_bot.github.errors import GitHubError, RateLimited
from review_bot.github.mirror import FetchError
from review_bot.github.webhook import Wish
from review_bot.server.metrics import Metrics
from review_bot.server.store import Store, Work

log = logging.getLogger("review_bot.worker")
BACKOFF_SECONDS = (1.0, 5.0, 30.0, 120.0, 600.0)
# From this failure on the pull request is told: the first one may be a hiccup.
TOLD_AFTER = 1
IDLE_SECONDS = 30.0
Handler = Callable[[Work], Awaitable[None]]
Teller = Callable[[Work, Exception], Awaitable[None]]


class Worker:
    """Runs `handle` for each due subject; `tell` says on GitHub that it keeps failing."""

    def __init__(self, store: Store, handle: Handler, tell: Teller, metrics: Metrics, parallel: int) -> None:
        self._store, self._handle, self._tell, self._metrics = store, handle, tell, metrics
        self._parallel = parallel
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopped: set[str] = set()
        self._awake = asyncio.Event()

    def notice(self, wishes: Sequence[Wish]) -> None:
        """New wishes are in the store: wake up, and stop what they make pointless."""
        for wish in wishes:
            if wish.interrupt and wish.key in self._running:
                self._stopped.add(wish.key)
                self._running[wish.key].cancel()
        self._awake.set()

    @property
    def busy(self) -> int:
        return len(self._running)

    async def run(self) -> None:
        """Until cancelled. Looks under way are then stopped; the store still has them."""
        try:
            while True:
                self._awake.clear()
                self._begin()
                wait = self._wait()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._awake.wait()
        finally:
            tasks = list(self._running.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self) -> None:
        free = self._parallel - len(self._running)
        if free <= 0:
            return
        for work in self._store.due(list(self._running), time.time())[:free]:
            task = asyncio.create_task(self._one(work), name=work.key)
            self._running[work.key] = task
            # Not by the task itself: one that is stopped before it has begun runs no line of its own.
            task.add_done_callback(partial(self._ended, work.key))

    def _ended(self, key: str, _task: asyncio.Task[None]) -> None:
        self._stopped.discard(key)
        del self._running[key]
        self._awake.set()

    def _wait(self) -> float:
        due = self._store.next_due(time.time())
        return IDLE_SECONDS if due is None else max(0.05, min(IDLE_SECONDS, due - time.time()))

    async def _one(self, work: Work) -> None:
        started = time.monotonic()
        try:
            await self._handle(work)
            self._store.done(work)
            self._metrics.looked("done", time.monotonic() - started)
        except asyncio.CancelledError:
            if work.key not in self._stopped:
                raise
            log.info("%s: stopped for something newer", work.key)
            self._metrics.looked("stopped", time.monotonic() - started)
        except RateLimited as limited:
            log.warning("%s: %s", work.key, limited)
            self._store.hold(work.installation, limited.until)
            self._metrics.looked("held", time.monotonic() - started)
        except Exception as error:
            await self._failed(work, error)
            self._metrics.looked("failed", time.monotonic() - started)

    async def _failed(self, work: Work, error: Exception) -> None:
        expected = isinstance(error, GitHubError | FetchError | ReviewBotError)
        log.error("%s: %s: %s", work.key, type(error).__name__, error, exc_info=None if expected else error)
        self._store.later(work, time.time() + BACKOFF_SECONDS[min(work.attempts, len(BACKOFF_SECONDS) - 1)])
        if work.attempts >= TOLD_AFTER or not expected:
            try:
                await self._tell(work, error)
            except RateLimited as limited:
                self._store.hold(work.installation, limited.until)
            except Exception as second:
                log.error("%s: could not say so either: %s", work.key, second)
