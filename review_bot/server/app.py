"""The HTTP side: deliveries in, health and metrics out. Work itself is done elsewhere."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from aiohttp import web

from review_bot.github import webhook
from review_bot.github.webhook import BadDelivery, Wish
from review_bot.server.metrics import Metrics
from review_bot.server.store import Store

log = logging.getLogger("review_bot.webhook")
MOST_DELIVERY_ID = 200


class Front:
    """The routes. `notice` is told of wishes once they are stored; `ready` says whether work can be done."""

    def __init__(
        self,
        secret: str,
        store: Store,
        metrics: Metrics,
        notice: Callable[[Sequence[Wish]], None],
        ready: Callable[[], str],
    ) -> None:
        self._secret, self._store, self._metrics = secret, store, metrics
        self._notice, self._ready = notice, ready
        self.app_slug = ""

    def application(self) -> web.Application:
        app = web.Application(client_max_size=webhook.LARGEST_BYTES)
        app.add_routes(
            [
                web.post("/webhook", self._webhook),
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._metrics_page),
            ]
        )
        return app

    async def _webhook(self, request: web.Request) -> web.Response:
        try:
            status, text = await self._accept(request)
        except BadDelivery as error:
            self._metrics.delivered("refused")
            log.warning("delivery refused (%s): %s", error.status, error)
            return web.json_response({"message": str(error)}, status=error.status)
        return web.json_response({"message": text}, status=status)

    async def _accept(self, request: web.Request) -> tuple[int, str]:
        if (request.content_length or 0) > webhook.LARGEST_BYTES:
            raise BadDelivery("the body is over 25 MiB", 413)
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise BadDelivery("the body is over 25 MiB", 413) from error
        webhook.verify(self._secret, body, request.headers.get("X-Hub-Signature-256"))
        event, delivery = (request.headers.get(f"X-GitHub-{name}", "") for name in ("Event", "Delivery"))
        if not event or not delivery or len(delivery) > MOST_DELIVERY_ID:
            raise BadDelivery("X-GitHub-Event and X-GitHub-Delivery must name the event and the delivery")
        wishes = webhook.interpret(event, body, self.app_slug)
        # On the disk first: what is answered with 202 is never lost.
        new = await asyncio.to_thread(self._store.receive, delivery, event, wishes)
        self._metrics.delivered("accepted" if new else "repeated")
        if not new:
            return 202, "seen before; nothing to do"
        self._notice(wishes)
        return 202, "accepted" if wishes else "accepted; this event asks for nothing"

    async def _healthz(self, request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, request: web.Request) -> web.Response:
        trouble = self._ready()
        return web.Response(text=f"{trouble or 'ready'}\n", status=503 if trouble else 200)

    async def _metrics_page(self, request: web.Request) -> web.Response:
        waiting = await asyncio.to_thread(self._store.waiting)
        return web.Response(body=self._metrics.text(waiting), content_type="text/plain", charset="utf-8")
