"""What is wanted is looked at, whatever comes in between."""

from __future__ import annotations

import asyncio
from pathlib import Path

from review_bot.github.webhook import Wish
from review_bot.server.metrics import Metrics
from review_bot.server.store import Store, Work
from review_bot.server.worker import Worker

KEY = "pull:org/config#7"


def test_a_look_that_is_stopped_before_it_has_begun_is_done_all_the_same(tmp_path: Path) -> None:
    """A push may come in between the moment that a look is due and its first step."""
    store, looked = Store(tmp_path / "db.sqlite"), asyncio.Event()

    async def handle(_work: Work) -> None:
        looked.set()

    async def tell(_work: Work, _error: Exception) -> None:
        raise AssertionError("nothing fails here")

    async def story() -> None:
        worker = Worker(store, handle, tell, Metrics(), parallel=2)
        store.want([Wish(KEY, 5)])
        running = asyncio.create_task(worker.run())
        # The worker takes its first step, in which it makes the look; that has not begun when we go on.
        await asyncio.sleep(0)
        assert worker.busy == 1
        push = Wish(KEY, 5, interrupt=True)
        store.want([push])
        worker.notice([push])
        await asyncio.wait_for(looked.wait(), 20)
        while worker.busy:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(story())
    assert store.waiting() == 0
    store.close()
