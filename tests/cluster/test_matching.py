"""Which objects of Argo CD and Flux deploy a folder, from which sources and to which cluster."""

from __future__ import annotations

from typing import Any

import pytest
from test_delivery import LATER, NEW, OLD, ORIGIN, application, contains, flux

from review_bot.cluster import delivery
from review_bot.cluster.deliverers import Deliverers
from review_bot.cluster.delivery import Phase
from review_bot.cluster.matching import Place
from review_bot.core.repo_urls import normal


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/org/config",
        "https://github.com/Org/Config.git",
        "https://token@github.com/org/config.git/",
        "git@github.com:org/config.git",
        "ssh://git@github.com/org/config",
        "ssh://git@ssh.github.com:443/org/config.git",
    ],
)
def test_one_repository_has_many_addresses(address: str) -> None:
    assert normal(address, ports=False) == "github.com/org/config"


def test_another_repository_is_another() -> None:
    others = ("https://github.com/org/config2", "https://example.com/org/config", "", "http://[bad", "org/config")
    assert not {normal(o, ports=False) for o in others} & {"github.com/org/config"}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ({}, True),
        ({"path": "./apps/web/"}, True),
        ({"targetRevision": "main"}, True),
        ({"targetRevision": "refs/heads/main"}, True),
        ({"repoURL": "git@github.com:org/config.git"}, True),
        ({"targetRevision": "v1"}, False),
        ({"path": "apps"}, False),
        ({"path": "apps/web2"}, False),
        ({"repoURL": "https://github.com/org/other"}, False),
    ],
)
def test_which_application_deploys_a_folder(source: dict[str, Any], found: bool) -> None:
    one = application({}, source={"repoURL": ORIGIN.repository, "path": "apps/web", **source})
    assert bool(list(Deliverers(True, (one,)).of(ORIGIN))) == found


def test_many_sources_hide_the_one() -> None:
    rows = [{"repoURL": "https://charts.example.com", "chart": "x"}, {"repoURL": ORIGIN.repository, "path": "apps/web"}]
    (found,) = Deliverers(True, (application({}, sources=rows),)).of(ORIGIN)
    assert found.source == 1
    assert list(Deliverers(True, (application({}, sources=rows[:1]),)).of(ORIGIN)) == []


@pytest.mark.parametrize(
    ("spec", "ref", "found"),
    [
        ({"path": "./apps/web"}, {"branch": "main"}, True),
        ({"path": "./apps/web"}, {"name": "refs/heads/main"}, True),
        ({"path": "./apps/web"}, None, False),  # Flux takes master then
        ({"path": "./apps/web"}, {"branch": "main", "tag": "v1"}, False),
        ({"path": "./apps"}, {"branch": "main"}, False),
        ({"path": "./apps/web", "sourceRef": {"kind": "GitRepository", "name": "other"}}, {"branch": "main"}, False),
        ({"path": "./apps/web", "sourceRef": {"kind": "Bucket", "name": "config"}}, {"branch": "main"}, False),
    ],
)
def test_which_kustomization_deploys_a_folder(spec: dict[str, Any], ref: Any, found: bool) -> None:
    meta = {"namespace": "flux-system", "name": "config"}
    repository = {"kind": "GitRepository", "metadata": meta, "spec": {"url": ORIGIN.repository, "ref": ref}}
    spec = {"sourceRef": {"kind": "GitRepository", "name": "config"}, **spec}
    one = {"kind": "Kustomization", "metadata": {"namespace": "flux-system", "name": "web"}, "spec": spec}
    assert bool(list(Deliverers(True, (one,), (repository,)).of(ORIGIN))) == found
    chart = {"chart": {"spec": {**{k: v for k, v in spec.items() if k != "path"}, "chart": spec["path"]}}}
    release = {"kind": "HelmRelease", "metadata": {"namespace": "flux-system", "name": "web"}, "spec": chart}
    assert bool(list(Deliverers(True, (release,), (repository,)).of(ORIGIN))) == found


