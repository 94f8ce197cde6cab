"""Which objects of Argo CD and Flux deploy a folder of a repository's branch, found in a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.cluster.client import ClusterClient
from review_bot.cluster.delivery import Delivery
from review_bot.cluster.kinds import Kinds, discover
from review_bot.cluster.matching import ANYWHERE, CHART, GIT, OCI, Match, Origin, Place, key_of, matches, refers_to
from review_bot.core.errors import ClusterError
from review_bot.core.model import Manifest

SOURCES = "source.toolkit.fluxcd.io"
TOOLS = (
    ("argoproj.io", "Application"),
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
)
PAGE = 250
MOST_EVENTS = 3


@dataclass(frozen=True)
class Deliverers:
    """What a cluster has of the delivery tools; `served`: it has any of their kinds."""

    served: bool
    objects: tuple[Manifest, ...] = ()
    sources: tuple[Manifest, ...] = ()

    def of(self, origin: Origin, place: Place = ANYWHERE) -> Iterator[Match]:
        """Those that deploy the folder to the place."""
        sources = {(str(m.get("kind")), *key_of(m)): m for m in self.sources}
        for manifest in self.objects:
            if place.is_reached_by(manifest):
                yield from matches(manifest, sources, origin)


def read(client: ClusterClient) -> Deliverers:
    """Ask the cluster, in one list for each kind that it serves. Raises ClusterError."""
    kinds = discover(client)
    served = any(_prefix(kinds, *kind) for kind in TOOLS)
    if not served:
        return Deliverers(False)
    objects = tuple(m for kind in TOOLS for m in _all(client, kinds, *kind))
    # What nobody refers to is not listed: the bot needs no right to it then.
    wanted = (GIT, *(kind for kind in (CHART, OCI) if any(refers_to(m, kind) for m in objects)))
    return Deliverers(True, objects, tuple(m for kind in wanted for m in _all(client, kinds, SOURCES, kind)))


def events(client: ClusterClient, delivery: Delivery) -> tuple[str, ...]:
    """The newest different events of an object, newest first; none where they can't be read."""
    selector = f"involvedObject.kind={delivery.kind},involvedObject.name={delivery.name}"
    try:
        answer = client.get(f"/api/v1/namespaces/{delivery.namespace}/events", {"fieldSelector": selector})
    except ClusterError:
        return ()
    rows = [r for r in answer.body.get("items") or () if isinstance(r, Mapping)] if answer.fine else []
    rows.sort(key=_moment, reverse=True)
    texts = dict.fromkeys(f"{r.get('reason')}: {r.get('message')}" for r in rows)
    return tuple(list(texts)[:MOST_EVENTS])


def _prefix(kinds: Kinds, group: str, kind: str) -> str:
    """The path of a kind's list over all namespaces, "" if it is not served."""
    return next((k.path(None) for k in kinds.served if (k.group, k.kind) == (group, kind)), "")


def _all(client: ClusterClient, kinds: Kinds, group: str, kind: str) -> Iterator[Manifest]:
    path, more = _prefix(kinds, group, kind), ""
    while path:
        answer = client.get(path, {"limit": str(PAGE), **({"continue": more} if more else {})})
        if not answer.fine:
            raise ClusterError(
                f"the cluster {client.settings.name} does not list {kind}s (status {answer.status})",
                help="give the bot the rights in deploy/rbac-rollouts.yaml",
            )
        # The items of a list do not repeat their kind.
        yield from ({**item, "kind": kind} for item in answer.body.get("items") or ())
        more = str((answer.body.get("metadata") or {}).get("continue") or "")
        path = path if more else ""


def _moment(event: Mapping[str, Any]) -> str:
    """ISO 8601 in UTC sorts as text."""
    metadata = event.get("metadata")
    created = metadata.get("creationTimestamp") if isinstance(metadata, Mapping) else None
    return str(event.get("lastTimestamp") or event.get("eventTime") or created or "")
