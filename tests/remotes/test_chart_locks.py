"""Chart.lock, held to Chart.yaml as helm holds it: the locks here are helm's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import repositories
from elsewhere import Served, operator, place, served

from review_bot.core.tools import find

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  project: default
  destination: {server: https://kubernetes.default.svc, namespace: shop}
  source: {repoURL: https://example.com/config.git, path: shop, targetRevision: HEAD}
"""
ASKED = """\
apiVersion: v2
name: shop
version: 0.1.0
dependencies:
  - name: web
    version: "%s"
    repository: %s
    condition: web.enabled
    tags: [front, "a<b>&c"]
    alias: front
    import-values: [{child: greeting, parent: said}]
"""


@pytest.fixture
def repository() -> Iterator[Served]:
    """A Helm repository with two versions of one chart."""
    with served() as found:
        found.holds_charts("1.0.0", "1.1.0")
        yield found


def locked(work: Path, chart: str) -> str:
    """The Chart.lock that the real helm writes for it."""
    folder = work / "chart"
    folder.mkdir(parents=True)
    (folder / "Chart.yaml").write_text(chart)
    env = os.environ | {f"HELM_{kind}_HOME": str(work / kind) for kind in ("CACHE", "CONFIG", "DATA")}
    helm = [str(find("helm")), "dependency", "update", "."]
    subprocess.run(helm, cwd=folder, env=env, check=True, capture_output=True)
    return (folder / "Chart.lock").read_text()


def reviewed(root: Path, url: str, base: dict[str, str], head: dict[str, str | None]) -> dict[str, Any]:
    root.mkdir(parents=True, exist_ok=True)
    files = {"apps/shop.yaml": APPLICATION, "shop/values.yaml": "front: {greeting: a}\n", **base}
    return repositories.check(repositories.make(root / "r", files, head), env=operator(root, place(url)))[1]


def test_a_lock_that_fits_decides_which_version_of_a_range_is_built(tmp_path: Path, repository: Served) -> None:
    chart = ASKED % (">=1.0.0 <1.1.0", repository.url)
    base = {"shop/Chart.yaml": chart, "shop/Chart.lock": locked(tmp_path, chart)}
    verdict = reviewed(tmp_path, repository.url, base, {"shop/values.yaml": "front: {greeting: b}\n"})
    assert [f for f in verdict["findings"] if f["severity"] != "notice"] == []
    assert [(c["name"], c["fields"]) for c in verdict["changes"]] == [("shop", ["data.greeting"])]


def test_a_lock_of_another_chart_is_an_error_as_it_is_for_helm(tmp_path: Path, repository: Served) -> None:
    chart = ASKED % (">=1.0.0 <1.1.0", repository.url)
    base = {"shop/Chart.yaml": chart, "shop/Chart.lock": locked(tmp_path, chart)}
    verdict = reviewed(tmp_path, repository.url, base, {"shop/Chart.yaml": ASKED % (">=1.0.0", repository.url)})
    (found,) = [f for f in verdict["findings"] if f["severity"] == "error"]
    assert (found["rule"], found["path"]) == ("chart-lock", "shop/Chart.lock")
    assert "helm dependency update shop" in found["help"]
    assert verdict["changes"] == []


def test_a_chart_that_is_a_target_by_itself_is_completed_by_its_lock(tmp_path: Path, repository: Served) -> None:
    chart = ASKED % (">=1.0.0 <1.1.0", repository.url)
    own = {
        "shop/Chart.yaml": chart,
        "shop/Chart.lock": locked(tmp_path, chart),
        "shop/values.yaml": "front: {greeting: a}\n",
    }
    head: dict[str, str | None] = {"shop/values.yaml": "front: {greeting: b}\n"}
    root = repositories.make(tmp_path / "r", own, head)
    verdict = repositories.check(root, env=operator(tmp_path, place(repository.url)))[1]
    assert verdict["findings"] == []
    assert [(c["target"], c["name"], c["fields"]) for c in verdict["changes"]] == [
        ("helm:shop", "shop", ["data.greeting"])
    ]
    (tmp_path / "no").mkdir()
    for places, words in ((("example.com",), "is not a host that the operator allows"), ((), "no host is allowed")):
        env = operator(tmp_path / "no", *places) if places else None
        (found,) = [f for f in repositories.check(root, env=env)[1]["findings"] if f["severity"] == "error"]
        assert (found["rule"], found["path"]) == ("missing-dependency", "shop/Chart.yaml")
        assert words in found["message"] and "the operator can" in found["help"]


def test_a_chart_by_itself_with_a_lock_of_another_is_an_error(tmp_path: Path, repository: Served) -> None:
    chart = ASKED % (">=1.0.0 <1.1.0", repository.url)
    own = {"shop/Chart.yaml": chart, "shop/Chart.lock": locked(tmp_path, chart)}
    root = repositories.make(tmp_path / "r", own, {"shop/Chart.yaml": ASKED % (">=1.0.0", repository.url)})
    verdict = repositories.check(root, env=operator(tmp_path, place(repository.url)))[1]
    (found,) = [f for f in verdict["findings"] if f["severity"] == "error"]
    assert "shop/Chart.lock is out of sync" in found["message"]


@pytest.mark.parametrize("delivered", [True, False])
def test_one_chart_may_be_wanted_in_two_versions(tmp_path: Path, repository: Served, delivered: bool) -> None:
    rows = "".join(
        f"  - {{name: web, version: {version}, repository: '{repository.url}', alias: {alias}}}\n"
        for version, alias in (("1.0.0", "one"), ("1.1.0", "two"))
    )
    chart = f"apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies:\n{rows}"
    template = "{{ range $n, $c := .Subcharts }}{{ $n }}: {{ $c.Chart.Version | quote }}\n  {{ end }}"
    shown = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: both}}\ndata:\n  {template}\n"
    base = {
        "shop/Chart.yaml": chart,
        "shop/Chart.lock": locked(tmp_path, chart),
        "shop/values.yaml": "a: b\n",
        **({"apps/shop.yaml": APPLICATION} if delivered else {}),
    }
    root = repositories.make(tmp_path / "r", base, {"shop/templates/both.yaml": shown})
    verdict = repositories.check(root, env=operator(tmp_path, place(repository.url)))[1]
    (change,) = [c for c in verdict["changes"] if c["name"] == "both"]
    assert "one: 1.0.0" in change["diff"].replace('"', "") and "two: 1.1.0" in change["diff"].replace('"', "")
