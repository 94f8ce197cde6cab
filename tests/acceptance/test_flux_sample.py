"""Pull requests of Flux's own example, two clusters in one repository; checked by hand against the diffs once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import repositories

pytestmark = pytest.mark.skipif(not repositories.SAMPLES.is_dir(), reason="the samples lie beside the checkout")

NAME = "flux2-kustomize-helm-example"
CLUSTERS = ("production", "staging")
# Their charts' versions are ranges, so what they deploy does not follow from git.
NOT_SEEN = (0, 0, 0)

# pull request → conclusion, {target in each of the clusters: (created, updated, deleted)}
EXPECTED: dict[str, tuple[str, dict[str, tuple[int, int, int]]]] = {
    # cert-manager's values get the newer words for its definitions.
    "pr-120": ("success", {"flux:infra-controllers": (0, 1, 0), "helmrelease:cert-manager/cert-manager": NOT_SEEN}),
    # ingress-nginx goes for envoy-gateway: Namespace, source and release each; a Gateway and its class come; podinfo
    # and the issuer change to routes.
    "pr-126": (
        "success",
        {
            "flux:apps": (0, 1, 0),
            "flux:infra-configs": (2, 1, 0),
            "flux:infra-controllers": (3, 1, 3),
            "helmrelease:cert-manager/cert-manager": NOT_SEEN,
            "helmrelease:envoy-gateway-system/envoy-gateway": NOT_SEEN,
            "helmrelease:ingress-nginx/ingress-nginx": NOT_SEEN,
            "helmrelease:podinfo/podinfo": NOT_SEEN,
        },
    ),
    # Workflows, and the settings of a tool that checks schemas: nothing of it is deployed.
    "pr-128": ("neutral", {}),
    "pr-129": ("neutral", {}),
    "pr-130": ("neutral", {}),
}


def counted(verdict: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    return {t["id"]: tuple(t["summary"][k] for k in ("create", "update", "delete")) for t in verdict["targets"]}


@pytest.mark.parametrize("pull_request", EXPECTED)
def test_pull_requests(pull_request: str, tmp_path: Path) -> None:
    _, verdict = repositories.check(repositories.sample(NAME, pull_request, tmp_path))
    conclusion, targets = EXPECTED[pull_request]
    assert verdict["conclusion"] == conclusion
    assert counted(verdict) == {f"{id}@clusters/{c}": counts for id, counts in targets.items() for c in CLUSTERS}
    unseen = {f["target"] for f in verdict["findings"] if f["rule"] == "not-seen"}
    gone = {f"helmrelease:ingress-nginx/ingress-nginx@clusters/{c}" for c in CLUSTERS}
    assert unseen == {t for t in counted(verdict) if t.startswith("helmrelease:")} - gone


def test_what_is_deployed_in_the_newest_tree(tmp_path: Path) -> None:
    """Its Kustomizations read artifacts that a generator copies together from the repository."""
    root = repositories.unpacked(NAME, tmp_path)
    repositories.git(root, "init", "-q", "-b", "main")
    repositories.commit(root, "base")
    text = repositories.run("targets", str(root)).stdout
    for cluster in CLUSTERS:
        for id in ("flux:apps", "flux:infra-configs", "flux:infra-controllers", "helmrelease:podinfo/podinfo"):
            assert f"{id}@clusters/{cluster}" in text
    assert ".~" not in text


def test_a_change_below_an_artifact_is_one_of_the_cluster_that_gets_it(tmp_path: Path) -> None:
    root = repositories.unpacked(NAME, tmp_path)
    repositories.git(root, "init", "-q", "-b", "main")
    repositories.commit(root, "base")
    repositories.git(root, "checkout", "-q", "-b", "change")
    path = root / "apps/staging/podinfo-values.yaml"
    path.write_text(path.read_text().replace("podinfo.staging", "podinfo.other"))
    repositories.commit(root, "head")
    _, verdict = repositories.check(root)
    ids = {"flux:apps@clusters/staging": (0, 1, 0), "helmrelease:podinfo/podinfo@clusters/staging": NOT_SEEN}
    assert counted(verdict) == ids
