"""The demo's part with a cluster: what its own answer adds, against a real API server on this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from review_bot.cli import drift as drift_command
from review_bot.core import report_text
from review_bot.core.clusters import Clusters, ClusterSettings, LiveAction
from review_bot.core.config import parse_config
from review_bot.core.configuration import CONFIG_PATH
from review_bot.core.model import CheckName, Resource
from review_bot.core.outcome import Verdict
from review_bot.core.planning import discover
from review_bot.core.sanitise import terminal
from review_bot.core.tools import CLUSTER, find
from review_bot.core.yaml_writer import dump
from review_bot.demo.cluster import RunningCluster, start
from review_bot.demo.scenarios import CLUSTER_SCENARIOS, Scenario, files_after
from review_bot.github.workspace import Repository
from review_bot.pipeline.drift import drift
from review_bot.pipeline.rendering import render_trees
from review_bot.pipeline.review import Reviewer

# Who applies in this demo, as Argo CD would.
MANAGER = "argocd-controller"
RULE = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: production-runs-in-threes}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]
  validations:
    - {expression: object.spec.replicas >= 3, message: "production runs at least three replicas"}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: production-runs-in-threes}
spec:
  policyName: production-runs-in-threes
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: production}}}
"""
# A policy takes effect a moment after it is stored.
SETTLE_SECONDS = 1.5


def tell(sample: Path, root: Path) -> Iterator[str]:
    """The story, piece by piece; `root` becomes the sample repository with a branch for each scenario."""
    _prepare(sample, root)
    with tempfile.TemporaryDirectory(prefix="review-bot-cluster-", ignore_cleanup_errors=True) as work:
        started = time.monotonic()
        cluster = start(Path(work) / "cluster", parent=os.getpid())
        took = time.monotonic() - started
        yield f"A cluster: kube-apiserver {CLUSTER['kube-apiserver']} and etcd, ready in {took:.1f} s\n"
        repository = Repository(root)
        _kubectl(cluster, dump(r.manifest for r in _rendered(repository)), "apply")
        _kubectl(cluster, RULE, "apply")
        time.sleep(SETTLE_SECONDS)
        yield f"  main is applied to it as {MANAGER} would; an admission policy wants three replicas in production\n\n"
        settings = ClusterSettings("demo", kubeconfig=cluster.kubeconfig, context="admin")
        clusters = Clusters(every=settings)
        for scenario in CLUSTER_SCENARIOS:
            yield _story(repository, scenario, clusters)
        patch = '{"spec": {"replicas": 9}}'
        words = ["patch", "deployment", "web", "-n", "production", "--type=merge", "-p", patch]
        _kubectl(cluster, "", *words, manager="kubectl-edit")
        yield "Somebody sets 9 replicas by hand  (review-bot drift)\n"
        tree = repository.tree(repository.resolve("main"))
        found = asyncio.run(drift(Reviewer(), repository, tree, parse_config(tree.read(CONFIG_PATH)), clusters))
        yield "\n".join(f"  {line}" for line in drift_command.lines(found)) + "\n\n"


def _prepare(sample: Path, root: Path) -> None:
    shutil.copytree(sample, root)
    before = {str(p.relative_to(root)): p.read_text() for p in root.rglob("*") if p.is_file()}
    _git(root, "init", "-q", "-b", "main")
    _commit(root, "The sample")
    for scenario in CLUSTER_SCENARIOS:
        _git(root, "checkout", "-q", "-b", scenario.branch, "main")
        for name, text in files_after(scenario.edits, before).items():
            (root / name).write_text(text)
        _commit(root, scenario.title)


def _commit(root: Path, message: str) -> None:
    _git(root, "add", "-A")
    _git(root, "-c", "user.name=alice", "-c", "user.email=alice@example.com", "commit", "-qm", message)


def _git(root: Path, *words: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run([str(find("git")), "-C", str(root), *words], check=True, env=environment)


def _story(repository: Repository, scenario: Scenario, clusters: Clusters) -> str:
    base, head = repository.resolve("main"), repository.resolve(scenario.branch)
    verdict = asyncio.run(Reviewer(clusters=clusters).review(repository, base, head)).verdict
    lines = [f"{scenario.title}  (branch {scenario.branch}, --cluster)", *_live(verdict)]
    for danger in verdict.dangers:
        lines.append(f"  danger     {report_text.danger_text(danger)}")
    for finding in verdict.findings:
        if finding.check is CheckName.DRY_RUN:
            lines += [
                f"  {finding.severity!s:<10} {finding.path}:{finding.line or ''} {finding.rule}: {finding.message}",
                f"               → {finding.help}",
            ]
    return "\n".join(terminal(line) for line in [*lines, f"  verdict    {verdict.conclusion}"]) + "\n\n"


def _live(verdict: Verdict) -> Iterator[str]:
    for changes in report_text.live_by_cluster(verdict).values():
        yield f"  against what runs: {report_text.live_counts(changes)}"
        for change in changes:
            if change.action is LiveAction.UPDATE:
                edits = [row for row in change.diff.splitlines()[2:] if row[:1] in "+-"]
                yield f"    {change.id.kind} {change.id.namespace}/{change.id.name}: {' '.join(edits)}"


def _rendered(repository: Repository) -> list[Resource]:
    """Everything that main deploys, namespaces first."""
    tree = repository.tree(repository.resolve("main"))
    config = parse_config(tree.read(CONFIG_PATH))
    targets = discover(tree, config)
    rendered, _ = asyncio.run(render_trees(Reviewer().renderer(config), repository, [(tree, targets)]))
    resources = [r for one in rendered for r in one.resources]
    return sorted(resources, key=lambda r: r.id.kind != "Namespace")


def _kubectl(cluster: RunningCluster, text: str, *words: str, manager: str = MANAGER) -> None:
    command = [str(find("kubectl")), "--kubeconfig", str(cluster.kubeconfig), *words, f"--field-manager={manager}"]
    if words == ("apply",):
        command += ["--server-side", "-f", "-"]
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(3)
