"""Which kinds belong to the whole cluster and have no namespace, as far as that is known without one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from review_bot.core.model import Resource

# Kubernetes' own, those of older versions too. All others of its kinds have namespaces.
CLUSTER_SCOPED: frozenset[tuple[str, str]] = frozenset(
    (group, kind)
    for group, kinds in {
        "": "ComponentStatus Namespace Node PersistentVolume",
        "admissionregistration.k8s.io": "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding "
        "MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding "
        "ValidatingWebhookConfiguration",
        "apiextensions.k8s.io": "CustomResourceDefinition",
        "apiregistration.k8s.io": "APIService",
        "authentication.k8s.io": "SelfSubjectReview TokenReview",
        "authorization.k8s.io": "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
        "certificates.k8s.io": "CertificateSigningRequest ClusterTrustBundle",
        "extensions": "PodSecurityPolicy",
        "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
        "internal.apiserver.k8s.io": "StorageVersion",
        "metrics.k8s.io": "NodeMetrics",
        "networking.k8s.io": "IPAddress IngressClass ServiceCIDR",
        "node.k8s.io": "RuntimeClass",
        "policy": "PodSecurityPolicy",
        "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
        "resource.k8s.io": "DeviceClass DeviceTaintRule ResourceSlice",
        "scheduling.k8s.io": "PriorityClass",
        "storage.k8s.io": "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
        "storagemigration.k8s.io": "StorageVersionMigration",
    }.items()
    for kind in kinds.split()
)


def cluster_scoped(resources: Iterable[Resource]) -> Callable[[tuple[str, str]], bool]:
    """Tells of a (group, kind) whether it is known to have no namespace: a built-in one, or one defined here."""
    defined: set[tuple[str, str]] = set()
    for resource in resources:
        if (resource.id.group, resource.id.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition"):
            spec = resource.manifest.get("spec")
            spec = spec if isinstance(spec, dict) else {}
            names = spec.get("names")
            if isinstance(names, dict) and spec.get("scope") == "Cluster":
                defined.add((str(spec.get("group")), str(names.get("kind"))))
    return lambda kind: kind in CLUSTER_SCOPED or kind in defined
