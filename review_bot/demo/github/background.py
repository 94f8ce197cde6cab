"""The stand-in in a thread of its own, for tests and scripts that are not async themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TypeVar

from review_bot.demo.github.server import StandIn

T = TypeVar("T")
_PATIENCE = 60


class Background:
    """`with Background(StandIn(root)) as running: running.github.add_user(…)`; coroutines go through `call`."""

    def __init__(self, github: StandIn) -> None:
        self.github = github
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="github-stand-in", daemon=True)

    def call(self, make: Callable[[], Awaitable[T]]) -> T:
        """Run what `make` gives in the stand-in's loop, and wait for it."""

        async def run() -> T:
            return await make()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(_PATIENCE)

    def __enter__(self) -> Background:
        self._thread.start()
        self.call(self.github.start)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.call(self.github.stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()
