"""The App's webhook deliveries as GitHub remembers them, and the request to send one again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from review_bot.github.errors import Forbidden, Missing, Refused

PAGE = 100
_OK = range(200, 300)


class Asker(Protocol):
    """Requests as the App itself (see client.Transport)."""

    async def page(self, path: str, **parameters: Any) -> tuple[Any, str]:
        """One page of a list, and the address of the next one, "" if there is none."""
        ...

    async def send(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt; attempts of one event share the `guid`. `status` is the answer's, 0 where nobody answered."""

    id: int
    guid: str
    what: str
    at: str
    status: int

    @property
    def arrived(self) -> bool:
        return self.status in _OK

    @property
    def trouble(self) -> str:
        return f"answered {self.status}" if self.status else "no answer"

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "guid": self.guid, "event": self.what, "delivered_at": self.at, "status": self.status}


class Deliveries:
    """Raises GitHubError."""

    def __init__(self, app: Asker) -> None:
        self._app = app

    async def since(self, moment: datetime) -> list[Delivery]:
        """Every attempt since then, the newest first."""
        found: list[Delivery] = []
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            rows, following = await self._app.page("/app/hook/deliveries", per_page=PAGE, **more)
            page = [_delivery(row) for row in rows]
            young = [one for one in page if datetime.fromisoformat(one.at.replace("Z", "+00:00")) >= moment]
            found += young
            cursor = next(iter(parse_qs(urlsplit(following).query).get("cursor", [])), "")
            if not cursor or len(young) < len(page):
                return found

    async def again(self, delivery: Delivery) -> str:
        """Have it sent again; "" or why GitHub does not."""
        try:
            await self._app.send("POST", f"/app/hook/deliveries/{delivery.id}/attempts")
        except (Missing, Refused, Forbidden) as error:
            return str(error)
        return ""


def missed(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """The newest attempt of each event that none of its attempts brought, the oldest event first."""
    newest: dict[str, Delivery] = {}
    arrived: set[str] = set()
    for one in deliveries:
        newest.setdefault(one.guid, one)
        if one.arrived:
            arrived.add(one.guid)
    return [one for guid, one in reversed(newest.items()) if guid not in arrived]


def _delivery(row: Mapping[str, Any]) -> Delivery:
    action = row.get("action")
    what = f"{row['event']}.{action}" if action else str(row["event"])
    return Delivery(int(row["id"]), str(row["guid"]), what, str(row["delivered_at"]), int(row.get("status_code") or 0))
