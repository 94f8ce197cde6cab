"""What goes with a deletion: the live objects of a Namespace, and those of a custom kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from review_bot.cluster.client import ClusterClient
from review_bot.cluster.kinds import Kinds, ServedKind
from review_bot.core.model import Manifest, ResourceId

METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
MOST = 200
# Kept by controllers for other objects, or made with every namespace: nobody misses them.
INCIDENTAL = frozenset(["Event", "Endpoints", "EndpointSlice", "Lease", "ControllerRevision", "PodMetrics"])
MADE_WITH_IT = frozenset([("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")])


def contents(client: ClusterClient, kinds: Kinds, id: ResourceId, live: Manifest) -> tuple[str, ...]:
    """What is deleted with this object, as `Kind name`; () for kinds that hold nothing. Raises ClusterError."""
    if (id.group, id.kind) == ("", "Namespace"):
        return _in_namespace(client, kinds, id.name)
    if (id.group, id.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition"):
        return _of_definition(client, kinds, live)
    return ()


def _in_namespace(client: ClusterClient, kinds: Kinds, namespace: str) -> tuple[str, ...]:
    found: list[str] = []
    refused: list[str] = []
    seen: set[tuple[str, str]] = set()
    for kind in kinds.served:
        # The first version of a group is the preferred one.
        if not kind.namespaced or kind.kind in INCIDENTAL or (kind.group, kind.kind) in seen:
            continue
        seen.add((kind.group, kind.kind))
        if "list" in kind.verbs:
            names = _names(client, kind, namespace)
            if names is None:
                refused.append(kind.plural)
            else:
                found += [f"{kind.kind} {n}" for n in names if (kind.kind, n) not in MADE_WITH_IT]
    if refused:
        found.append(f"(the bot may not list {', '.join(sorted(refused))})")
    return tuple(found)


def _of_definition(client: ClusterClient, kinds: Kinds, live: Manifest) -> tuple[str, ...]:
    spec: Any = live.get("spec") or {}
    wanted = (spec.get("group"), (spec.get("names") or {}).get("kind"))
    kind = next((k for k in kinds.served if (k.group, k.kind) == wanted), None)
    if kind is None:
        return ()
    names = _names(client, kind, None)
    return (f"(the bot may not list {kind.plural})",) if names is None else tuple(f"{kind.kind} {n}" for n in names)


def _names(client: ClusterClient, kind: ServedKind, namespace: str | None) -> list[str] | None:
    """The names of objects that no other object owns; None if the bot may not list them."""
    answer = client.get(kind.path(namespace), {"limit": str(MOST)}, accept=METADATA)
    if not answer.fine:
        return None
    rows: list[Mapping[str, Any]] = [item.get("metadata") or {} for item in answer.body.get("items") or ()]
    owned_by_none = [row for row in rows if not row.get("ownerReferences")]
    names = [
        f"{row['namespace']}/{row['name']}" if namespace is None and row.get("namespace") else str(row["name"])
        for row in owned_by_none
    ]
    more = (answer.body.get("metadata") or {}).get("continue")
    return [*names, f"and more than {MOST}"] if more else names
