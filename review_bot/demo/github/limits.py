"""Rate limits, counted as GitHub counts them, so that tests can assert budgets."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from review_bot.demo.github.accounts import Actor
from review_bot.demo.github.world import World

PER_HOUR = 5000
CONTENT_PER_MINUTE = 80
CONTENT_PER_HOUR = 500


class Limits:
    """Calls within the hour by who makes them. Refusing is up to the server."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._used: Counter[str] = Counter()
        self._reset: dict[str, datetime] = {}

    def headers(self, actor: Actor, calls: int) -> dict[str, str]:
        """Count calls and give the headers that go with their answer."""
        key = self._key(actor)
        now = self._world.now()
        if self._reset.get(key, now) <= now:
            self._reset[key], self._used[key] = now + timedelta(hours=1), 0
        self._used[key] += calls
        core = self.core(actor)
        return {f"x-ratelimit-{name}": str(value) for name, value in core.items()} | {"x-ratelimit-resource": "core"}

    def core(self, actor: Actor) -> dict[str, int]:
        key = self._key(actor)
        limit = 60 if actor.kind == "anonymous" else PER_HOUR
        used = self._used[key]
        reset = self._reset.get(key, self._world.now() + timedelta(hours=1))
        return {"limit": limit, "remaining": max(0, limit - used), "used": used, "reset": int(reset.timestamp())}

    @staticmethod
    def _key(actor: Actor) -> str:
        if actor.installation:
            return f"installation:{actor.installation.id}"
        return f"{actor.kind}:{actor.account.login if actor.account else ''}"

    def content_is_used_up(self, actor: Actor) -> bool:
        """Whether an installation has written as much as GitHub lets it within a minute or an hour."""
        if actor.installation is None:
            return False
        now, ours = self._world.now(), actor.installation.id
        times = [r.at for r in self._world.requests if r.creates_content and r.installation == ours and r.status < 400]
        minute = sum(1 for t in times if t > now - timedelta(minutes=1))
        hour = sum(1 for t in times if t > now - timedelta(hours=1))
        return minute >= CONTENT_PER_MINUTE or hour >= CONTENT_PER_HOUR

    def most_content(self, window: timedelta, installation: int | None = None) -> int:
        """The largest number of content-creating requests in any span of that length."""
        times = [
            r.at
            for r in self._world.requests
            if r.creates_content and (installation is None or r.installation == installation)
        ]
        return max((sum(1 for t in times if start <= t < start + window) for start in times), default=0)
