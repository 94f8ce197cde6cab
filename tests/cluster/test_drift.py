"""What runs differs from what the repository says: which field, whose hand, since when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import repositories
from kube import Kube
from test_refusals import CONFIG, DEPLOYMENT


def drift(kube: Kube, root: Path, *words: str, context: str = "admin") -> tuple[int, Any]:
    env = {"KUBECONFIG": str(kube.cluster.kubeconfig)}
    done = repositories.run("drift", str(root), "--rev", "main", "--cluster", context, *words, env=env)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout) if "json" in words else done.stdout


def made(kube: Kube, namespace: str, tmp_path: Path) -> Path:
    """A repository that was applied just so."""
    files = {
        "app/web.yaml": DEPLOYMENT.replace("NS", namespace),
        "app/settings.yaml": CONFIG.replace("NAME", "settings").replace("NS", namespace),
    }
    for text in files.values():
        kube.apply(text, manager="argocd-controller")
    return repositories.make(tmp_path, files, {})


def test_what_runs_as_it_should_is_in_sync(kube: Kube, namespace: str, tmp_path: Path) -> None:
    status, told = drift(kube, made(kube, namespace, tmp_path), "-o", "json")
    assert (status, told["state"]) == (0, "in-sync")
    assert [(t["cluster"], t["objects"], t["drift"]) for t in told["targets"]] == [("admin", 2, [])]


def test_a_field_that_was_changed_by_hand_is_told_with_who_and_when(kube: Kube, namespace: str, tmp_path: Path) -> None:
    root = made(kube, namespace, tmp_path)
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    kube.update(path, {"spec": {"replicas": 7}}, "kubectl-edit")
    kube.send("DELETE", f"/api/v1/namespaces/{namespace}/configmaps/settings")
    status, told = drift(kube, root, "-o", "json")
    assert (status, told["state"]) == (1, "drifted")
    rows = {row["name"]: row for row in told["targets"][0]["drift"]}
    assert rows["settings"]["action"] == "create"
    assert rows["web"]["fields"] == ["spec.replicas"]
    assert "-  replicas: 7\n+  replicas: 2" in rows["web"]["diff"]
    (owner,) = rows["web"]["owners"]
    assert (owner["field"], owner["manager"]) == ("spec.replicas", "kubectl-edit")
    assert owner["since"].startswith("20")
    status, text = drift(kube, root)
    assert f"spec.replicas  set by kubectl-edit since {owner['since']}" in text
    assert "ConfigMap settings is missing in the cluster" in text
    assert text.endswith("2 differences\n")


def test_the_owner_of_a_container_s_image_is_found(kube: Kube, namespace: str, tmp_path: Path) -> None:
    root = made(kube, namespace, tmp_path)
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:hotfix"}]}}}}
    kube.update(f"/apis/apps/v1/namespaces/{namespace}/deployments/web", patch, "kubectl-set")
    _, told = drift(kube, root, "-o", "json")
    (row,) = told["targets"][0]["drift"]
    assert [(o["field"], o["manager"]) for o in row["owners"]] == [
        ("spec.template.spec.containers[0].image", "kubectl-set")
    ]


def test_what_can_not_be_compared_is_not_called_in_sync(kube: Kube, namespace: str, tmp_path: Path) -> None:
    status, told = drift(kube, made(kube, namespace, tmp_path), "-o", "json", context="expired")
    assert (status, told["state"]) == (1, "unknown")


def test_without_a_cluster_it_is_wrong_usage(tmp_path: Path) -> None:
    done = repositories.run("drift", str(repositories.make(tmp_path, {"a": "b"}, {})))
    assert done.returncode == 2
    assert "--cluster" in done.stderr
