"""The clusters that Argo CD knows: by Secrets among the objects, and by the configuration of the bot."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from review_bot.core.argocd.application import IN_CLUSTER
from review_bot.core.configuration import ArgoCluster
from review_bot.core.delivery import Surroundings
from review_bot.core.model import Manifest

TYPE_LABEL = "argocd.argoproj.io/secret-type"
# What Argo CD and kubectl write on such Secrets for themselves is no parameter.
NO_PARAMETERS = frozenset(
    {
        "argocd.argoproj.io/refresh",
        "argocd.argoproj.io/refresh-timestamp",
        "argocd.argoproj.io/hydrate",
        "argocd.argoproj.io/hydrate-timestamp",
        "argocd.argoproj.io/tracking-id",
        "argocd.argoproj.io/installation-id",
        "kubectl.kubernetes.io/last-applied-configuration",
    }
)
LOCAL = ArgoCluster("in-cluster", IN_CLUSTER)


def known(around: Surroundings) -> tuple[ArgoCluster, ...]:
    """All that are named, by name. Of a Secret only name, address, project, labels and annotations are read."""
    found = {c.name: c for c in (_of_secret(t.resource.manifest) for t in around.of("", ["Secret"])) if c is not None}
    found |= {c.name: c for c in around.config.argocd_clusters}
    return tuple(found[name] for name in sorted(found))


def _of_secret(manifest: Manifest) -> ArgoCluster | None:
    metadata = manifest.get("metadata")
    labels = _texts(metadata.get("labels")) if isinstance(metadata, dict) else {}
    if labels.get(TYPE_LABEL) != "cluster" or not isinstance(metadata, dict):
        return None
    name, server = (_value(manifest, key) for key in ("name", "server"))
    if not name or not server:
        return None
    return ArgoCluster(name, server, labels, _texts(metadata.get("annotations")), _value(manifest, "project"))


def _value(manifest: Manifest, key: str) -> str:
    plain, encoded = manifest.get("stringData"), manifest.get("data")
    if isinstance(plain, dict) and isinstance(plain.get(key), str):
        return _unless_encrypted(plain[key])
    if isinstance(encoded, dict) and isinstance(encoded.get(key), str):
        try:
            return base64.b64decode(encoded[key], validate=True).decode()
        except (binascii.Error, ValueError):
            return ""
    return ""


def _unless_encrypted(text: str) -> str:
    return "" if text.startswith("ENC[") else text


def _texts(value: Any) -> Mapping[str, str]:
    return {k: v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}
