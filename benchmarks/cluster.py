"""A thousand changed objects against a local API server, beside `kubectl diff --server-side` on the same manifests.

`python -m benchmarks.cluster [COUNT]`. Both ask the same server in turn, with the same credentials; the bot is timed
from rendered changes to findings, kubectl from start to end. What else runs on the machine slows the bot more: it
keeps both cores busy, kubectl one.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from review_bot.checks import dry_run_cluster
from review_bot.checks.context import CheckContext
from review_bot.checks.dry_run import DryRunCheck
from review_bot.cluster.client import ClusterClient
from review_bot.core.clusters import Clusters, ClusterSettings
from review_bot.core.configuration import Config
from review_bot.core.diff import compare
from review_bot.core.model import RendererName, Resource, ResourceId, Source, Target, TreeEntry
from review_bot.core.tools import tool_path
from review_bot.demo.cluster import RunningCluster, start

RUNS = 5
KUBECTL = str(tool_path("kubectl"))


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(prefix="review-bot-bench-", ignore_cleanup_errors=True) as work:
        cluster = start(Path(work) / "cluster", parent=os.getpid())
        before = [manifest(n, 1) for n in range(count)]
        after = [manifest(n, 2) for n in range(count)]
        kubectl(cluster, "create", "namespace", "bench")
        kubectl(cluster, "apply", "--server-side", "-f", written(Path(work) / "before.json", before))
        head = written(Path(work) / "after.json", after)
        ours, theirs, requests, shown = [], [], 0, 0
        for _ in range(RUNS):
            seconds, requests = bot(cluster, before, after)
            ours.append(seconds)
            started = time.monotonic()
            shown = kubectl(cluster, "diff", "--server-side", "-f", head).count("\n+++ ")
            theirs.append(time.monotonic() - started)
    print(f"{count} objects, {RUNS} runs in turn; {requests / count:.3f} requests an object; {shown} diffs by kubectl")
    for name, times in (("review-bot", ours), ("kubectl diff --server-side", theirs)):
        print(f"{name}: fastest {min(times):.2f} s, median {statistics.median(times):.2f} s")
    print(f"kubectl takes {min(theirs) / min(ours):.1f} (fastest), {ratio(ours, theirs):.1f} (median) times as long")
    return 0


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Of the medians."""
    return statistics.median(theirs) / statistics.median(ours)


class NoFiles:
    """A tree without files: the dry run looks there for Applications only."""

    sha = "worktree"

    def entries(self) -> Mapping[str, TreeEntry]:
        return {}

    def read(self, path: str) -> bytes | None:
        return None

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        return {}


def bot(cluster: RunningCluster, before: list[Any], after: list[Any]) -> tuple[float, int]:
    """Seconds and requests of the dry run of all changes."""
    clients: list[ClusterClient] = []

    class Counted(ClusterClient):
        def __init__(self, settings: ClusterSettings) -> None:
            super().__init__(settings)
            clients.append(self)

    dry_run_cluster.ClusterClient = Counted  # type: ignore[misc]
    changes = compare("plain:app", resources(before), resources(after))
    target = Target("plain:app", RendererName.PLAIN, "app", "app/all.yaml")
    one = ClusterSettings("bench", kubeconfig=cluster.kubeconfig, context="admin")
    nothing = NoFiles()
    context = CheckContext(Config(), nothing, nothing, targets={target.id: target}, clusters=Clusters(every=one))
    started = time.monotonic()
    outcome = asyncio.run(DryRunCheck().run(changes, context))
    seconds = time.monotonic() - started
    updated = sum(c.action == "update" for c in outcome.live)
    if outcome.head or updated != len(before):
        raise SystemExit(f"the dry run did not see {len(before)} updates but {updated}: {outcome.head[:2]}")
    return seconds, clients[0].requests


def resources(manifests: list[Any]) -> list[Resource]:
    return [
        Resource(ResourceId(m["apiVersion"], m["kind"], "bench", m["metadata"]["name"]), m, Source("app/all.yaml", 1))
        for m in manifests
    ]


def manifest(number: int, version: int) -> dict[str, Any]:
    """Half of the objects are Deployments, the rest ConfigMaps and Services."""
    metadata = {"name": f"app-{number}", "namespace": "bench"}
    labels = {"app": f"app-{number}"}
    if number % 4 == 0:
        data = {f"key-{n}": f"value {n * version}" for n in range(20)}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    if number % 4 == 1:
        ports = [{"name": "http", "port": 80, "targetPort": 8080 + version}]
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": ports},
        }
    container = {
        "name": "app",
        "image": f"example.com/app:{version}",
        "ports": [{"name": "http", "containerPort": 8080}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "env": [{"name": f"SETTING_{n}", "value": str(n)} for n in range(10)],
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": version + 1, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def written(path: Path, manifests: list[Any]) -> str:
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))
    return str(path)


def kubectl(cluster: RunningCluster, *words: str) -> str:
    command = [KUBECTL, "--kubeconfig", str(cluster.kubeconfig), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # `diff` ends with 1 where something differs.
    if done.returncode > 1 or (done.returncode and words[0] != "diff"):
        raise SystemExit(done.stderr[-2000:])
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
