"""What moves, as `review-bot check` tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import repositories
from repositories import DEPLOYMENT

BASE = {
    ".review-bot.yaml": "version: 1\ntargets: {assign: [{match: web, environment: production}]}\n",
    "web/deploy.yaml": DEPLOYMENT,
}
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: redis, namespace: data}
spec:
  interval: 1h
  chart: {spec: {chart: redis, version: 18.1.0, sourceRef: {kind: HelmRepository, name: bitnami}}}
  values: {image: {repository: bitnami/redis, tag: 7.2.1-debian-11-r0}}
"""
POLICY = """\
package main

deny_major contains sprintf("%s moves by a %s step", [v.name, v.step]) if {
	some v in data.review_bot.versions
	v.step in {"major", "downgrade"}
}
"""


def reviewed(root: Path, head: dict[str, str | None], base: dict[str, str] | None = None) -> dict[str, Any]:
    return repositories.check(repositories.make(root, base or BASE, head))[1]


def moved(verdict: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(v["kind"], v["name"], v["old"], v["new"], v["step"], v["environments"]) for v in verdict["versions"]]


def test_an_image_that_moves_is_a_row_and_a_line(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, BASE, {"web/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")})
    _, verdict = repositories.check(root)
    assert moved(verdict) == [("image", "web", "1.4.2", "1.5.0", "minor", ["production"])]
    assert verdict["step"] == "minor"
    text = repositories.run("check", str(root), "--base", "main", "--head", "change").stdout
    assert "web 1.4.2 → 1.5.0 (minor) in production" in text
    markdown = repositories.run("check", str(root), "--base", "main", "--head", "change", "-o", "markdown").stdout
    assert "**web** 1.4.2 → 1.5.0 (minor) in production" in markdown


def test_charts_and_images_in_values_move_too(tmp_path: Path) -> None:
    head = RELEASE.replace("18.1.0", "19.0.0").replace("7.2.1", "7.2.0")
    verdict = reviewed(tmp_path, {"web/redis.yaml": head}, BASE | {"web/redis.yaml": RELEASE})
    assert [row[:5] for row in moved(verdict)] == [
        ("image", "redis", "7.2.1-debian-11-r0", "7.2.0-debian-11-r0", "downgrade"),
        ("chart", "redis", "18.1.0", "19.0.0", "major"),
    ]
    assert verdict["step"] == "downgrade"


def test_a_tag_without_a_digest_and_latest_are_flagged(tmp_path: Path) -> None:
    head = DEPLOYMENT.replace("web:1.4.2", "web:latest")
    (row,) = reviewed(tmp_path, {"web/deploy.yaml": head})["versions"]
    assert (row["step"], row["flags"]) == ("unknown", ["latest"])


def test_policies_see_what_moves(tmp_path: Path) -> None:
    head = {"web/deploy.yaml": DEPLOYMENT.replace("1.4.2", "2.0.0")}
    verdict = reviewed(tmp_path, head, BASE | {"policies/versions.rego": POLICY})
    assert [f["message"] for f in verdict["findings"]] == ["web moves by a major step"]


def test_the_table_shows_when_several_move(tmp_path: Path) -> None:
    second = DEPLOYMENT.replace("name: web", "name: api").replace("example.com/web", "example.com/api")
    base = BASE | {"web/api.yaml": second}
    head: dict[str, str | None] = {
        "web/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0"),
        "web/api.yaml": second.replace("1.4.2", "1.4.3-rc.1"),
    }
    root = repositories.make(tmp_path, base, head)
    markdown = repositories.run("check", str(root), "--base", "main", "--head", "change", "-o", "markdown").stdout
    assert "Versions: 2 moves, pre-release" in markdown
    assert "| pre-release · no digest · pre release | production |" in markdown.replace("`", "")


def test_a_secret_shows_no_version_whatever_its_keys_are_called(tmp_path: Path) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {image: hunter-one}\n"
    base = BASE | {"web/secret.yaml": secret}
    root = repositories.make(tmp_path, base, {"web/secret.yaml": secret.replace("one", "two")})
    _, verdict = repositories.check(root)
    assert verdict["versions"] == []
    for form in ("text", "json", "markdown"):
        said = repositories.run("check", str(root), "--base", "main", "--head", "change", "-o", form).stdout
        assert "hunter" not in said


CHART = {
    "charts/shop/Chart.yaml": """\
apiVersion: v2
name: shop
version: 1.0.0
appVersion: "2.3.1"
dependencies:
  - {name: redis, version: 18.x, repository: ""}
""",
    "charts/shop/Chart.lock": "dependencies:\n  - {name: redis, version: 18.1.0}\n",
    "charts/shop/charts/redis/Chart.yaml": "apiVersion: v2\nname: redis\nversion: 18.1.0\n",
    "charts/shop/templates/web.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n",
}


def test_a_charts_own_versions_move_even_where_no_object_shows_them(tmp_path: Path) -> None:
    head: dict[str, str | None] = {
        "charts/shop/Chart.yaml": CHART["charts/shop/Chart.yaml"]
        .replace("1.0.0", "1.1.0")
        .replace("2.3.1", "2.3.2")
        .replace("18.x", "19.x"),
        "charts/shop/Chart.lock": CHART["charts/shop/Chart.lock"].replace("18.1.0", "19.0.1"),
        "charts/shop/charts/redis/Chart.yaml": CHART["charts/shop/charts/redis/Chart.yaml"].replace("18.1.0", "19.0.1"),
    }
    verdict = reviewed(tmp_path, head, CHART)
    assert [row[:5] for row in moved(verdict)] == [
        ("chart", "redis", "18.1.0", "19.0.1", "major"),
        ("chart", "shop", "1.0.0", "1.1.0", "minor"),
        ("app", "shop", "2.3.1", "2.3.2", "patch"),
    ]
    assert {tuple(row["targets"]) for row in verdict["versions"]} == {("helm:charts/shop",)}


