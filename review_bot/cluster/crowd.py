"""Do many small pieces of blocking work at once, and stop at a deadline whatever the pieces do."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    work: Callable[[Item], Result], items: Sequence[Item], *, threads: int, deadline: float
) -> list[Result | None]:
    """The results in the items' order, None for those that were not done by `deadline` (of time.monotonic).

    The first exception ends it all and is raised. A piece that hangs is left behind in a thread that keeps nobody
    from exiting.
    """
    results: list[Result | None] = [None] * len(items)
    errors: list[BaseException] = []
    pending: queue.SimpleQueue[int] = queue.SimpleQueue()
    for index in range(len(items)):
        pending.put(index)
    stop = threading.Event()

    def labour() -> None:
        while not stop.is_set():
            try:
                index = pending.get_nowait()
            except queue.Empty:
                return
            try:
                results[index] = work(items[index])
            except BaseException as error:
                errors.append(error)
                stop.set()

    crew = [threading.Thread(target=labour, daemon=True) for _ in range(min(threads, len(items)))]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join(max(0.0, deadline - time.monotonic()))
    stop.set()
    if errors:
        raise errors[0]
    # A copy: a straggler must not change what was returned.
    return list(results)
