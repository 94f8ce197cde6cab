"""Several clusters of different versions in one review: each is asked about its own, and judged by its own version."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from kube import Kube, review, said, settings
from test_refusals import CONFIG

from review_bot.core.clusters import Clusters
from review_bot.core.model import Severity

ASSIGN = """\
version: 1
targets:
  assign:
    - {match: "new/**", cluster: new}
    - {match: "old/**", cluster: old}
"""
POLICY = """\
apiVersion: admissionregistration.k8s.io/v1beta1
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: "true"}]
"""


@pytest.fixture
def both(kube: Kube, older: Kube) -> Clusters:
    return Clusters({"new": settings(kube.cluster), "old": settings(older.cluster)})


def test_each_cluster_answers_for_its_own_targets(kube: Kube, older: Kube, both: Clusters, tmp_path: Path) -> None:
    config = CONFIG.replace("NAME", f"c-{uuid.uuid4().hex[:8]}").replace("NS", "default")
    older.apply(config)
    head: dict[str, str | None] = {f"{where}/c.yaml": config.replace("value", "other") for where in ("new", "old")}
    verdict = review(tmp_path, both, {".review-bot.yaml": ASSIGN}, head)
    assert said(verdict) == []
    assert {c.target: str(c.action) for c in verdict.live} == {"plain:new": "create", "plain:old": "update"}


def test_each_target_is_judged_by_the_version_of_its_cluster(both: Clusters, tmp_path: Path) -> None:
    head: dict[str, str | None] = {"new/p.yaml": POLICY, "old/p.yaml": POLICY}
    verdict = review(tmp_path, both, {".review-bot.yaml": ASSIGN}, head)
    told = {(f.target, f.rule, f.severity) for f in verdict.findings if f.check == "schema"}
    assert told == {
        ("plain:new", "schema-removed-api", Severity.ERROR),
        ("plain:old", "schema-api-ends-next", Severity.WARNING),
    }
    ends = next(f for f in verdict.findings if f.rule == "schema-api-ends-next")
    assert "no longer served by Kubernetes 1.34" in ends.message
