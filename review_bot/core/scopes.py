"""Which kinds belong to the whole cluster and have no namespace, as far as that is known without one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from review_bot.core.errors import YamlError
from review_bot.core.groups import is_builtin
from review_bot.core.model import Resource, Tree
from review_bot.core.resources import from_documents
from review_bot.core.yaml_reader import parse

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


# A kind of objects: API group and kind.
Kind = tuple[str, str]
_DEFINITION: Kind = ("apiextensions.k8s.io", "CustomResourceDefinition")
# What the files that were searched define, by blob: both sides of a review share nearly all of them.
_searched: dict[str, tuple[Kind, ...]] = {}
MOST_SEARCHED = 500_000
_lock = threading.Lock()


def cluster_scoped(resources: Iterable[Resource], elsewhere: Iterable[Kind] = ()) -> Callable[[Kind], bool]:
    """Tells of a kind whether it is known to have no namespace: a built-in one, one defined here or `elsewhere`."""
    defined = {kind for r in resources for kind, whole_cluster in _definition(r) if whole_cluster}.union(elsewhere)
    return lambda kind: kind in CLUSTER_SCOPED or kind in defined


def undefined(resources: Sequence[Resource]) -> bool:
    """Are there objects of kinds that are neither Kubernetes' own nor defined among them?"""
    defined = {kind for r in resources for kind, _ in _definition(r)}
    return any(not is_builtin(r.id.group) and (r.id.group, r.id.kind) not in defined for r in resources)


def defined_in(tree: Tree) -> frozenset[Kind]:
    """The kinds without a namespace that files of the tree define. Safe to be asked from several threads."""
    with _lock:
        blobs = {e.blob: path for path, e in tree.entries().items() if path.endswith((".yaml", ".yml", ".json"))}
        new = {path: blob for blob, path in blobs.items() if blob not in _searched}
        if len(_searched) + len(new) > MOST_SEARCHED:
            _searched.clear()
            new = {path: blob for blob, path in blobs.items()}
        for path, data in tree.read_many(list(new)).items():
            _searched[new[path]] = tuple(_in_file(path, data))
        return frozenset(kind for blob in blobs for kind in _searched.get(blob, ()))


def _in_file(path: str, data: bytes) -> Iterator[Kind]:
    if _DEFINITION[1].encode() not in data or b"{{" in data:
        return
    try:
        resources, _ = from_documents(parse(data, path=path), path=path)
    except YamlError:
        return  # a definition that can't be read defines nothing; its own target says why
    yield from (kind for r in resources for kind, whole_cluster in _definition(r) if whole_cluster)


def _definition(resource: Resource) -> Iterator[tuple[Kind, bool]]:
    """The kind that the object defines, if it defines one, and whether it has no namespace."""
    spec = resource.manifest.get("spec")
    if (resource.id.group, resource.id.kind) != _DEFINITION or not isinstance(spec, dict):
        return
    names = spec.get("names")
    if isinstance(names, dict):
        yield (str(spec.get("group")), str(names.get("kind"))), spec.get("scope") == "Cluster"
