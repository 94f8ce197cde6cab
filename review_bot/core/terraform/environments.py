"""Which environment a change is in, for targets of every kind."""

from __future__ import annotations

from collections.abc import Mapping

from review_bot.core.model import ResourceChange, Target
from review_bot.core.terraform import is_terraform

# Kubestack's objects: one a module and environment, which stands in a label.
KIND = "KubestackEnvironment"
LABEL = "environment"


def environment_of(change: ResourceChange, target: Target | None) -> str | None:
    """The environment of a change: Kubestack's objects have their own, others that of their target."""
    side = change.head or change.base
    if side is not None and side.id.kind == KIND and is_terraform(side.manifest):
        metadata = side.manifest.get("metadata")
        labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
        if isinstance(labels, Mapping) and isinstance(labels.get(LABEL), str):
            return str(labels[LABEL])
    return target.environment if target is not None else None
