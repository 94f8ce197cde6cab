"""Address and credentials of a cluster, by the official client's rules; programs for credentials only if allowed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from review_bot.core.clusters import ClusterSettings
from review_bot.core.errors import ClusterError

DEFAULT_KUBECONFIG = "~/.kube/config"
# Both make the client start a program that the kubeconfig names.
PROGRAMS = ("exec", "auth-provider")


@dataclass(frozen=True)
class Connection:
    """`configuration` is the official client's; `namespace` what the context says, if it does."""

    configuration: Any
    namespace: str | None = None


def connect(settings: ClusterSettings) -> Connection:
    """Read what the operator names; nothing is sent yet. Raises ClusterError."""
    # Imported when a cluster is asked: it takes longer than a small review.
    from kubernetes import client

    configuration = client.Configuration()
    configuration.connection_pool_maxsize = settings.concurrency
    try:
        namespace = _load_in_cluster(configuration) if settings.in_cluster else _load_file(settings, configuration)
    except ClusterError:
        raise
    except Exception as error:
        # The client raises its own, yaml's and the operating system's errors alike.
        raise ClusterError(
            f"the credentials of the cluster {settings.name} can't be read: {error}",
            help="mend the kubeconfig that the operator's file names",
        ) from error
    return Connection(configuration, namespace)


def server_of(settings: ClusterSettings) -> str | None:
    """The address of its API server, None if that can't be read."""
    try:
        return str(connect(settings).configuration.host).rstrip("/")
    except ClusterError:
        return None


def _load_in_cluster(configuration: Any) -> str | None:
    from kubernetes import config

    config.load_incluster_config(client_configuration=configuration)
    return None


def _load_file(settings: ClusterSettings, configuration: Any) -> str | None:
    from kubernetes.config import kube_config

    paths = str(settings.kubeconfig or os.environ.get("KUBECONFIG") or DEFAULT_KUBECONFIG)
    merger: Any = kube_config.KubeConfigMerger(paths)
    if merger.config is None:
        raise ClusterError(
            f"there is no kubeconfig at {paths}", help="name one in the operator's file or in KUBECONFIG"
        )
    known = [str(c["name"]) for c in merger.config.value.get("contexts", ())]
    wanted = settings.context or merger.config.value.get("current-context")
    if wanted not in known:
        raise ClusterError(
            f"the kubeconfig has no context {wanted!r}; it has {', '.join(known) or 'none'}",
            help="name one of them",
        )
    loader: Any = kube_config.KubeConfigLoader(merger.config, active_context=wanted, config_base_path=None)
    program = next((p for p in PROGRAMS if loader._user is not None and p in loader._user.value), None)
    if program is not None and not settings.exec:
        raise ClusterError(
            f"the context {wanted} starts a program for its credentials ({program}), which is not allowed",
            help="set `exec: true` for this cluster in the operator's file, or use a token",
        )
    loader.load_and_set(configuration)
    namespace = loader.current_context["context"].get("namespace")
    return str(namespace) if namespace else None
