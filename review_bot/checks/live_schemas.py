"""What the targets' clusters know about kinds: their Kubernetes version, and the schemas of custom kinds."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from review_bot.checks.context import CheckContext
from review_bot.core.clusters import ClusterSettings
from review_bot.core.errors import ClusterError
from review_bot.core.model import Manifest, ResourceId

if TYPE_CHECKING:
    from review_bot.cluster.client import ClusterClient

GROUP_VERSION_KIND = "x-kubernetes-group-version-kind"
# Pre-releases and providers add to it: v1.35.4-gke.1, "35+".
_VERSION = re.compile(r"v?(\d+)\.(\d+)")


class LiveSchemas:
    """Asks each cluster once for its version, and once for each custom group that is wanted.

    A cluster that does not answer knows nothing: that it does not is the dry run's finding.
    """

    def __init__(self, context: CheckContext) -> None:
        self._context = context
        self._clients: dict[ClusterSettings, ClusterClient | None] = {}
        self._documents: dict[tuple[ClusterSettings, str], Mapping[str, Any]] = {}

    def close(self) -> None:
        for client in self._clients.values():
            if client is not None:
                client.close()

    def version(self, target: str) -> str | None:
        """The Kubernetes version of the target's cluster, such as "1.35"; None if none answers."""
        settings = self._settings(target)
        told = str(self._document(settings, "/version").get("gitVersion")) if settings else ""
        found = _VERSION.match(told)
        return f"{found[1]}.{found[2]}" if found else None

    def schema(self, target: str, id: ResourceId) -> Manifest | None:
        """The OpenAPI v3 schema of a custom kind in the target's cluster, None if it has none."""
        settings = self._settings(target)
        if settings is None or not re.fullmatch(r"[\w.-]+/[\w.-]+", id.api_version):
            return None
        document = self._document(settings, f"/openapi/v3/apis/{id.api_version}")
        components = document.get("components")
        schemas = components.get("schemas") if isinstance(components, Mapping) else None
        wanted = {"group": id.group, "version": id.api_version.rpartition("/")[2], "kind": id.kind}
        for schema in schemas.values() if isinstance(schemas, Mapping) else ():
            if isinstance(schema, Mapping) and wanted in (schema.get(GROUP_VERSION_KIND) or ()):
                return schema
        return None

    def _settings(self, target: str) -> ClusterSettings | None:
        found = self._context.targets.get(target)
        clusters = self._context.clusters
        return clusters.of(found) if clusters is not None and found is not None else None

    def _document(self, settings: ClusterSettings, path: str) -> Mapping[str, Any]:
        key = (settings, path)
        if key not in self._documents:
            self._documents[key] = self._asked(settings, path)
        return self._documents[key]

    def _asked(self, settings: ClusterSettings, path: str) -> Mapping[str, Any]:
        # Imported when a cluster is asked: HTTP and TLS cost a small review as much as its rendering.
        from review_bot.cluster.client import MOST_TRIES, ClusterClient
        from review_bot.cluster.crowd import each

        try:
            if settings not in self._clients:
                self._clients[settings] = None
                self._clients[settings] = ClusterClient(settings)
            client = self._clients[settings]
            if client is None:
                return {}
            # The client bounds each read; this bounds them all, so that no cluster can keep the review.
            deadline = time.monotonic() + settings.timeout_seconds * MOST_TRIES
            (answer,) = each(client.get, [path], threads=1, deadline=deadline)
        except ClusterError:
            return {}
        return answer.body if answer is not None and answer.fine else {}
