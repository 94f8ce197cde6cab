"""Which kinds a cluster serves, and under which path: its discovery document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from review_bot.cluster.client import ClusterClient
from review_bot.core.errors import ClusterError
from review_bot.core.model import ResourceId

_LIST = "as=APIGroupDiscoveryList"
# One document each for /api and /apis: v2 since Kubernetes 1.30, v2beta1 since 1.26.
ACCEPT = ", ".join(f"application/json;g=apidiscovery.k8s.io;v={version};{_LIST}" for version in ("v2", "v2beta1"))


@dataclass(frozen=True, slots=True)
class ServedKind:
    """A kind as served: `prefix` is the path of its group and version, `plural` its name in paths."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str]

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def prefix(self) -> str:
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """Where one object is, or all of a namespace. The name must be one that `is_segment` allows."""
        place = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        return f"{self.prefix}{place}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")


@dataclass(frozen=True)
class Kinds:
    """All kinds of a cluster; `stale` are groups whose own server did not answer."""

    served: tuple[ServedKind, ...]
    stale: frozenset[str] = frozenset()

    def find(self, id: ResourceId) -> ServedKind | None:
        version = id.api_version.rpartition("/")[2]
        return self._index.get((id.group, version, id.kind))

    def versions_of(self, id: ResourceId) -> list[str]:
        """The versions under which the kind is served in its group."""
        return [k.version for k in self.served if (k.group, k.kind) == (id.group, id.kind)]

    def groups_of(self, kind: str) -> list[str]:
        """The apiVersions under which any group serves a kind of this name."""
        return [k.api_version for k in self.served if k.kind == kind]

    @cached_property
    def _index(self) -> Mapping[tuple[str, str, str], ServedKind]:
        return {(k.group, k.version, k.kind): k for k in self.served}


def discover(client: ClusterClient) -> Kinds:
    """Ask the cluster for all kinds, in two requests. Raises ClusterError."""
    served: list[ServedKind] = []
    stale: set[str] = set()
    for path in ("/api", "/apis"):
        answer = client.get(path, accept=ACCEPT)
        if not answer.fine or answer.body.get("kind") != "APIGroupDiscoveryList":
            raise ClusterError(
                f"the cluster {client.settings.name} does not tell which kinds it serves (status {answer.status})",
                help="Kubernetes 1.26 or newer is needed, and the right to ask for discovery",
            )
        for item in answer.body.get("items") or ():
            group = str((item.get("metadata") or {}).get("name") or "")
            for version in item.get("versions") or ():
                served += _of_version(group, version)
                if version.get("freshness") == "Stale":
                    stale.add(group)
    return Kinds(tuple(served), frozenset(stale))


def is_segment(name: str) -> bool:
    """Can it stand in a path? Kubernetes refuses the others; the client would resolve `..` against the path."""
    return bool(name) and name not in (".", "..") and not set(name) & set("/%")


def _of_version(group: str, version: Mapping[str, Any]) -> Iterator[ServedKind]:
    name = str(version.get("version"))
    for resource in version.get("resources") or ():
        kind = (resource.get("responseKind") or {}).get("kind")
        if kind:
            yield ServedKind(
                group=group,
                version=name,
                kind=str(kind),
                plural=str(resource.get("resource")),
                namespaced=resource.get("scope") == "Namespaced",
                verbs=frozenset(resource.get("verbs") or ()),
            )
