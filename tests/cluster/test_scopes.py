"""The table of kinds without a namespace agrees with what real API servers serve."""

from __future__ import annotations

from kube import Kube

from review_bot.core.scopes import CLUSTER_SCOPED


def test_the_table_of_cluster_scoped_kinds_agrees_with_the_api_servers(kube: Kube, older: Kube) -> None:
    for server in (kube, older):
        status, groups = server.send("GET", "/apis")
        assert status == 200
        prefixes = {"": "/api/v1"} | {
            g["name"]: f"/apis/{v['groupVersion']}" for g in groups["groups"] for v in g["versions"]
        }
        for group, prefix in prefixes.items():
            _, answer = server.send("GET", prefix)
            for row in answer["resources"]:
                if "/" not in row["name"] and not row.get("group") and _is_kubernetes_own(group):
                    assert row["namespaced"] is ((group, row["kind"]) not in CLUSTER_SCOPED), (group, row["kind"])


def _is_kubernetes_own(group: str) -> bool:
    return "." not in group or group.endswith(".k8s.io")
