"""Charts and manifests that lie in a real OCI registry, pushed by helm and as Flux does it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import repositories
from elsewhere import operator, packed, remotes
from registries import Registry, running

from review_bot.core.errors import InputError
from review_bot.core.model import Remote, RemoteKind
from review_bot.core.tools import find

HELM_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
FLUX_LAYER = "application/vnd.cncf.flux.content.v1.tar+gzip"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{size: '{size}'}}\n"
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: shop\nversion: {version}\n",
    "templates/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: '{{{{ .Release.Name }}}}'}}\n"
    "data: {{chart: '{version}', size: '{{{{ .Values.size }}}}'}}\n",
    "values.yaml": "size: 1\n",
}


def pushed_chart(registry: Registry, version: str, work: Path) -> None:
    """By the real helm."""
    folder = work / version / "shop"
    for name, text in CHART.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.format(version=version) if "{version}" in text else text)
    env = os.environ | {f"HELM_{kind}_HOME": str(work / kind) for kind in ("CACHE", "CONFIG", "DATA")}
    helm = str(find("helm"))
    subprocess.run([helm, "package", ".", "-d", ".."], cwd=folder, env=env, check=True, capture_output=True)
    words = ["push", f"../shop-{version}.tgz", f"oci://{registry.host}/charts", "--plain-http"]
    subprocess.run([helm, *words], cwd=folder, env=env, check=True, capture_output=True)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    work = tmp_path_factory.mktemp("artifacts")
    with running(work / "registry") as found:
        for version in ("1.0.0", "1.1.0+build.1"):
            pushed_chart(found, version, work)
        for size in ("1", "2"):
            files = {"deploy/map.yaml": MAP.format(name="from-artifact", size=size).encode()}
            found.artifact("manifests/app", f"v{size}", FLUX_LAYER, packed(files))
        yield found


def reviewed(root: Path, registry: Registry, base: dict[str, str], change: tuple[str, str]) -> dict[str, Any]:
    """The verdict on a change of words in all files, with the registry's host in place of HOST."""
    files = {name: text.replace("HOST", registry.host) for name, text in base.items()}
    head: dict[str, str | None] = {name: text.replace(*change) for name, text in files.items()}
    root.mkdir(parents=True, exist_ok=True)
    env = operator(root, registry.host)
    return repositories.check(repositories.make(root / "repository", files, head), env=env)[1]


def sizes(verdict: dict[str, Any], target: str) -> list[tuple[str, list[str]]]:
    assert [f for f in verdict["findings"] if f["severity"] == "error"] == []
    return [(c["name"], c["fields"]) for c in verdict["changes"] if c["target"] == target]


APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  project: default
  destination: {server: https://kubernetes.default.svc, namespace: shop}
  source: {repoURL: HOST/charts, chart: shop, targetRevision: 1.0.0}
"""


def test_argo_cd_deploys_a_chart_of_a_registry(tmp_path: Path, registry: Registry) -> None:
    verdict = reviewed(tmp_path, registry, {"apps/shop.yaml": APPLICATION}, ("1.0.0", "1.1.0+build.1"))
    assert sizes(verdict, "argocd:shop") == [("shop", ["data.chart"])]


def test_argo_cd_deploys_an_oci_source(tmp_path: Path, registry: Registry) -> None:
    source = "{repoURL: 'oci://HOST/manifests/app', path: deploy, targetRevision: v1}"
    application = APPLICATION.replace("{repoURL: HOST/charts, chart: shop, targetRevision: 1.0.0}", source)
    verdict = reviewed(
        tmp_path, registry, {"apps/shop.yaml": application}, ("targetRevision: v1", "targetRevision: v2")
    )
    assert sizes(verdict, "argocd:shop") == [("from-artifact", ["data.size"])]


OCI_REPOSITORY = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: app, namespace: flux-system}
spec: {interval: 1h, insecure: true, url: oci://HOST/manifests/app, ref: {tag: v1}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app, namespace: flux-system}
spec: {interval: 1h, prune: true, path: ./deploy, sourceRef: {kind: OCIRepository, name: app}}
"""


def test_flux_builds_manifests_of_an_artifact(tmp_path: Path, registry: Registry) -> None:
    verdict = reviewed(tmp_path, registry, {"clusters/app.yaml": OCI_REPOSITORY}, ("tag: v1", "tag: v2"))
    assert sizes(verdict, "flux:app") == [("from-artifact", ["data.size"])]


def test_a_range_that_no_version_fits_is_not_seen_and_says_so(tmp_path: Path, registry: Registry) -> None:
    # v1 and v2 are none: a version has three numbers.
    verdict = reviewed(tmp_path, registry, {"clusters/app.yaml": OCI_REPOSITORY}, ("tag: v1", "semver: '*'"))
    (found,) = [f for f in verdict["findings"] if f["rule"] == "not-seen"]
    assert (found["severity"], "no version of" in found["message"]) == ("warning", True)
    assert "fits *" in found["message"]


@pytest.mark.parametrize(
    ("change", "old"), [(("size: 1", "size: 2"), "size"), (("semver: 1.x", "tag: 1.0.0"), "chart")]
)
def test_a_range_means_the_highest_version_that_fits(
    tmp_path: Path, registry: Registry, change: tuple[str, str], old: str
) -> None:
    words = BY_REFERENCE.replace("tag: 1.0.0", "semver: 1.x")
    verdict = reviewed(tmp_path, registry, {"clusters/shop.yaml": words}, change)
    assert sizes(verdict, "helmrelease:flux-system/shop") == [("shop", [f"data.{old}"])]
    found = [f["message"] for f in verdict["findings"] if f["rule"] == "floating-version"]
    assert all("version 1.1.0+build.1, which 1.x means today" in message for message in found)
    assert len(found) == (1 if old == "size" else 0)


def test_a_tag_that_is_written_like_a_range_is_no_chart_of_argo_cd(tmp_path: Path, registry: Registry) -> None:
    """Argo CD takes the highest version; whoever may push could show another one."""
    registry.artifact("charts/shop", "1.x", HELM_LAYER, packed({"shop/Chart.yaml": b"name: shop\nversion: 9.0.0\n"}))
    verdict = reviewed(tmp_path, registry, {"apps/shop.yaml": APPLICATION}, ("1.0.0", "1.x"))
    assert sizes(verdict, "argocd:shop") == [("shop", ["data.chart"])]
    (found,) = [f for f in verdict["findings"] if f["rule"] == "floating-version"]
    assert "reviewed in the version 1.1.0+build.1, which 1.x means today" in found["message"]


BY_REPOSITORY = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: flux-system}
spec: {type: oci, insecure: true, url: oci://HOST/charts}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: flux-system}
spec:
  interval: 1h
  chart: {spec: {chart: shop, version: 1.0.0, sourceRef: {kind: HelmRepository, name: charts}}}
"""
BY_REFERENCE = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: shop, namespace: flux-system}
spec: {interval: 1h, insecure: true, url: oci://HOST/charts/shop, ref: {tag: 1.0.0}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: flux-system}
spec: {interval: 1h, chartRef: {kind: OCIRepository, name: shop}, values: {size: 1}}
"""


@pytest.mark.parametrize(("words", "new"), [(BY_REPOSITORY, "1.1.0+build.1"), (BY_REFERENCE, "1.1.0_build.1")])
def test_flux_installs_a_chart_of_a_registry(tmp_path: Path, registry: Registry, words: str, new: str) -> None:
    verdict = reviewed(tmp_path, registry, {"clusters/shop.yaml": words}, ("1.0.0", new))
    assert sizes(verdict, "helmrelease:flux-system/shop") == [("shop", ["data.chart"])]


def test_a_digest_names_an_artifact_too(tmp_path: Path, registry: Registry) -> None:
    files = {"deploy/map.yaml": MAP.format(name="from-artifact", size="9").encode()}
    digest = registry.artifact("manifests/app", "v9", FLUX_LAYER, packed(files))
    verdict = reviewed(tmp_path, registry, {"clusters/app.yaml": OCI_REPOSITORY}, ("tag: v1", f"digest: '{digest}'"))
    assert sizes(verdict, "flux:app") == [("from-artifact", ["data.size"])]


def size_of(root: Path, host: str, revision: str) -> bytes | None:
    """What lies there for a review of its own."""
    remote = Remote(RemoteKind.OCI, f"oci://{host}/manifests/app", "", revision)
    return remotes(root, host).fetch(remote).read("deploy/map.yaml")


def test_a_tag_is_seen_where_it_is_now_and_hidden_by_no_outage(tmp_path: Path) -> None:
    first, second = (MAP.format(name="moving", size=size).encode() for size in "12")
    with running(tmp_path / "registry") as registry:
        registry.artifact("manifests/app", "v1", FLUX_LAYER, packed({"deploy/map.yaml": first}))
        during = remotes(tmp_path, registry.host)
        remote = Remote(RemoteKind.OCI, f"oci://{registry.host}/manifests/app", "", "v1")
        assert during.fetch(remote).read("deploy/map.yaml") == first
        digest = registry.artifact("manifests/app", "v1", FLUX_LAYER, packed({"deploy/map.yaml": second}))
        assert during.fetch(remote).read("deploy/map.yaml") == first
        assert size_of(tmp_path, registry.host, "v1") == second
        assert size_of(tmp_path, registry.host, digest) == second
    assert size_of(tmp_path, registry.host, "v1") == second
    assert size_of(tmp_path, registry.host, digest) == second
    with pytest.raises(InputError, match="can't be reached"):
        size_of(tmp_path, registry.host, "v2")


def test_an_artifact_that_is_not_there_names_itself(tmp_path: Path, registry: Registry) -> None:
    verdict = reviewed(tmp_path, registry, {"clusters/app.yaml": OCI_REPOSITORY}, ("tag: v1", "tag: v404"))
    (found,) = [f for f in verdict["findings"] if f["target"] == "flux:app" and f["rule"] == "not-seen"]
    assert "404" in found["message"]
    assert "v404" in found["message"]
