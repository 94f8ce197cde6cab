"""helmCharts in kustomizations: inflated where the configuration says that whoever deploys does so too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import repositories
import yaml
from elsewhere import Served, operator, packed, place, served

ENABLED = {".review-bot.yaml": "version: 1\nkubernetes: '1.34'\nkustomize: {enable_helm: true}\n"}
CHART = {
    "web/charts/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
    "web/charts/shop/values.yaml": "size: 1\ncolours: {sky: blue, grass: green}\n",
    "web/charts/shop/templates/config.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}-shop", namespace: "{{ .Release.Namespace }}"}
data:
  size: "{{ .Values.size }}"
  colours: '{{ .Values.colours | toJson }}'
  kubernetes: "{{ .Capabilities.KubeVersion.Version }}"
""",
}
OVERLAY = """\
namePrefix: prod-
helmCharts:
  - name: shop
    releaseName: main
    namespace: shop
    valuesInline: {colours: {sky: red}}
"""
BASE = ENABLED | CHART | {"web/kustomization.yaml": OVERLAY}

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: default
  destination: {server: https://kubernetes.default.svc, namespace: elsewhere}
  source:
    repoURL: https://example.com/config.git
    path: web
    targetRevision: HEAD
    kustomize: {nameSuffix: -v2}
"""


def reviewed(root: Path, head: dict[str, str | None], base: dict[str, str] | None = None) -> dict[str, Any]:
    return repositories.check(repositories.make(root, base or BASE, head))[1]


def data(root: Path, files: dict[str, str]) -> dict[str, str]:
    """What the ConfigMap of the target holds."""
    done = repositories.run("render", str(repositories.make(root, files, {})), "kustomize:web")
    assert done.returncode == 0, done.stderr
    (found,) = yaml.safe_load_all(done.stdout)
    assert found["metadata"]["name"] == "prod-main-shop"
    assert found["metadata"]["namespace"] == "shop"
    held: dict[str, str] = found["data"]
    return held


def test_charts_are_inflated_and_then_transformed_as_kustomize_does(tmp_path: Path) -> None:
    assert data(tmp_path, BASE) == {
        "size": "1",
        "colours": '{"grass":"green","sky":"red"}',
        "kubernetes": "v1.34.0",
    }


def test_values_merge_as_the_kustomization_asks(tmp_path: Path) -> None:
    merged = {"values.yaml": "size: 3\ncolours: {sky: grey}\n"}
    for way, sky in (("override", "red"), ("merge", "grey"), ("replace", "red")):
        overlay = f"{OVERLAY}    valuesFile: values.yaml\n    valuesMerge: {way}\n"
        files = BASE | {"web/kustomization.yaml": overlay, "web/values.yaml": merged["values.yaml"]}
        held = data(tmp_path / way, files)
        assert f'"sky":"{sky}"' in held["colours"]
        assert held["size"] == ("1" if way == "replace" else "3")


def test_a_changed_value_file_or_template_touches_the_target(tmp_path: Path) -> None:
    template = CHART["web/charts/shop/templates/config.yaml"]
    for name, head in (
        ("values", {"web/charts/shop/values.yaml": "size: 2\ncolours: {sky: blue, grass: green}\n"}),
        ("template", {"web/charts/shop/templates/config.yaml": template.replace('"{{ .Values.size }}"', '"7"')}),
    ):
        changes: dict[str, str | None] = dict(head)
        verdict = reviewed(tmp_path / name, changes)
        assert [(c["target"], c["fields"]) for c in verdict["changes"]] == [("kustomize:web", ["data.size"])]


def test_a_base_with_a_chart_is_inflated_for_each_overlay(tmp_path: Path) -> None:
    overlays = {f"{name}/kustomization.yaml": f"resources: [../web]\nnameSuffix: -{name}\n" for name in ("a", "b")}
    verdict = reviewed(tmp_path, {"web/charts/shop/values.yaml": "size: 2\ncolours: {}\n"}, BASE | overlays)
    names = [(c["target"], c["name"]) for c in verdict["changes"]]
    assert names == [("kustomize:a", "prod-main-shop-a"), ("kustomize:b", "prod-main-shop-b")]


def test_what_a_chart_makes_up_is_no_change(tmp_path: Path) -> None:
    template = CHART["web/charts/shop/templates/config.yaml"] + '  token: "{{ randAlphaNum 12 }}"\n'
    base = BASE | {"web/charts/shop/templates/config.yaml": template}
    verdict = reviewed(tmp_path, {"web/charts/shop/values.yaml": "size: 2\ncolours: {}\n"}, base)
    assert [c["fields"] for c in verdict["changes"]] == [["data.colours", "data.size"]]


def test_without_the_setting_the_target_does_not_render_and_says_what_to_do(tmp_path: Path) -> None:
    base = CHART | {"web/kustomization.yaml": OVERLAY}
    verdict = reviewed(tmp_path, {"web/charts/shop/values.yaml": "size: 2\n"}, base)
    (found,) = [f for f in verdict["findings"] if f["severity"] == "error"]
    assert (found["rule"], found["path"], found["line"]) == ("helm-in-kustomize", "web/kustomization.yaml", 2)
    assert "enable_helm" in found["help"]
    assert verdict["changes"] == []


def test_the_pull_requests_own_setting_counts_for_nothing(tmp_path: Path) -> None:
    base = CHART | {"web/kustomization.yaml": OVERLAY}
    verdict = reviewed(tmp_path, {**ENABLED, "web/charts/shop/values.yaml": "size: 2\n"}, base)
    assert "helm-in-kustomize" in {f["rule"] for f in verdict["findings"]}


def test_flux_never_inflates_charts(tmp_path: Path) -> None:
    flux = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web, namespace: flux-system}
spec:
  interval: 1m
  path: ./web
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
"""
    verdict = reviewed(tmp_path, {"web/charts/shop/values.yaml": "size: 2\n"}, BASE | {"clusters/web.yaml": flux})
    (found,) = [f for f in verdict["findings"] if f["severity"] == "error"]
    assert (found["target"], found["rule"]) == ("flux:web", "helm-in-kustomize")
    assert "Flux does not inflate" in found["message"]


def test_a_chart_that_is_not_there_names_itself_and_where_to_put_it(tmp_path: Path) -> None:
    overlay = "helmCharts:\n  - name: redis\n    repo: https://charts.example.com\n    version: 18.1.0\n"
    verdict = reviewed(tmp_path, {"web/kustomization.yaml": overlay})
    (found,) = [f for f in verdict["findings"] if f["severity"] == "error"]
    assert (found["rule"], found["path"], found["line"]) == ("missing-dependency", "web/kustomization.yaml", 2)
    assert "redis 18.1.0 from https://charts.example.com" in found["message"]
    assert "web/charts/redis-18.1.0/" in found["help"]


def test_an_application_inflates_them_too_with_its_own_edits(tmp_path: Path) -> None:
    base = BASE | {"apps/web.yaml": APPLICATION}
    verdict = reviewed(tmp_path, {"web/charts/shop/values.yaml": "size: 2\ncolours: {}\n"}, base)
    assert [(c["target"], c["name"], c["namespace"]) for c in verdict["changes"]] == [
        ("argocd:web", "prod-main-shop-v2", "shop")
    ]


def test_a_chart_that_fails_says_so_in_its_own_words(tmp_path: Path) -> None:
    broken = CHART["web/charts/shop/templates/config.yaml"] + '  x: "{{ required "give a size" .Values.nothing }}"\n'
    verdict = reviewed(tmp_path, {"web/charts/shop/templates/config.yaml": broken})
    (found,) = [f for f in verdict["findings"] if f["severity"] == "error"]
    assert "give a size" in found["message"]
    assert not any(word in found["message"] for word in ("/repo", "HELM_", "unable to run"))
    assert (found["path"], found["line"]) == ("web/charts/shop/templates/config.yaml", 8)


def packaged(version: str) -> bytes:
    files = {path.removeprefix("web/charts/"): text for path, text in CHART.items()}
    files["shop/Chart.yaml"] = f"apiVersion: v2\nname: shop\nversion: {version}\n"
    files["shop/values.yaml"] = f"size: {version[0]}\ncolours: {{sky: blue}}\n"
    return packed({name: text.encode() for name, text in files.items()})


@pytest.fixture
def charts() -> Iterator[Served]:
    """A Helm repository with two versions of the chart."""
    with served() as found:
        rows = ""
        for version in ("1.0.0", "2.0.0"):
            found[f"/shop-{version}.tgz"] = packaged(version)
            rows += f"    - {{name: shop, version: {version}, urls: [shop-{version}.tgz]}}\n"
        found["/index.yaml"] = f"apiVersion: v1\nentries:\n  shop:\n{rows}".encode()
        yield found


def pulling(charts: Served, version: str, more: str = "") -> str:
    return f"{OVERLAY}    repo: {charts.url}\n    version: {version}\n{more}"


def pulled(root: Path, charts: Served, *places: str, version: str = "2.0.0") -> dict[str, Any]:
    """The review of the next version of a chart that is not in the repository."""
    base = ENABLED | {"web/kustomization.yaml": pulling(charts, "1.0.0")}
    made = repositories.make(root / "gitops", base, {"web/kustomization.yaml": pulling(charts, version)})
    return repositories.check(made, env=operator(root, *places) if places else None)[1]


def test_the_next_version_of_a_chart_elsewhere_shows_what_changes(charts: Served, tmp_path: Path) -> None:
    verdict = pulled(tmp_path, charts, place(charts.url))
    assert [(c["target"], c["name"], c["fields"]) for c in verdict["changes"]] == [
        ("kustomize:web", "prod-main-shop", ["data.size"])
    ]
    assert verdict["findings"] == []


def test_two_overlays_may_want_two_versions_of_a_chart(charts: Served, tmp_path: Path) -> None:
    base = ENABLED | {f"{name}/kustomization.yaml": pulling(charts, "1.0.0") for name in ("a", "b")}
    root = repositories.make(tmp_path / "gitops", base, {"b/kustomization.yaml": pulling(charts, "2.0.0")})
    verdict = repositories.check(root, env=operator(tmp_path, place(charts.url)))[1]
    assert [(c["target"], c["fields"]) for c in verdict["changes"]] == [("kustomize:b", ["data.size"])]


def test_a_chart_elsewhere_that_may_not_be_had_says_why(charts: Served, tmp_path: Path) -> None:
    for name, places, version, words in (
        ("nobody", (), "2.0.0", "no host is allowed"),
        ("others", ("example.com",), "2.0.0", "is not a host that the operator allows"),
        ("range", (place(charts.url),), "2.x", "2.x is not one version"),
        ("missing", (place(charts.url),), "9.0.0", "has no shop 9.0.0"),
    ):
        (tmp_path / name).mkdir()
        verdict = pulled(tmp_path / name, charts, *places, version=version)
        (found,) = [f for f in verdict["findings"] if f["severity"] == "error"]
        assert (found["rule"], found["path"], found["line"]) == ("missing-dependency", "web/kustomization.yaml", 3)
        assert words in found["message"]
        assert f"pull it into web/charts/shop-{version}/ " in found["help"]
        assert verdict["changes"] == []


def test_one_overlay_is_not_shown_with_another_ones_chart(charts: Served, tmp_path: Path) -> None:
    with served() as other:
        other.update(charts)
        other["/shop-1.0.0.tgz"] = packaged("2.0.0")
        # kustomize takes no values from above the overlay, but from an overlay below.
        texts = {"a": pulling(charts, "1.0.0", "helmGlobals: {chartHome: b/charts}\n"), "a/b": pulling(other, "1.0.0")}
        base = ENABLED | {f"{name}/kustomization.yaml": "resources: []\n" for name in texts}
        head: dict[str, str | None] = {f"{name}/kustomization.yaml": text for name, text in texts.items()}
        root = repositories.make(tmp_path / "gitops", base, head)
        verdict = repositories.check(root, env=operator(tmp_path, place(charts.url), place(other.url)))[1]
    (found,) = [f for f in verdict["findings"] if f["severity"] == "error"]
    assert (found["target"], found["rule"]) == ("kustomize:a/b", "missing-dependency")
    assert "has filled a/b/charts/shop-1.0.0/shop already" in found["message"]
    assert [c["target"] for c in verdict["changes"]] == ["kustomize:a"]


def test_where_charts_are_not_inflated_none_is_fetched(charts: Served, tmp_path: Path) -> None:
    base = {"web/kustomization.yaml": pulling(charts, "1.0.0")}
    root = repositories.make(tmp_path / "gitops", base, {"web/kustomization.yaml": pulling(charts, "2.0.0")})
    verdict = repositories.check(root, env=operator(tmp_path, place(charts.url)))[1]
    assert "helm-in-kustomize" in {f["rule"] for f in verdict["findings"]}
    assert charts.asked == []


def test_an_application_gets_charts_from_elsewhere_too(charts: Served, tmp_path: Path) -> None:
    base = ENABLED | {"web/kustomization.yaml": pulling(charts, "1.0.0"), "apps/web.yaml": APPLICATION}
    root = repositories.make(tmp_path / "gitops", base, {"web/kustomization.yaml": pulling(charts, "2.0.0")})
    verdict = repositories.check(root, env=operator(tmp_path, place(charts.url)))[1]
    assert [(c["target"], c["name"], c["fields"]) for c in verdict["changes"]] == [
        ("argocd:web", "prod-main-shop-v2", ["data.size"])
    ]
