"""What a cluster's people do, for the tests: write to it for real, and review a change against it."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import repositories
import urllib3

from review_bot.cluster.client import ClusterClient
from review_bot.cluster.kinds import discover
from review_bot.core.clusters import Clusters, ClusterSettings
from review_bot.core.model import Finding, ResourceId
from review_bot.core.outcome import Verdict
from review_bot.core.yaml_reader import parse
from review_bot.demo.cluster import RunningCluster
from review_bot.github.workspace import Repository
from review_bot.pipeline.review import Reviewer

PATIENCE_SECONDS = 20.0
QUIET_SECONDS = 1.0
# What the API server writes while nobody asks for anything: the lease that tells of itself, how far it has compacted.
OWN_KEYS = ("/registry/leases/kube-system/apiserver-", "compact_rev_key")


class Kube:
    """The cluster's administrator."""

    def __init__(self, cluster: RunningCluster) -> None:
        self.cluster = cluster
        config = json.loads(cluster.kubeconfig.read_text())
        self._tokens = {u["name"]: u["user"]["token"] for u in config["users"]}
        authority = config["clusters"][0]["cluster"]["certificate-authority"]
        self.pool = urllib3.PoolManager(ca_certs=authority, cert_reqs="CERT_REQUIRED")

    def send(
        self, method: str, path: str, body: Any = None, content: str = "application/json", context: str = "admin"
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._tokens[context]}", "Content-Type": content}
        data = json.dumps(body) if body is not None else None
        answer = self.pool.request(method, self.cluster.server + path, headers=headers, body=data, retries=False)
        is_json = answer.headers.get("Content-Type") == "application/json" and answer.data
        return answer.status, json.loads(answer.data) if is_json else answer.data.decode()

    def apply(self, text: str, manager: str = "kubectl", subresource: str = "") -> None:
        """Store every object of a YAML text, by server-side apply."""
        for manifest in manifests(text):
            query = f"?fieldManager={manager}&force=true"
            path = self.path(manifest) + subresource + query
            status, answer = self.send("PATCH", path, manifest, "application/apply-patch+yaml")
            assert status in (200, 201), answer

    def update(self, path: str, patch: Any, manager: str) -> None:
        status, answer = self.send("PATCH", f"{path}?fieldManager={manager}", patch, "application/merge-patch+json")
        assert status == 200, answer

    def path(self, manifest: Mapping[str, Any]) -> str:
        client = ClusterClient(settings(self.cluster, "admin"))
        metadata = manifest["metadata"]
        namespace = metadata.get("namespace")
        id = ResourceId(manifest["apiVersion"], manifest["kind"], namespace, metadata["name"])
        eventually(lambda: discover(client).find(id) is not None)
        served = discover(client).find(id)
        client.close()
        assert served is not None
        return served.path(namespace, metadata["name"])

    def namespace(self) -> str:
        """A new namespace of the test's own."""
        name = f"t-{uuid.uuid4().hex[:10]}"
        self.apply(f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n")
        return name

    def stored(self) -> dict[str, tuple[int, str]]:
        """Every key in the store, its last revision and its bytes, but for those that the server writes by itself."""
        everything = base64.b64encode(b"\0").decode()
        body = json.dumps({"key": everything, "range_end": everything})
        rows = json.loads(self.pool.request("POST", f"{self.cluster.etcd}/v3/kv/range", body=body).data)["kvs"]
        keys = {base64.b64decode(r["key"]).decode(): (int(r["mod_revision"]), r.get("value", "")) for r in rows}
        return {key: value for key, value in keys.items() if not key.startswith(OWN_KEYS)}

    def settled(self) -> dict[str, tuple[int, str]]:
        """What is stored once the server has finished what it does by itself about what was stored last."""
        seen: list[dict[str, tuple[int, str]]] = []

        def quiet() -> bool:
            seen.append(self.stored())
            time.sleep(QUIET_SECONDS)
            return self.stored() == seen[-1]

        eventually(quiet)
        return seen[-1]


def settings(cluster: RunningCluster, context: str = "admin", **more: Any) -> ClusterSettings:
    return ClusterSettings("test", kubeconfig=cluster.kubeconfig, context=context, **more)


def manifests(text: str) -> list[Any]:
    return [document.value for document in parse(text.encode(), path="test.yaml")]


def eventually(holds: Callable[[], bool]) -> None:
    """Policies, quotas and definitions take effect a moment after they are stored."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def review(
    root: Path, asked: ClusterSettings | Clusters, base: Mapping[str, str], head: Mapping[str, str | None]
) -> Verdict:
    """The verdict on a change of a folder of plain manifests, asking the cluster."""
    repository = Repository(repositories.make(root, {"README.md": "x", **base}, head))
    clusters = asked if isinstance(asked, Clusters) else Clusters(every=asked)
    reviewer = Reviewer(clusters=clusters, cache=root / ".git" / "rendered")
    made = reviewer.review(repository, repository.resolve("main"), repository.resolve("change"))
    return asyncio.run(made).verdict


def said(verdict: Verdict) -> list[Finding]:
    """What the dry run found."""
    return [f for f in verdict.findings if f.check == "dry-run"]


def rules(verdict: Verdict) -> list[str]:
    return [f.rule for f in said(verdict)]
