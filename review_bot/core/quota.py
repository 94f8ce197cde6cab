"""What an object counts for in a ResourceQuota, by Kubernetes' rules for quotas. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from review_bot.core.danger import quantity
from review_bot.core.model import Manifest

Amounts = Mapping[str, Decimal]
# Kinds that quotas count by their plural alone; all others by `count/<plural>.<group>`.
PLAIN = frozenset(
    ["configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services"]
)
# What quotas also call without `requests.` before it.
SHORT = frozenset(["cpu", "memory", "ephemeral-storage"])
# How many pods a workload makes, and what Kubernetes takes for none given.
PODS = {
    "Deployment": "replicas",
    "StatefulSet": "replicas",
    "ReplicaSet": "replicas",
    "ReplicationController": "replicas",
    "Job": "parallelism",
}
_UNITS = tuple((f"{unit}i", Decimal(1024) ** power) for power, unit in reversed(list(enumerate("KMGTPE", 1))))


@dataclass(frozen=True)
class Counted:
    """`own` is what the object itself counts for, `later` what its controller will create, as far as that can be told.

    Controllers may create more for a while (a rolling update), and fewer (a job that needs no more pods).
    """

    own: Amounts = field(default_factory=dict)
    later: Amounts = field(default_factory=dict)


def counted(manifest: Manifest, group: str, plural: str) -> Counted:
    """What the object counts for; `plural` is the kind's name in paths."""
    total = {f"count/{plural}.{group}" if group else f"count/{plural}": Decimal(1)}
    if not group and plural in PLAIN:
        total[plural] = Decimal(1)
    spec = _map(manifest, "spec")
    kind = str(manifest.get("kind"))
    if (group, kind) == ("", "Service"):
        _add(total, _of_service(spec))
    elif (group, kind) == ("", "PersistentVolumeClaim"):
        _add(total, _of_claim(spec))
    elif (group, kind) == ("", "Pod"):
        _add(total, _of_pod(spec))
    return Counted(total, _later(kind, spec) if group in ("", "apps", "batch") else {})


def amount(value: Decimal) -> str:
    """An amount as people write it: 3, 500m, 2Gi."""
    if value != value.to_integral_value():
        return f"{(value * 1000).normalize():f}m"
    # Decimal divides up to 28 digits.
    units = _UNITS if 0 < value < Decimal(10) ** 27 else ()
    unit, size = next(((u, s) for u, s in units if value % s == 0), ("", Decimal(1)))
    return f"{(value / size).to_integral_value():f}{unit}"


def _later(kind: str, spec: Mapping[str, Any]) -> Amounts:
    """The pods of a workload, and the claims of a StatefulSet."""
    if kind not in PODS:
        return {}
    count = spec.get(PODS[kind])
    number = Decimal(1 if not isinstance(count, int) else count)
    total: dict[str, Decimal] = {}
    _add(total, {"pods": number, "count/pods": number})
    _add(total, _of_pod(_map(spec, "template", "spec")), number)
    for claim in _rows(spec.get("volumeClaimTemplates")):
        _add(total, {"persistentvolumeclaims": Decimal(1), "count/persistentvolumeclaims": Decimal(1)}, number)
        _add(total, _of_claim(_map(claim, "spec")), number)
    return total


def _of_service(spec: Mapping[str, Any]) -> Amounts:
    ports = Decimal(len(_rows(spec.get("ports"))))
    if spec.get("type") == "NodePort":
        return {"services.nodeports": ports}
    if spec.get("type") == "LoadBalancer":
        with_ports = spec.get("allocateLoadBalancerNodePorts") is not False
        return {"services.loadbalancers": Decimal(1), "services.nodeports": ports if with_ports else Decimal(0)}
    return {}


def _of_claim(spec: Mapping[str, Any]) -> Amounts:
    size = quantity(_map(spec, "resources", "requests").get("storage")) or Decimal(0)
    found = {"requests.storage": size}
    if spec.get("storageClassName"):
        prefix = f"{spec['storageClassName']}.storageclass.storage.k8s.io"
        found |= {f"{prefix}/requests.storage": size, f"{prefix}/persistentvolumeclaims": Decimal(1)}
    return found


def _of_pod(spec: Mapping[str, Any]) -> Amounts:
    """Requests and limits: those of the containers together, or of an init container that asks for more."""
    total: dict[str, Decimal] = {}
    for row in _rows(spec.get("containers")):
        _add(total, _of_container(row))
    before: dict[str, Decimal] = {}
    most: dict[str, Decimal] = {}
    for row in _rows(spec.get("initContainers")):
        own = _of_container(row)
        if row.get("restartPolicy") == "Always":
            # It runs on beside what comes after it.
            _add(before, own)
            own = {}
        peak = dict(before)
        _add(peak, own)
        most = {name: max(most.get(name, Decimal(0)), peak.get(name, Decimal(0))) for name in most | peak}
    _add(total, before)
    total = {name: max(total.get(name, Decimal(0)), most.get(name, Decimal(0))) for name in total | most}
    _add(total, dict(_named("requests", _map(spec, "overhead"))))
    return total


def _of_container(container: Mapping[str, Any]) -> Amounts:
    resources = _map(container, "resources")
    limits = _map(resources, "limits")
    # Without a request the limit is taken for one.
    return dict([*_named("requests", {**limits, **_map(resources, "requests")}), *_named("limits", limits)])


def _named(what: str, amounts: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
    for name, text in amounts.items():
        value = quantity(text)
        if value is not None:
            yield f"{what}.{name}", value
            if what == "requests" and (name in SHORT or name.startswith("hugepages-")):
                yield name, value


def _add(total: dict[str, Decimal], more: Amounts, times: Decimal = Decimal(1)) -> None:
    for name, value in more.items():
        total[name] = total.get(name, Decimal(0)) + value * times


def _map(value: object, *names: str) -> Mapping[str, Any]:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
