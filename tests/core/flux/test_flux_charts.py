"""The chart of a HelmRelease is found here where helm-controller and source-controller find it."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from deployed import CHART, CONFIG_MAP, Deployed, deployed, release

from review_bot.core.model import Severity

HERE = "clusters/here/web.yaml"
ID = "helmrelease:apps/web"


def released(root: Path, spec: str = "", name: str = "web", **more: str) -> Deployed:
    others = {f"clusters/here/{file}.yaml": content for file, content in more.items()}
    return deployed(root, {**CHART, HERE: release(spec, name), **others})


def values(found: Deployed) -> Mapping[str, Any]:
    assert found.said() == []
    return dict(json.loads(found.only(ID)["data"]["values"]))


def test_value_files_replace_the_own_values_of_the_chart(tmp_path: Path) -> None:
    chart = """\
chart:
  spec:
    chart: charts/web
    valuesFiles: [charts/web/one.yaml, two.yaml]
    sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}
"""
    files = {
        **CHART,
        HERE: release(chart),
        "charts/web/one.yaml": "a: {one: 1, both: 1}\n",
        "two.yaml": "a: {both: 2}\n",
    }
    assert values(deployed(tmp_path / "a", files)) == {"a": {"one": 1, "both": 2}}
    del files["two.yaml"]
    assert "the value file two.yaml does not exist" in deployed(tmp_path / "b", files).said()[0]
    files[HERE] = release(chart + "    ignoreMissingValuesFiles: true\n")
    assert values(deployed(tmp_path / "c", files)) == {"a": {"one": 1, "both": 1}}


def source(kind: str, url: str, more: str = "") -> str:
    return (
        f"apiVersion: source.toolkit.fluxcd.io/v1\nkind: {kind}\nmetadata: {{name: s, namespace: apps}}\n"
        f"spec: {{url: '{url}'{more}}}\n"
    )


def chart(version: str, kind: str = "HelmRepository") -> str:
    row = f"version: '{version}', " if version else ""
    return f"chart: {{spec: {{chart: web, {row}sourceRef: {{kind: {kind}, name: s}}}}}}"


@pytest.mark.parametrize(
    ("spec", "object", "what"),
    [
        (chart("1.0.0"), source("HelmRepository", "https://charts.example.com"), "charts.example.com lies outside"),
        (chart("1.0.0"), source("HelmRepository", "oci://r.example.com/c", ", type: oci"), "oci://r.example.com/c/web"),
        (chart("1.x"), source("HelmRepository", "https://charts.example.com"), "charts.example.com lies outside"),
        (chart(""), source("HelmRepository", "https://charts.example.com"), "charts.example.com lies outside"),
        (chart("1.0.0"), CONFIG_MAP, "the HelmRepository apps/s is not in this repository"),
        (chart("1.0.0", "Bucket"), CONFIG_MAP, "what the Bucket apps/s holds is not in git"),
        (
            "chartRef: {kind: OCIRepository, name: s}",
            source("OCIRepository", "oci://r.example.com/web", ", ref: {tag: 1.0.0}"),
            "oci://r.example.com/web lies outside",
        ),
        (
            "chartRef: {kind: OCIRepository, name: s}",
            source("OCIRepository", "oci://r.example.com/web", ", ref: {semver: 1.x}"),
            "oci://r.example.com/web lies outside",
        ),
        (
            "chartRef: {kind: OCIRepository, name: s}",
            source("OCIRepository", "oci://r.example.com/web", ", ref: {semver: 1.x, semverFilter: '.*-rc'}"),
            "in a version that a filter picks",
        ),
    ],
)
def test_a_chart_that_lies_elsewhere_is_not_seen(tmp_path: Path, spec: str, object: str, what: str) -> None:
    found = released(tmp_path, spec, source=object)
    assert [(f.rule, f.severity, f.target) for f in found.findings] == [("not-seen", Severity.WARNING, ID)]
    assert what in found.findings[0].message
    assert found.targets[ID].parts == ()


def test_a_helm_chart_object_may_name_the_chart(tmp_path: Path) -> None:
    helm_chart = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: {name: s, namespace: flux-system}
spec: {chart: ./charts/web, sourceRef: {kind: GitRepository, name: flux-system}}
"""
    spec = "chartRef: {kind: HelmChart, name: s, namespace: flux-system}"
    assert values(released(tmp_path, spec, chart=helm_chart))["replicas"] == 1


def test_a_chart_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    found = deployed(tmp_path, {HERE: release()})
    assert [(f.severity, f.path, f.target) for f in found.findings] == [(Severity.ERROR, HERE, ID)]
    assert "there is no chart in charts/web" in found.findings[0].message


def packed(root: Path, files: Mapping[str, str], name: str = "web-1.2.3.tgz") -> None:
    """A chart as `helm package` writes it, beside the repository's other files."""
    (root / "repository/charts").mkdir(parents=True)
    with tarfile.open(root / f"repository/charts/{name}", "w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path.removeprefix("charts/"))
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))


def test_a_chart_that_is_committed_as_an_archive_is_unpacked(tmp_path: Path) -> None:
    packed(tmp_path, CHART)
    spec = """\
chart:
  spec:
    chart: charts/web-1.2.3.tgz
    valuesFiles: [more.yaml]
    sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}
"""
    found = deployed(tmp_path, {HERE: release(spec), "more.yaml": "replicas: 7\n"})
    assert values(found) == {"replicas": 7}
    target = found.targets[ID]
    assert target.path == "charts"
    assert "charts/web-1.2.3.tgz" in (target.reads or ())


def test_an_archive_that_holds_no_chart_is_an_error(tmp_path: Path) -> None:
    packed(tmp_path, {"charts/web/readme.md": "-"})
    found = deployed(tmp_path, {HERE: release(chart="charts/web-1.2.3.tgz")})
    assert "there is no chart in charts/web-1.2.3.tgz" in found.said()[0]


def test_what_is_no_archive_is_an_error(tmp_path: Path) -> None:
    found = deployed(tmp_path, {HERE: release(chart="charts/web.tgz"), "charts/web.tgz": "words"})
    assert [f.severity for f in found.findings] == [Severity.ERROR]
    assert "charts/web.tgz is no .tar.gz" in found.findings[0].message


def test_dependencies_that_source_controller_would_get_are_not_seen(tmp_path: Path) -> None:
    needs = (
        CHART["charts/web/Chart.yaml"] + "dependencies: [{name: db, version: 1.0.0, repository: https://c.example}]\n"
    )
    found = deployed(tmp_path, {**CHART, HERE: release(), "charts/web/Chart.yaml": needs})
    assert [(f.rule, f.severity) for f in found.findings] == [("not-seen", Severity.WARNING)]
    assert "https://c.example lies outside of this repository" in found.findings[0].message
