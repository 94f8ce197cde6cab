"""Which objects of Argo CD and Flux deploy a folder of a repository's branch, found in a cluster."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from review_bot.cluster.client import ClusterClient
from review_bot.cluster.delivery import Delivery
from review_bot.cluster.kinds import Kinds, discover
from review_bot.core.errors import ClusterError
from review_bot.core.model import Manifest

GIT = ("source.toolkit.fluxcd.io", "GitRepository")
TOOLS = (
    ("argoproj.io", "Application"),
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
)
PAGE = 250
MOST_EVENTS = 3


@dataclass(frozen=True, slots=True)
class Origin:
    """A folder of a branch. `repository` is an address of it in any spelling, `default`: it is the default branch."""

    repository: str
    branch: str
    default: bool
    path: str


@dataclass(frozen=True)
class Deliverers:
    """What a cluster has of the delivery tools; `served`: it has any of their kinds."""

    served: bool
    objects: tuple[Manifest, ...] = ()
    sources: tuple[Manifest, ...] = ()

    def of(self, origin: Origin) -> Iterator[tuple[Manifest, int]]:
        """Those that deploy the folder; with which of an Application's sources does."""
        repositories = {_key(m): m for m in self.sources}
        for manifest in self.objects:
            if manifest.get("kind") == "Application":
                for index, row in enumerate(_sources(manifest)):
                    if _argo(row, origin):
                        yield manifest, index
            elif _flux(manifest, repositories, origin):
                yield manifest, 0


def read(client: ClusterClient) -> Deliverers:
    """Ask the cluster, in one list for each kind that it serves. Raises ClusterError."""
    kinds = discover(client)
    served = any(_prefix(kinds, *kind) for kind in TOOLS)
    if not served:
        return Deliverers(False)
    objects = tuple(m for kind in TOOLS for m in _all(client, kinds, *kind))
    return Deliverers(True, objects, tuple(_all(client, kinds, *GIT)))


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


def normalised(address: str) -> str:
    """`host/owner/name` of a repository's address: https, ssh and scp spellings of one are alike."""
    address = address.strip()
    if "://" not in address and ":" in address:
        host, _, path = address.partition(":")
        address = f"ssh://{host}/{path}"
    try:
        parts = urlsplit(address)
        # The port is that of a protocol; GitHub takes ssh also at a host of its own.
        host = (parts.hostname or "").removeprefix("ssh.")
    except ValueError:
        return ""
    return f"{host}/{parts.path.strip('/').removesuffix('.git')}".lower()


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


def _sources(application: Manifest) -> list[Mapping[str, Any]]:
    spec = application.get("spec")
    spec = spec if isinstance(spec, Mapping) else {}
    rows = spec.get("sources") or [spec.get("source")]
    return [row if isinstance(row, Mapping) else {} for row in rows] if isinstance(rows, list) else []


def _argo(source: Mapping[str, Any], origin: Origin) -> bool:
    revision = str(source.get("targetRevision") or "HEAD")
    branches = {origin.branch, f"refs/heads/{origin.branch}", *(["HEAD"] if origin.default else [])}
    return (
        revision in branches
        and "path" in source
        and _same_path(source.get("path"), origin.path)
        and normalised(str(source.get("repoURL"))) == normalised(origin.repository)
    )


def _flux(manifest: Manifest, repositories: Mapping[tuple[str, str], Manifest], origin: Origin) -> bool:
    spec, namespace = manifest.get("spec"), _key(manifest)[0]
    if isinstance(spec, Mapping) and manifest.get("kind") == "HelmRelease":
        chart = spec.get("chart")
        spec = chart.get("spec") if isinstance(chart, Mapping) else None
    reference = spec.get("sourceRef") if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping) or not isinstance(reference, Mapping) or reference.get("kind") != GIT[1]:
        return False
    key = (str(reference.get("namespace") or namespace), str(reference.get("name")))
    path = spec.get("chart") if manifest.get("kind") == "HelmRelease" else spec.get("path")
    return key in repositories and _same_path(path, origin.path) and _flux_source(repositories[key], origin)


def _flux_source(repository: Manifest, origin: Origin) -> bool:
    spec = repository.get("spec")
    spec = spec if isinstance(spec, Mapping) else {}
    reference = spec.get("ref")
    reference = reference if isinstance(reference, Mapping) else {}
    if any(reference.get(word) for word in ("tag", "semver", "commit")):
        return False
    name = str(reference.get("name") or "").removeprefix("refs/heads/")
    branch = name or str(reference.get("branch") or "master")
    return branch == origin.branch and normalised(str(spec.get("url"))) == normalised(origin.repository)


def _same_path(path: object, wanted: str) -> bool:
    return posixpath.normpath(str(path or ".").lstrip("/") or ".") == posixpath.normpath(wanted)


def _key(manifest: Manifest) -> tuple[str, str]:
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    return str(metadata.get("namespace")), str(metadata.get("name"))


def _moment(event: Mapping[str, Any]) -> str:
    """ISO 8601 in UTC sorts as text."""
    metadata = event.get("metadata")
    created = metadata.get("creationTimestamp") if isinstance(metadata, Mapping) else None
    return str(event.get("lastTimestamp") or event.get("eventTime") or created or "")
