"""Which API groups are Kubernetes' own."""

from __future__ import annotations

BUILTIN = frozenset(["", "apps", "autoscaling", "batch", "extensions", "policy"]) | {
    f"{name}.k8s.io"
    for name in (
        "admissionregistration",
        "apiextensions",
        "apiregistration",
        "authentication",
        "authorization",
        "certificates",
        "coordination",
        "discovery",
        "events",
        "flowcontrol.apiserver",
        "internal.apiserver",
        "networking",
        "node",
        "rbac.authorization",
        "resource",
        "scheduling",
        "storage",
        "storagemigration",
    )
}


def is_builtin(group: str) -> bool:
    """Are the group's kinds part of Kubernetes? Others under k8s.io, such as the Gateway API, come as CRDs."""
    return group in BUILTIN