# An artifact that was pushed from the repository, and what Flux's objects tell of it.
DIGEST = "sha256:" + "d" * 64


def artifact(
    commit: str = NEW, branch: str = "main", url: str = "oci://ghcr.io/org/web", **changed: str
) -> dict[str, Any]:
    told = {
        "org.opencontainers.image.source": ORIGIN.repository,
        "org.opencontainers.image.revision": f"{branch}@sha1:{commit}",
        **changed,
    }
    status = {"artifact": {"revision": f"latest@{DIGEST}", "metadata": told}}
    meta = {"namespace": "flux-system", "name": "web"}
    return {"kind": "OCIRepository", "metadata": meta, "spec": {"url": url}, "status": status}


def from_artifact(kind: str, state: str = "True", **status: Any) -> dict[str, Any]:
    reference = {"kind": "OCIRepository", "name": "web"}
    spec = {"chartRef": reference} if kind == "HelmRelease" else {"sourceRef": reference, "path": "apps/web"}
    return flux(kind, state, spec=spec, **status)


def seen(*objects: dict[str, Any], sources: tuple[dict[str, Any], ...]) -> list[tuple[Phase, str]]:
    found = [delivery.of(m, contains) for m in Deliverers(True, objects, sources).of(ORIGIN)]
    return [(d.phase, d.says) for d in found]


APPLIED = {"lastAppliedRevision": f"latest@{DIGEST}", "lastAttemptedRevision": f"latest@{DIGEST}"}
OLDER = {"lastAppliedRevision": "latest@sha256:" + "0" * 64}


@pytest.mark.parametrize(
    ("kind", "state", "status", "phase"),
    [
        ("Kustomization", "True", APPLIED, Phase.HEALTHY),
        ("Kustomization", "False", APPLIED, Phase.FAILED),
        ("Kustomization", "True", OLDER, Phase.WAITING),
        ("Kustomization", "True", {**OLDER, "lastAppliedOriginRevision": f"main@sha1:{LATER}"}, Phase.HEALTHY),
        ("Kustomization", "True", {**APPLIED, "lastAppliedOriginRevision": f"main@sha1:{OLD}"}, Phase.ROLLING),
        ("HelmRelease", "True", {"lastAttemptedRevisionDigest": DIGEST}, Phase.HEALTHY),
        ("HelmRelease", "False", {"lastAttemptedRevisionDigest": DIGEST}, Phase.FAILED),
        ("HelmRelease", "True", {"lastAttemptedRevisionDigest": "sha256:0"}, Phase.WAITING),
        ("HelmRelease", "True", {}, Phase.WAITING),
    ],
)
def test_an_artifact_tells_the_commit_that_it_was_pushed_from(
    kind: str, state: str, status: dict[str, Any], phase: Phase
) -> None:
    assert [p for p, _ in seen(from_artifact(kind, state, **status), sources=(artifact(),))] == [phase]


@pytest.mark.parametrize(
    "wrong",
    [
        artifact(branch="release"),
        artifact(**{"org.opencontainers.image.source": "https://github.com/org/other"}),
        {**artifact(), "status": {}},
        {**artifact(), "metadata": {"namespace": "elsewhere", "name": "web"}},
    ],
)
def test_an_artifact_from_elsewhere_is_not_this_repository_s(wrong: dict[str, Any]) -> None:
    for kind in ("Kustomization", "HelmRelease"):
        assert seen(from_artifact(kind, **APPLIED), sources=(wrong,)) == []


def test_a_chart_in_an_artifact_is_the_folder_of_its_name() -> None:
    other = artifact(url="oci://ghcr.io/org/db")
    assert seen(from_artifact("HelmRelease"), sources=(other,)) == []


def test_an_artifact_that_tells_no_commit_is_said() -> None:
    silent = artifact(**{"org.opencontainers.image.revision": ""})
    (found,) = seen(from_artifact("HelmRelease", lastAttemptedRevisionDigest=DIGEST), sources=(silent,))
    assert found[0] is Phase.WAITING and "does not tell its commit: push its artifact with" in found[1]


