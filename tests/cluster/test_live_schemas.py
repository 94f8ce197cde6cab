"""The cluster's version and its custom kinds decide what is valid; what goes with the next version is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kube import Kube, eventually, review, settings
from test_refusals import DEFINITION, GADGET

from review_bot.core.model import Finding
from review_bot.core.outcome import Verdict

ADDRESS = """\
apiVersion: networking.k8s.io/v1beta1
kind: IPAddress
metadata: {name: 10.0.0.9}
spec: {parentRef: {resource: services, namespace: default, name: x}}
"""


def of_schema(verdict: Verdict) -> Sequence[Finding]:
    return [f for f in verdict.findings if f.check == "schema"]


def test_a_custom_kind_is_checked_by_the_definition_in_the_cluster(kube: Kube, namespace: str, tmp_path: Path) -> None:
    group = f"{namespace}.example.com"
    kube.apply(DEFINITION.replace("GROUP", group))
    eventually(lambda: kube.send("GET", f"/openapi/v3/apis/{group}/v1")[0] == 200)
    gadget = GADGET.replace("GROUP", group).replace("NS", namespace)
    wrong = gadget.replace("low: 1", "low: one\n  lov: 1")
    verdict = review(tmp_path / "wrong", settings(kube.cluster), {}, {"app/g.yaml": wrong})
    assert {(f.rule, f.line) for f in of_schema(verdict)} == {("schema-type", 5), ("schema-unknown-field", 6)}
    assert of_schema(review(tmp_path / "fine", settings(kube.cluster), {}, {"app/g.yaml": gadget})) == []


def test_the_cluster_s_version_goes_before_the_configuration_s(kube: Kube, tmp_path: Path) -> None:
    budget = "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: b}\nspec: {maxUnavailable: 1}\n"
    # The cluster is 1.35, where it is long gone; 1.25 had just removed it.
    base = {".review-bot.yaml": 'version: 1\nkubernetes: "1.25"\n'}
    verdict = review(tmp_path, settings(kube.cluster), base, {"app/b.yaml": budget})
    assert [(f.rule, f.help) for f in of_schema(verdict)] == [
        ("schema-removed-api", "use policy/v1. The cluster's API server refuses it too.")
    ]
    assert "Kubernetes 1.35" in of_schema(verdict)[0].message


def test_what_the_next_versions_no_longer_serve_is_told_before(kube: Kube, tmp_path: Path) -> None:
    verdict = review(tmp_path, settings(kube.cluster), {}, {"app/a.yaml": ADDRESS})
    assert [(f.rule, f.severity, f.line) for f in of_schema(verdict)] == [("schema-api-deprecated", "notice", 1)]
    assert "no longer served by Kubernetes 1.37" in of_schema(verdict)[0].message
