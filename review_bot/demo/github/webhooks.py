"""Webhooks: payloads are signed and sent in order, in the background, once each, as GitHub does."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

from review_bot.demo.github import render
from review_bot.demo.github.accounts import Account, Installation
from review_bot.demo.github.state import Repository
from review_bot.demo.github.world import World

TIMEOUT_SECONDS = 10
Json = dict[str, Any]
# The permission without which an App does not get an event.
_NEEDS = {
    "check_run": ("checks",),
    "check_suite": ("checks",),
    "issue_comment": ("issues", "pull_requests"),
    "issues": ("issues",),
    "pull_request": ("pull_requests",),
    "pull_request_review": ("pull_requests",),
    "pull_request_review_comment": ("pull_requests",),
    "membership": ("members",),
    "merge_group": ("merge_queues",),
    "push": ("contents",),
    "status": ("statuses",),
}


@dataclass
class Delivery:
    """One webhook delivery; `status` is None until it was sent, 0 where nobody answered."""

    id: int
    guid: str
    event: str
    action: str | None
    payload: bytes
    installation_id: int | None
    repository_id: int | None
    redelivery: bool
    delivered_at: datetime
    status: int | None = None
    duration: float = 0.0
    answer: str = ""

    @property
    def json(self) -> Json:
        return dict(json.loads(self.payload))


@dataclass
class Mishaps:
    """What can happen to deliveries on the way; set by tests."""

    lose: bool = False
    double: bool = False
    reorder: bool = False  # each waits for the next and goes after it
    held: list[Delivery] = field(default_factory=list)


class Webhooks:
    def __init__(self, world: World) -> None:
        self._world = world
        self.url: str | None = None
        self.deliveries: list[Delivery] = []
        self.mishaps = Mishaps()
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._session:
            await self._session.close()

    def emit(
        self,
        event: str,
        action: str | None,
        payload: Mapping[str, Any],
        *,
        installation: Installation | None,
        repository: Repository | None,
        sender: Account,
    ) -> Delivery | None:
        """Record a delivery and send it in the background. An App gets the events of its installations only."""
        world = self._world
        if installation is None or installation.suspended_at:
            return None
        if not self._subscribed(event, installation):
            return None
        whole: Json = {"action": action} if action else {}
        whole |= payload
        if repository is not None:
            whole["repository"] = {**render.repository(world, repository), "custom_properties": {}}
        if installation.account.kind == "Organization" and event != "installation":
            whole["organization"] = render.organisation(world, installation.account)
        whole["sender"] = render.user(world, sender)
        whole.setdefault(
            "installation", {"id": installation.id, "node_id": render.node("Installation", installation.id)}
        )
        return self._enqueue(
            Delivery(
                id=world.next_id(),
                guid=str(uuid.uuid4()),
                event=event,
                action=action,
                payload=json.dumps(whole, separators=(",", ":")).encode(),
                installation_id=installation.id,
                repository_id=repository.id if repository else None,
                redelivery=False,
                delivered_at=world.now(),
            )
        )

    def _subscribed(self, event: str, installation: Installation) -> bool:
        needs = _NEEDS.get(event, ())
        if event in ("installation", "installation_repositories"):
            return True
        granted = not needs or any(name in installation.permissions for name in needs)
        return granted and event in self._world.app.events

    def _enqueue(self, delivery: Delivery) -> Delivery:
        self.deliveries.append(delivery)
        mishaps = self.mishaps
        if mishaps.lose:
            delivery.status = 0
            return delivery
        if mishaps.reorder:
            mishaps.held.insert(0, delivery)
            if len(mishaps.held) < 2:
                return delivery
        else:
            mishaps.held.append(delivery)
        for one in mishaps.held:
            self._queue.put_nowait(one)
            if mishaps.double:
                self._queue.put_nowait(one)
        mishaps.held.clear()
        return delivery

    def redeliver(self, delivery_id: int) -> Delivery:
        """Send a delivery again: a new delivery with the same GUID. Raises KeyError."""
        for old in self.deliveries:
            if old.id == delivery_id:
                again = Delivery(
                    **{
                        **old.__dict__,
                        "id": self._world.next_id(),
                        "redelivery": True,
                        "delivered_at": self._world.now(),
                        "status": None,
                    }
                )
                self.deliveries.append(again)
                self._queue.put_nowait(again)
                return again
        raise KeyError(delivery_id)

    async def drain(self) -> None:
        """Wait until everything that was recorded has been sent (also what was held back)."""
        for one in self.mishaps.held:
            self._queue.put_nowait(one)
        self.mishaps.held.clear()
        await self._queue.join()

    async def _run(self) -> None:
        while True:
            delivery = await self._queue.get()
            try:
                await self._send(delivery)
            finally:
                self._queue.task_done()

    async def _send(self, delivery: Delivery) -> None:
        if self.url is None or self._session is None:
            return
        began = time.monotonic()
        try:
            headers = self._headers(delivery)
            async with self._session.post(self.url, data=delivery.payload, headers=headers) as answer:
                delivery.answer = (await answer.text())[:10_000]
                delivery.status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            delivery.status, delivery.answer = 0, str(error)
        delivery.duration = time.monotonic() - began

    def _headers(self, delivery: Delivery) -> dict[str, str]:
        secret = self._world.app.webhook_secret.encode()
        signed = {name: hmac.new(secret, delivery.payload, name).hexdigest() for name in ("sha256", "sha1")}
        return {
            "Content-Type": "application/json",
            "User-Agent": f"GitHub-Hookshot/{hashlib.sha256(delivery.guid.encode()).hexdigest()[:7]}",
            "X-GitHub-Delivery": delivery.guid,
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Hook-ID": str(self._world.app.id),
            "X-GitHub-Hook-Installation-Target-ID": str(self._world.app.id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-Hub-Signature": f"sha1={signed['sha1']}",
            "X-Hub-Signature-256": f"sha256={signed['sha256']}",
        }
