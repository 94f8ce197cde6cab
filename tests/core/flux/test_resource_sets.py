"""A ResourceSet generates here what flux-operator would generate of it, where its inputs stand in git."""

from __future__ import annotations

from pathlib import Path

import pytest
from deployed import CONFIG_MAP, Deployed, deployed, kustomization

from review_bot.core.model import Severity

HERE = "clusters/here/set.yaml"
ID = "resourceset:flux-system/tenants"


def generated(root: Path, spec: str, more: str = CONFIG_MAP, annotations: str = "") -> Deployed:
    rows = "".join(f"  {row}\n" for row in spec.strip("\n").splitlines())
    metadata = f"metadata: {{name: tenants, namespace: flux-system{annotations}}}"
    text = f"apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\n{metadata}\nspec:\n{rows}"
    return deployed(root, {HERE: text, "clusters/here/more.yaml": more})


MAPS = """\
resources:
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: << inputs.tenant >>, namespace: << inputs.tenant >>}
    data: {by: << inputs.provider.name >>, upper: << inputs.tenant | upper | quote >>}
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: shared}
"""


def test_each_template_is_rendered_for_each_input_and_an_object_stays_one(tmp_path: Path) -> None:
    found = generated(tmp_path, "inputs: [{tenant: one}, {tenant: two}]\n" + MAPS)
    assert found.said() == []
    assert found.names(ID) == ["ConfigMap -/shared", "ConfigMap one/one", "ConfigMap two/two"]
    assert found.objects(ID)[0]["data"] == {"by": "tenants", "upper": "ONE"}
    assert {r.source.path for r in found.rendered[ID].resources} == {HERE}


def test_a_template_is_yaml_so_that_a_value_keeps_its_type(tmp_path: Path) -> None:
    spec = """\
inputs: [{count: 3}]
resources:
  - {apiVersion: example.com/v1, kind: Thing, metadata: {name: a}, spec: {replicas: << inputs.count >>}}
"""
    assert generated(tmp_path, spec).only(ID, "Thing")["spec"] == {"replicas": 3}


def test_a_template_of_several_documents_and_common_metadata(tmp_path: Path) -> None:
    spec = """\
commonMetadata: {labels: {by: set}}
inputs: [{names: [a, b]}]
resourcesTemplate: |
  <<- range inputs.names >>
  ---
  apiVersion: v1
  kind: ConfigMap
  metadata:
    name: << . >>
  <<- end >>
"""
    found = generated(tmp_path, spec)
    assert found.names(ID) == ["ConfigMap -/a", "ConfigMap -/b"]
    assert all(o["metadata"]["labels"] == {"by": "set"} for o in found.objects(ID))


def test_without_inputs_it_is_rendered_once(tmp_path: Path) -> None:
    spec = "resources: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]"
    assert generated(tmp_path, spec).names(ID) == ["ConfigMap -/a"]


def test_what_it_generates_may_deploy_more(tmp_path: Path) -> None:
    template = kustomization("<< inputs.path >>", name="child").replace("\n", "\n    ").strip()
    found = generated(tmp_path, f"inputs: [{{path: apps}}]\nresources:\n  - {template}\n")
    assert "flux:child" in found.targets
    assert found.findings[0].message.endswith("the folder apps does not exist")


PROVIDER = """\
apiVersion: fluxcd.controlplane.io/v1
kind: ResourceSetInputProvider
metadata: {name: given, namespace: flux-system}
spec: {type: %s, defaultValues: {tenant: one}}
"""


def test_inputs_of_a_static_provider_stand_in_git(tmp_path: Path) -> None:
    found = generated(
        tmp_path, "inputsFrom: [{kind: ResourceSetInputProvider, name: given}]\n" + MAPS, PROVIDER % "Static"
    )
    assert found.objects(ID)[0]["data"]["by"] == "given"


@pytest.mark.parametrize(
    ("spec", "more", "what"),
    [
        ("inputsFrom: [{name: given}]\n", PROVIDER % "GitHubPullRequest", "given gives is not in git"),
        ("inputsFrom: [{name: given}]\n", CONFIG_MAP, "given is not in this repository"),
        ("inputsFrom: [{selector: {matchLabels: {a: b}}}]\n", CONFIG_MAP, "that a selector picks is not in"),
        ("inputStrategy: {name: Permute}\ninputs: [{tenant: a}]\n", CONFIG_MAP, "its inputs are permuted"),
    ],
)
def test_inputs_that_are_found_at_run_time_are_not_seen(tmp_path: Path, spec: str, more: str, what: str) -> None:
    found = generated(tmp_path, spec + MAPS, more)
    assert [(f.rule, f.severity, f.target) for f in found.findings] == [("not-seen", Severity.WARNING, ID)]
    assert what in found.findings[0].message


@pytest.mark.parametrize("name", ["<< inputs.none >>", "<< if >>", "<< inputs.tenant"])
def test_a_template_that_fails_is_an_error_that_tells_which(tmp_path: Path, name: str) -> None:
    spec = f"inputs: [{{tenant: a}}]\nresources: [{{apiVersion: v1, kind: ConfigMap, metadata: {{name: '{name}'}}}}]"
    found = generated(tmp_path, spec)
    assert [(f.severity, f.path) for f in found.findings] == [(Severity.ERROR, HERE)]
    assert "resources[0]: " in found.findings[0].message


def test_one_that_is_not_reconciled_rolls_nothing_out(tmp_path: Path) -> None:
    mark = ", annotations: {fluxcd.controlplane.io/reconcile: disabled}"
    delivery = generated(tmp_path, "resources: []", annotations=mark).targets[ID].delivery
    assert delivery is not None and delivery.suspended
