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

# pull request → {object: fields of it that change, None for all of one that comes or goes}, in each of the clusters.
CHANGED: dict[str, dict[str, set[str] | None]] = {
    "pr-120": {
        "update HelmRelease cert-manager/cert-manager": {
            "spec.values.crds.enabled",
            "spec.values.crds.keep",
            "spec.values.installCRDs",
        }
    },
    "pr-126": {
        # The interval only moves to another line.
        "update HelmRelease podinfo/podinfo": {
            "spec.install.remediation.retries",
            "spec.install.strategy.name",
            "spec.upgrade.strategy.name",
            "spec.values.httpRoute.enabled",
            "spec.values.httpRoute.hostnames",
            "spec.values.httpRoute.parentRefs[0].name",
            "spec.values.httpRoute.parentRefs[0].namespace",
            "spec.values.httpRoute.parentRefs[0].sectionName",
            "spec.values.httpRoute.rules[0].matches[0].path.type",
            "spec.values.httpRoute.rules[0].matches[0].path.value",
            "spec.values.ingress.className",
            "spec.values.ingress.enabled",
            "spec.values.ingress.hosts[0].host",
            "spec.values.ingress.hosts[0].paths[0].path",
            "spec.values.ingress.hosts[0].paths[0].pathType",
            "spec.values.redis.tag",
        },
        "update ClusterIssuer -/letsencrypt": {
            "spec.acme.privateKeySecretRef.name",
            "spec.acme.solvers[0].http01.gatewayHTTPRoute.parentRefs[0].kind",
            "spec.acme.solvers[0].http01.gatewayHTTPRoute.parentRefs[0].name",
            "spec.acme.solvers[0].http01.gatewayHTTPRoute.parentRefs[0].namespace",
            "spec.acme.solvers[0].http01.ingress.class",
        },
        "create Gateway envoy-gateway-system/envoy": None,
        "create GatewayClass -/envoy": None,
        "update HelmRelease cert-manager/cert-manager": {
            "spec.install.strategy.retryInterval",
            "spec.upgrade.strategy.retryInterval",
            "spec.values.config.enableGatewayAPI",
        },
        "create HelmRelease envoy-gateway-system/envoy-gateway": None,
        "create OCIRepository envoy-gateway-system/gateway-helm": None,
        "create Namespace -/envoy-gateway-system": None,
        "delete HelmRelease ingress-nginx/ingress-nginx": None,
        "delete HelmRepository ingress-nginx/ingress-nginx": None,
        "delete Namespace -/ingress-nginx": None,
    },
}
# What of a chart that is not seen is said, by the release.
UNSEEN = {
    "cert-manager": {
        "pr-120": "cert-manager 1.x of https://charts.jetstack.io lies outside",
        "pr-126": "1.x of oci://quay.io/jetstack/charts/cert-manager lies outside",
    },
    "podinfo": {"pr-126": "podinfo >=1.0.0"},
    "envoy-gateway": {"pr-126": ">= 1.8.0-rc.0 of oci://docker.io/envoyproxy/gateway-helm lies outside"},
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
    for cluster in CLUSTERS:
        changed = {
            f"{c['action']} {c['kind']} {c['namespace'] or '-'}/{c['name']}": set(c["fields"])
            for c in verdict["changes"]
            if c["target"].endswith(f"@clusters/{cluster}")
        }
        expected = CHANGED.get(pull_request, {})
        assert changed.keys() == expected.keys()
        assert {k: v for k, v in changed.items() if expected[k] is not None} == {
            k: v for k, v in expected.items() if v is not None
        }
    # Which version of a chart is meant nobody can tell from git; of redis the values say it.
    versions = [(row["name"], row["old"], row["new"], row["step"]) for row in verdict["versions"]]
    assert versions == ([("redis", "7.0.6", "8.6.2", "major")] if pull_request == "pr-126" else [])
    for finding in (f for f in verdict["findings"] if f["rule"] == "not-seen"):
        assert UNSEEN[finding["resource"]["name"]][pull_request] in finding["message"]
    deleted = {d["name"] for d in verdict["dangers"] if d["what"] == "is deleted with everything in it"}
    assert deleted == ({"ingress-nginx"} if pull_request == "pr-126" else set())


def test_a_release_that_goes_and_was_not_seen_is_told_in_words(tmp_path: Path) -> None:
    _, verdict = repositories.check(repositories.sample(NAME, "pr-126", tmp_path))
    said = [f["message"] for f in verdict["findings"] if f["rule"] == "base-not-rendered"]
    assert len(said) == len(CLUSTERS)
    assert all("ingress-nginx" in words and words.endswith("what goes away with it is not known") for words in said)


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
