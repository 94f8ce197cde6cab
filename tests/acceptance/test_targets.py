"""`review-bot targets` as a person reads it, and what is said of folders that the bot made itself."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import repositories
from planning_garden import planted


def test_each_target_says_by_what_it_was_found_what_it_reads_and_where_it_goes(tmp_path: Path) -> None:
    root = planted(tmp_path / "repository", random.Random(1))
    blocks = repositories.run("targets", str(root)).stdout.split("\nargocd:")
    (helm,) = [block for block in blocks if block.startswith("helm ")]
    assert helm.splitlines() == [
        "helm  (found by Application helm in argocd/apps/helm.yaml:1)",
        *(row for row in helm.splitlines() if row.startswith("    reads ")),
        "    goes to  in-cluster/helm, what goes from git stays there",
    ]
    rows = json.loads(repositories.run("targets", str(root), "-o", "json").stdout)
    assert all(row["explained"].keys() == {"found_by", "reads", "goes_to"} for row in rows)
    assert ".~" not in json.dumps([row["explained"] for row in rows])


def test_of_a_change_each_target_says_why_too(tmp_path: Path) -> None:
    root = planted(tmp_path / "repository", random.Random(1))
    repositories.git(root, "checkout", "-q", "-b", "change")
    (root / "fleet/east/config.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n")
    repositories.commit(root, "head")
    said = repositories.run("targets", str(root), "--base", "main", "--head", "change").stdout
    assert said.splitlines() == [
        "flux:own@clusters/east  (fleet/east/config.yaml changed)",
        "    found by Kustomization own in clusters/east/own.yaml:1",
        *(row for row in said.splitlines() if row.startswith("    reads ")),
        "    goes to  the cluster of clusters/east",
    ]


@pytest.mark.skipif(not repositories.SAMPLES.is_dir(), reason="the samples lie beside the checkout")
@pytest.mark.parametrize("gone", ["infrastructure/controllers", "infrastructure/controllers/cert-manager.yaml"])
def test_a_finding_names_no_folder_of_the_bots_own(gone: str, tmp_path: Path) -> None:
    root = repositories.unpacked("flux2-kustomize-helm-example", tmp_path)
    repositories.git(root, "init", "-q", "-b", "main")
    repositories.commit(root, "base")
    repositories.git(root, "checkout", "-q", "-b", "change")
    repositories.git(root, "rm", "-r", "-q", gone)
    repositories.commit(root, "head")
    _, verdict = repositories.check(root)
    errors = [f for f in verdict["findings"] if f["severity"] == "error"]
    assert errors and all("artifact:flux-system/infrastructure/controllers" in f["message"] for f in errors)
    assert ".~" not in json.dumps([[f["message"], f["path"], f["help"]] for f in errors])