def test_an_applications_version_label_is_a_row_unless_its_image_says_the_same(tmp_path: Path) -> None:
    labelled = DEPLOYMENT.replace("  name: web\n", "  name: web\n  labels: {app.kubernetes.io/version: v1.4.2}\n", 1)
    both = labelled.replace("1.4.2", "1.5.0")
    base = BASE | {"web/deploy.yaml": labelled}
    assert [r[0] for r in moved(reviewed(tmp_path / "both", {"web/deploy.yaml": both}, base))] == ["image"]
    alone = labelled.replace("v1.4.2", "v2.0.0")
    assert moved(reviewed(tmp_path / "alone", {"web/deploy.yaml": alone}, base)) == [
        ("app", "web", "v1.4.2", "v2.0.0", "major", ["production"])
    ]


def application(tag: str, revision: str = "15.0.0", values: str = "") -> str:
    return f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: shop, namespace: argocd}}
spec:
  project: default
  destination: {{server: https://kubernetes.default.svc, namespace: shop}}
  source:
    repoURL: https://charts.example.com
    chart: shop
    targetRevision: {revision}
    helm:
      parameters:
        - {{name: web.image.repository, value: example.com/web}}
        - {{name: web.image.tag, value: {tag}}}
        - {{name: worker.image.tag, value: 3.0.0}}
      values: |
        sidecar:
          image: {{repository: example.com/proxy, tag: "{values or "1.0"}"}}
"""


def test_images_in_an_applications_helm_values_move_though_the_chart_lies_elsewhere(tmp_path: Path) -> None:
    base = {"apps/shop.yaml": application("1.0.0")}
    verdict = reviewed(tmp_path, {"apps/shop.yaml": application("1.0.1", values="2.0")}, base)
    assert [row[:5] for row in moved(verdict)] == [
        ("image", "proxy", "1.0", "2.0", "major"),
        ("image", "web", "1.0.0", "1.0.1", "patch"),
    ]


def test_flux_sources_move_by_the_reference_that_counts(tmp_path: Path) -> None:
    git = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: shared, namespace: flux-system}
spec: {interval: 1m, url: https://example.com/shared.git, ref: %s}
"""
    oci = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: podinfo, namespace: flux-system}
spec: {interval: 1m, url: oci://ghcr.io/acme/podinfo, ref: {tag: %s}}
"""
    base = {"a/git.yaml": git % "{branch: main, tag: v1.2.0}", "a/oci.yaml": oci % "6.5.0"}
    head: dict[str, str | None] = {"a/git.yaml": git % "{name: refs/tags/v1.3.0}", "a/oci.yaml": oci % "6.5.1"}
    verdict = reviewed(tmp_path, head, base)
    assert [row[:5] for row in moved(verdict)] == [
        ("source", "shared", "v1.2.0", "v1.3.0", "minor"),
        ("source", "podinfo", "6.5.0", "6.5.1", "patch"),
    ]


def test_terraforms_modules_and_providers_move(tmp_path: Path) -> None:
    main = """\
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.1" }
  }
}
module "eks" {
  source = "github.com/kbst/terraform-kubestack//aws/cluster?ref=v0.18.0-beta.0"
}
module "net" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "5.0.0"
}
"""
    head = main.replace("v0.18.0-beta.0", "v0.18.1").replace("~> 5.1", "~> 6.0").replace('"5.0.0"', '"5.1.0"')
    verdict = reviewed(tmp_path, {"infra/main.tf": head}, {"infra/main.tf": main})
    assert [row[:5] for row in moved(verdict)] == [
        ("provider", "aws", "~> 5.1", "~> 6.0", "major"),
        ("module", "net", "5.0.0", "5.1.0", "minor"),
        ("module", "eks", "v0.18.0-beta.0", "v0.18.1", "patch"),
    ]


def test_images_of_operators_volumes_and_tekton_bundles_move(tmp_path: Path) -> None:
    pod = """\
apiVersion: v1
kind: Pod
metadata: {name: operator}
spec:
  containers:
    - name: operator
      image: example.com/operator:1.0.0
      env: [{name: RELATED_IMAGE_WEB, value: "example.com/web:%s"}]
  volumes:
    - name: model
      image: {reference: "example.com/model:%s"}
"""
    run = """\
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: build}
spec:
  tasks:
    - name: build
      taskRef:
        resolver: bundles
        params: [{name: bundle, value: "example.com/tasks:%s"}, {name: name, value: build}, {name: kind, value: task}]
"""
    base = {"a/pod.yaml": pod % ("1.0.0", "1.0.0"), "a/pipeline.yaml": run % "1.0.0"}
    head: dict[str, str | None] = {"a/pod.yaml": pod % ("1.0.1", "1.1.0"), "a/pipeline.yaml": run % "2.0.0"}
    assert [row[:5] for row in moved(reviewed(tmp_path, head, base))] == [
        ("image", "tasks", "1.0.0", "2.0.0", "major"),
        ("image", "model", "1.0.0", "1.1.0", "minor"),
        ("image", "web", "1.0.0", "1.0.1", "patch"),
    ]


def test_values_that_leave_the_tag_to_the_chart_name_no_version(tmp_path: Path) -> None:
    release = RELEASE.replace(", tag: 7.2.1-debian-11-r0", "")
    verdict = reviewed(tmp_path, {"web/redis.yaml": release}, BASE)
    assert verdict["versions"] == []
