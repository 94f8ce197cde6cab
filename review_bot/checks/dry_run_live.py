"""Read live objects: one by one, or a whole kind of a namespace at once where many of it are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from review_bot.cluster.client import Answer, ClusterClient
from review_bot.cluster.kinds import ServedKind
from review_bot.core.errors import ClusterError
from review_bot.core.model import Manifest

# From so many on a list is cheaper than single reads; objects can be large, so that a page is no longer than this.
MANY = 10
PAGE = 250
# A list may hold more than is asked for. When it holds this many times more, single reads were cheaper.
MOST_WASTE = 5
NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Place:
    """All objects of a kind in a namespace (None: cluster-scoped)."""

    served: ServedKind
    namespace: str | None

    @property
    def path(self) -> str:
        return self.served.path(self.namespace)


class LiveObjects:
    """Remembers what lists have shown; safe to use from many threads, since each place is listed by one."""

    def __init__(self, client: ClusterClient) -> None:
        self._client = client
        self._listed: dict[str, dict[str, Manifest]] = {}
        self._whole: set[str] = set()

    def worth_listing(self, places: Iterable[Place]) -> list[tuple[Place, int]]:
        """The places of which many objects are asked for, with their number. Secrets are never listed."""
        return [
            (place, count)
            for place, count in Counter(places).items()
            if count >= MANY
            and "list" in place.served.verbs
            and (place.served.group, place.served.kind) != ("", "Secret")
        ]

    def list_all(self, wanted: tuple[Place, int]) -> None:
        """Read a place page by page, as long as that is worth it. What it does not get is read singly later."""
        place, count = wanted
        found: dict[str, Manifest] = {}
        query = {"limit": str(PAGE)}
        while len(found) <= max(PAGE, count * MOST_WASTE):
            try:
                answer = self._client.get(place.path, query)
            except ClusterError:
                break
            if not answer.fine:
                break
            kind = {"apiVersion": answer.body.get("apiVersion"), "kind": place.served.kind}
            # Items of a list do not say what they are.
            found |= {item["metadata"]["name"]: {**kind, **item} for item in answer.body.get("items") or ()}
            more = (answer.body.get("metadata") or {}).get("continue")
            if not more:
                self._whole.add(place.path)
                break
            query = {"limit": str(PAGE), "continue": str(more)}
        self._listed[place.path] = found

    def read(self, place: Place, name: str) -> Answer:
        """The object, or an answer with status 404. Raises ClusterError."""
        found = self._listed.get(place.path, {}).get(name)
        if found is not None:
            return Answer(200, found)
        if place.path in self._whole:
            return Answer(NOT_FOUND, {})
        return self._client.get(place.served.path(place.namespace, name))
