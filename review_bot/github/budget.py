"""GitHub's limits of points and of created content, kept before GitHub has to remind us. Pure: time is given.

Source: GitHub's REST documentation on secondary rate limits (900 points a minute, a read costs 1 and a write 5; 80
content-creating requests a minute and 500 an hour).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

MINUTE, HOUR = 60.0, 3600.0
POINTS_A_MINUTE, CONTENT_A_MINUTE, CONTENT_AN_HOUR = 900, 80, 500
READ_POINTS, WRITE_POINTS = 1, 5


@dataclass
class _Window:
    """What was spent in the last `seconds`, at most `most`."""

    seconds: float
    most: int
    spent: deque[tuple[float, int]] = field(default_factory=deque)
    total: int = 0

    def free_at(self, cost: int, now: float) -> float:
        """When `cost` can be spent."""
        while self.spent and self.spent[0][0] <= now - self.seconds:
            self.total -= self.spent.popleft()[1]
        over, when = self.total + cost - self.most, now
        for at, amount in self.spent:
            if over <= 0:
                break
            over -= amount
            when = at + self.seconds
        return when

    def spend(self, cost: int, at: float) -> None:
        self.spent.append((at, cost))
        self.total += cost


class Budget:
    """The limits of one installation. Not for several threads at once: guard it by a lock."""

    def __init__(self) -> None:
        self._points = _Window(MINUTE, POINTS_A_MINUTE)
        self._content = (_Window(MINUTE, CONTENT_A_MINUTE), _Window(HOUR, CONTENT_AN_HOUR))

    def take(self, verb: str, now: float) -> float:
        """Spend one request; returns when it may be sent (`now`, or later), in the clock of `now`."""
        points = READ_POINTS if verb == "GET" else WRITE_POINTS
        windows = (self._points, *self._content) if verb == "POST" else (self._points,)
        costs = (points, 1, 1)
        when = max(w.free_at(c, now) for w, c in zip(windows, costs, strict=False))
        for window, cost in zip(windows, costs, strict=False):
            window.spend(cost, when)
        return when
