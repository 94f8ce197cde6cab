"""What objects count for in a ResourceQuota."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from review_bot.core.quota import amount, counted


def of(kind: str, group: str, plural: str, **spec: Any) -> tuple[dict[str, str], dict[str, str]]:
    found = counted({"kind": kind, "spec": spec}, group, plural)
    return ({k: amount(v) for k, v in found.own.items()}, {k: amount(v) for k, v in found.later.items()})


def container(requests: dict[str, str], limits: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": requests, "limits": limits or {}}, **more}


@pytest.mark.parametrize(
    ("kind", "group", "plural", "own"),
    [
        ("ConfigMap", "", "configmaps", {"count/configmaps": "1", "configmaps": "1"}),
        ("Endpoints", "", "endpoints", {"count/endpoints": "1"}),
        ("Gadget", "example.com", "gadgets", {"count/gadgets.example.com": "1"}),
        ("Pod", "example.com", "pods", {"count/pods.example.com": "1"}),
    ],
)
def test_every_object_counts_by_its_kind(kind: str, group: str, plural: str, own: dict[str, str]) -> None:
    assert of(kind, group, plural) == (own, {})


@pytest.mark.parametrize(
    ("spec", "more"),
    [
        ({"type": "ClusterIP", "ports": [{}]}, {}),
        ({"type": "NodePort", "ports": [{}, {}]}, {"services.nodeports": "2"}),
        ({"type": "LoadBalancer", "ports": [{}]}, {"services.loadbalancers": "1", "services.nodeports": "1"}),
        (
            {"type": "LoadBalancer", "ports": [{}], "allocateLoadBalancerNodePorts": False},
            {"services.loadbalancers": "1", "services.nodeports": "0"},
        ),
    ],
)
def test_a_service_counts_by_its_type(spec: dict[str, Any], more: dict[str, str]) -> None:
    assert of("Service", "", "services", **spec)[0] == {"count/services": "1", "services": "1", **more}


def test_a_claim_counts_for_its_storage_and_its_class() -> None:
    own, _ = of(
        "PersistentVolumeClaim",
        "",
        "persistentvolumeclaims",
        storageClassName="fast",
        resources={"requests": {"storage": "2Gi"}},
    )
    assert own["requests.storage"] == own["fast.storageclass.storage.k8s.io/requests.storage"] == "2Gi"
    assert own["fast.storageclass.storage.k8s.io/persistentvolumeclaims"] == own["persistentvolumeclaims"] == "1"


def test_a_pod_asks_for_its_containers_together_or_for_its_largest_start() -> None:
    spec = {
        "containers": [
            container({"cpu": "500m"}, {"memory": "1Gi"}),
            container({"cpu": "250m", "nvidia.com/gpu": "1"}),
        ],
        "initContainers": [
            container({"cpu": "100m"}, restartPolicy="Always"),
            container({"cpu": "3", "memory": "64Mi"}),
        ],
        "overhead": {"cpu": "10m"},
    }
    own, _ = of("Pod", "", "pods", **spec)
    # 3100m while it starts beside the one that stays, and the overhead; the limit counts where no request is.
    assert own["requests.cpu"] == own["cpu"] == "3110m"
    assert own["requests.memory"] == own["limits.memory"] == "1Gi"
    assert own["requests.nvidia.com/gpu"] == "1" and "nvidia.com/gpu" not in own
    assert own["pods"] == own["count/pods"] == "1"


@pytest.mark.parametrize(
    ("kind", "group", "plural", "spec", "pods"),
    [
        ("Deployment", "apps", "deployments", {"replicas": 3}, "3"),
        ("Deployment", "apps", "deployments", {}, "1"),
        ("ReplicationController", "", "replicationcontrollers", {"replicas": 0}, "0"),
        ("Job", "batch", "jobs", {"parallelism": 2}, "2"),
    ],
)
def test_a_workload_counts_for_itself_now_and_for_its_pods_later(
    kind: str, group: str, plural: str, spec: dict[str, Any], pods: str
) -> None:
    template = {"spec": {"containers": [container({"cpu": "1"})]}}
    own, later = of(kind, group, plural, template=template, **spec)
    assert "pods" not in own
    assert later["pods"] == later["count/pods"] == later["requests.cpu"] == pods


def test_a_stateful_set_s_claims_come_with_each_replica() -> None:
    claim = {"spec": {"resources": {"requests": {"storage": "1500Mi"}}}}
    _, later = of("StatefulSet", "apps", "statefulsets", replicas=2, volumeClaimTemplates=[claim])
    assert (later["persistentvolumeclaims"], later["requests.storage"]) == ("2", "3000Mi")


def test_what_is_no_amount_counts_for_nothing() -> None:
    own, later = of("Pod", "", "pods", containers=[container({"cpu": "lots"}), "odd", {"resources": []}])
    assert "requests.cpu" not in own and later == {}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("3", "3"),
        ("1500", "1500"),
        ("0.5", "500m"),
        ("1.25", "1250m"),
        ("1024", "1Ki"),
        ("3221225472", "3Gi"),
        ("1e30", "1" + "0" * 30),
    ],
)
def test_an_amount_is_written_as_people_do(value: str, text: str) -> None:
    assert amount(Decimal(value)) == text
