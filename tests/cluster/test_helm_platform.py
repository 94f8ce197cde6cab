"""A chart is told the version and the APIs of the cluster that it goes to, on both sides."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import repositories
from kube import Kube, eventually, settings
from test_refusals import DEFINITION

from review_bot.core.clusters import Clusters, ClusterSettings
from review_bot.core.outcome import Verdict
from review_bot.github.workspace import Repository
from review_bot.pipeline.review import Reviewer

TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}"}
data:
  version: {{ .Capabilities.KubeVersion.Version }}
  group: {{ .Capabilities.APIVersions.Has "GROUP/v1" | quote }}
  kind: {{ .Capabilities.APIVersions.Has "GROUP/v1/Gadget" | quote }}
  other: {{ .Capabilities.APIVersions.Has "GROUP/v1/Widget" | quote }}
  value: {{ .Values.value }}
"""


def chart(group: str, value: str) -> dict[str, str]:
    config = 'version: 1\nkubernetes: "1.31"\ntargets: {assign: [{match: "**", cluster: new}]}\n'
    return {
        ".review-bot.yaml": config,
        "chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
        "chart/values.yaml": f"value: {value}\n",
        "chart/templates/c.yaml": TEMPLATE.replace("GROUP", group),
    }


APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  destination: {name: new, namespace: default}
  source: {repoURL: "https://github.com/org/config", path: chart, helm: {HELM}}
"""


def reviewed(root: Path, clusters: Clusters, group: str, more: Mapping[str, str] | None = None) -> Verdict:
    """A change of the chart's value; the cache of rendered output is the same for all reviews of a folder."""
    if not root.exists():
        repositories.make(root, {**chart(group, "one"), **(more or {})}, {**chart(group, "two")})
    repository = Repository(root)
    reviewer = Reviewer(clusters=clusters, cache=root / ".git" / "rendered")
    made = reviewer.review(repository, repository.resolve("main"), repository.resolve("change"))
    return asyncio.run(made).verdict


def data(verdict: Verdict) -> Mapping[str, Any]:
    (change,) = verdict.changes
    assert change.head is not None and change.fields == ("data.value",)
    found: Mapping[str, Any] = change.head.manifest["data"]
    return found


@pytest.fixture
def group(kube: Kube, namespace: str) -> str:
    """An API group that only the newer cluster serves."""
    name = f"{namespace}.example.com"
    kube.apply(DEFINITION.replace("GROUP", name))
    eventually(lambda: kube.send("GET", f"/apis/{name}/v1")[0] == 200)
    return name


def test_it_is_told_what_its_cluster_is_and_what_it_serves(kube: Kube, older: Kube, group: str, tmp_path: Path) -> None:
    root = tmp_path / "repository"
    at = {
        name: reviewed(root, Clusters({"new": settings(k.cluster)}), group)
        for name, k in (("new", kube), ("old", older))
    }
    new, old = data(at["new"]), data(at["old"])
    assert new == {"version": "v1.35.4", "group": "true", "kind": "true", "other": "false", "value": "two"}
    # The same files from the same cache, for another cluster.
    assert old == {"version": "v1.33.13", "group": "false", "kind": "false", "other": "false", "value": "two"}
    assert not [f for verdict in at.values() for f in verdict.findings if f.check == "render"]


@pytest.mark.parametrize(
    ("options", "version", "kind"),
    [
        ("releaseName: web", "v1.35.4", "true"),
        ("kubeVersion: 1.30.1", "v1.30.1", "true"),
        ("apiVersions: [example.com/v9]", "v1.35.4", "false"),
    ],
)
def test_a_chart_of_an_application_is_told_too_unless_the_application_says_otherwise(
    kube: Kube, group: str, tmp_path: Path, options: str, version: str, kind: str
) -> None:
    more = {"apps/web.yaml": APPLICATION.replace("HELM", options)}
    verdict = reviewed(tmp_path / "repository", Clusters({"new": settings(kube.cluster)}), group, more)
    assert [t.target.id for t in verdict.targets] == ["argocd:web"]
    assert (data(verdict)["version"], data(verdict)["kind"]) == (version, kind)


def test_a_cluster_that_does_not_answer_leaves_it_at_the_configured_version_and_that_is_said(
    kube: Kube, tmp_path: Path
) -> None:
    gone = ClusterSettings("new", kubeconfig=kube.cluster.kubeconfig, context="expired")
    verdict = reviewed(tmp_path / "repository", Clusters({"new": gone}), "example.com")
    assert data(verdict)["version"] == "v1.31.0"
    (found,) = [f for f in verdict.findings if f.check == "render"]
    assert (found.rule, found.severity, found.path) == ("helm-platform", "notice", "chart/Chart.yaml")
    assert "does not accept the bot's credentials (401), so the chart is rendered for Kubernetes 1.31" in found.message


def test_a_chart_that_goes_to_no_cluster_of_the_operator_s_costs_no_question(kube: Kube, tmp_path: Path) -> None:
    verdict = reviewed(tmp_path / "repository", Clusters({"elsewhere": settings(kube.cluster)}), "example.com")
    assert data(verdict)["version"] == "v1.31.0"
    assert not [f for f in verdict.findings if f.check == "render"]