def test_a_release_by_a_chart_object_is_at_the_commit_in_its_version() -> None:
    meta = {"namespace": "flux-system", "name": "config"}
    git = {"kind": "GitRepository", "metadata": meta, "spec": {"url": ORIGIN.repository, "ref": {"branch": "main"}}}
    chart = {"chart": "./apps/web", "sourceRef": {"kind": "GitRepository", "name": "config"}}
    made = {"kind": "HelmChart", "metadata": {**meta, "name": "web"}, "spec": chart}
    spec = {"chartRef": {"kind": "HelmChart", "name": "web"}}
    release = flux("HelmRelease", "True", spec=spec, lastAttemptedRevision=f"1.2.3+{NEW[:12]}")
    assert seen(release, sources=(git, made)) == [(Phase.HEALTHY, "is ready")]
    assert seen(release, sources=(git,)) == []
    assert seen(release, sources=(git, {**made, "spec": {**chart, "chart": "apps/db"}})) == []


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["$values/apps/web/values.yaml"], 1),
        (["values.yaml", "$values/apps/web/prod.yaml"], 1),
        (["$values/apps/db/values.yaml"], 0),
        (["$other/apps/web/values.yaml"], 0),
        ([], 0),
        ("nonsense", 0),
    ],
)
def test_values_of_the_folder_for_a_chart_from_elsewhere_are_deployed_by_their_own_source(
    files: Any, found: int
) -> None:
    chart = {"repoURL": "https://charts.example.com", "chart": "x", "helm": {"valueFiles": files}}
    rows = [chart, {"repoURL": ORIGIN.repository, "ref": "values"}]
    status = {"sync": {"status": "Synced", "revisions": ["5.1.0", NEW]}, "health": {"status": "Healthy"}}
    matched = list(Deliverers(True, (application(status, sources=rows),)).of(ORIGIN))
    assert [m.source for m in matched] == [1] * found
    assert [delivery.of(m, contains).phase for m in matched] == [Phase.HEALTHY] * found


PROD = Place(frozenset(["prod"]), frozenset(["https://prod.example.com"]))


@pytest.mark.parametrize(
    ("destination", "there"),
    [
        ({"name": "prod"}, True),
        ({"server": "https://prod.example.com"}, True),
        ({"server": "https://prod.example.com/"}, True),
        ({"server": "https://kubernetes.default.svc"}, False),
        ({"name": "in-cluster"}, False),
        ({}, False),
        ({"name": ["odd"], "server": {}}, False),
    ],
)
def test_a_hub_s_application_belongs_to_the_cluster_that_it_deploys_to(destination: Any, there: bool) -> None:
    hub = Deliverers(True, (application({}, destination=destination),))
    assert bool(list(hub.of(ORIGIN, PROD))) == there
    assert bool(list(hub.of(ORIGIN, Place(others=(PROD,))))) != there
    assert list(hub.of(ORIGIN))


@pytest.mark.parametrize(
    ("secret", "there"), [("prod", True), ("prod-kubeconfig", True), ("staging-kubeconfig", False)]
)
def test_flux_reaches_another_cluster_by_a_kubeconfig_of_its_name(secret: str, there: bool) -> None:
    meta = {"namespace": "flux-system", "name": "config"}
    git = {"kind": "GitRepository", "metadata": meta, "spec": {"url": ORIGIN.repository, "ref": {"branch": "main"}}}
    spec = {"path": "apps/web", "sourceRef": {"kind": "GitRepository", "name": "config"}}
    local = flux("Kustomization", "True", spec=spec)
    remote = flux("Kustomization", "True", spec={**spec, "kubeConfig": {"secretRef": {"name": secret}}})
    hub = Deliverers(True, (local, remote), (git,))
    assert [m.manifest for m in hub.of(ORIGIN, PROD)] == [remote] * there
    assert [m.manifest for m in hub.of(ORIGIN, Place(others=(PROD,)))] == [local]
