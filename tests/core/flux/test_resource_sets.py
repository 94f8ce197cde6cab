"""A ResourceSet generates here what flux-operator would generate of it, where its inputs stand in git."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

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


def provider(name: str, values: str, labels: str = "{}") -> str:
    return (
        f"---\napiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSetInputProvider\n"
        f"metadata: {{name: {name}, namespace: flux-system, labels: {labels}}}\n"
        f"spec: {{type: Static, defaultValues: {values}}}\n"
    )


REGIONS = provider("regions.all", "{zone: eu}", "{kind: place}") + provider("colours", "{tint: red}", "{kind: look}")
PAIRS = """\
resources:
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: << inputs.tenants.tenant >>-<< inputs.regions_all.zone >>-<< inputs.colours.tint >>}
    data: {id: << inputs.id | quote >>}
"""


def test_permuted_inputs_are_each_with_each_below_the_names_of_their_providers(tmp_path: Path) -> None:
    spec = "inputStrategy: {name: Permute}\ninputs: [{tenant: a}, {tenant: b}]\n"
    found = generated(tmp_path, spec + "inputsFrom: [{name: regions.all}, {name: colours}]\n" + PAIRS, REGIONS)
    assert found.names(ID) == ["ConfigMap -/a-eu-red", "ConfigMap -/b-eu-red"]
    # The checksum of the names and numbers of what was chosen, as flux-operator gives it.
    assert found.objects(ID)[0]["data"]["id"] == str(zlib.adler32(b"tenants=0/colours=0/regions_all=0"))


@pytest.mark.parametrize(("spec", "count"), [("", 1), (", includeEmptyProviders: true", 0)])
def test_a_provider_without_inputs_counts_only_where_it_is_to(tmp_path: Path, spec: str, count: int) -> None:
    text = f"inputStrategy: {{name: Permute{spec}}}\ninputsFrom: [{{name: colours}}]\nresources:\n"
    text += "  - {apiVersion: v1, kind: ConfigMap, metadata: {name: << inputs.colours.tint >>}}\n"
    assert len(generated(tmp_path, text, REGIONS).objects(ID)) == count


def test_more_permutations_than_the_operator_takes_are_an_error(tmp_path: Path) -> None:
    inputs = "".join(f"  - {{tenant: t{n}}}\n" for n in range(10_001))
    found = generated(tmp_path, f"inputStrategy: {{name: Permute}}\ninputs:\n{inputs}{MAPS}")
    assert "its inputs make 10001 permutations" in found.said()[0]


def test_providers_come_in_order_of_their_names_each_once_by_name_or_by_selector(tmp_path: Path) -> None:
    spec = """\
inputsFrom:
  - {name: regions.all}
  - {selector: {matchLabels: {kind: look}}}
  - {selector: {matchExpressions: [{key: kind, operator: In, values: [look, place]}]}}
resources:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: << inputs.provider.name >>}}
"""
    found = generated(tmp_path, spec, REGIONS)
    assert [o["metadata"]["name"] for o in found.objects(ID)] == ["colours", "regions.all"]


STEPS = """\
inputs: [{tenant: a}]
steps:
  - name: first
    resources: [{apiVersion: v1, kind: ConfigMap, metadata: {name: << inputs.tenant >>1}}]
  - name: second
    resourcesTemplate: |
      {apiVersion: v1, kind: ConfigMap, metadata: {name: << inputs.tenant >>2}}
"""


def test_steps_are_rendered_one_after_the_other(tmp_path: Path) -> None:
    assert generated(tmp_path, STEPS).names(ID) == ["ConfigMap -/a1", "ConfigMap -/a2"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (STEPS.replace("tenant >>2", "tenant >>1"), "ConfigMap a1 is in the step first and in the step second"),
        (STEPS + MAPS, "it has both steps and resources of its own"),
        ("steps: [{name: first}]", "its step first has no resources"),
        (STEPS.replace("inputs.tenant >>2", "inputs.none >>2"), "step second: its template: "),
    ],
)
def test_steps_that_the_operator_refuses_are_errors(tmp_path: Path, spec: str, said: str) -> None:
    assert said in generated(tmp_path, spec).said()[0]


def test_an_object_is_the_same_in_any_version_and_one_that_is_switched_off_is_left_out(tmp_path: Path) -> None:
    spec = """\
inputs: [{tenant: a, state: disabled}]
resources:
  - {apiVersion: example.com/v1, kind: Thing, metadata: {name: a}}
  - {apiVersion: example.com/v2, kind: Thing, metadata: {name: a}}
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: b, annotations: {fluxcd.controlplane.io/reconcile: << inputs.state >>}}
"""
    assert [o["apiVersion"] for o in generated(tmp_path, spec).objects(ID)] == ["example.com/v1"]


@pytest.mark.parametrize(
    ("template", "becomes"),
    [
        ("<< inputs.count >>", 1000000),
        ("<< inputs.count | quote >>", "1000000"),
        ("<< slugify inputs.long >>", "feature_x-a-name-of-very-many-words-that-goes-on-and-on-and-on"),
        ("<< toYaml inputs.list | trim | quote >>", "- a"),
        ("<< sha256sum `a` | trunc 4 >>", "ca97"),
    ],
)
def test_templates_have_the_words_of_flux_operator(tmp_path: Path, template: str, becomes: Any) -> None:
    long = "Feature_x/A name of very many words that goes on and on and on and on"
    spec = f"""\
inputs: [{{count: 1000000, list: [a], long: {long}}}]
resources: [{{apiVersion: example.com/v1, kind: Thing, metadata: {{name: a}}, spec: {{is: '{template}'}}}}]
"""
    assert generated(tmp_path, spec).only(ID, "Thing")["spec"]["is"] == becomes


def test_data_that_is_copied_in_the_cluster_is_not_seen(tmp_path: Path) -> None:
    spec = """\
resources:
  - {apiVersion: v1, kind: Secret, metadata: {name: a, annotations: {fluxcd.controlplane.io/copyFrom: other/b}}}
"""
    found = generated(tmp_path, spec)
    assert [(f.rule, f.severity) for f in found.findings] == [("not-seen", Severity.WARNING)]
    assert "the data of Secret a is copied from other/b in the cluster" in found.findings[0].message


def test_sets_wait_for_each_other(tmp_path: Path) -> None:
    spec = "dependsOn: [{apiVersion: fluxcd.controlplane.io/v1, kind: ResourceSet, name: %s}]\nresources: []\n"
    crd = "dependsOn: [{apiVersion: v1, kind: Namespace, name: gone}]\n" + MAPS + "inputs: [{tenant: a}]\n"
    assert "dependency-cycle: " in generated(tmp_path / "a", spec % "tenants").said()[-1]
    assert "unknown-dependency: " in generated(tmp_path / "b", spec % "gone").said()[-1]
    assert generated(tmp_path / "c", crd).said() == []


@pytest.mark.parametrize(
    ("spec", "more", "what"),
    [
        ("inputsFrom: [{name: given}]\n", PROVIDER % "GitHubPullRequest", "given gives is not in git"),
        ("inputsFrom: [{name: given}]\n", CONFIG_MAP, "given is not in this repository"),
        ("inputsFrom: [{selector: {matchLabels: {a: b}}}]\n", CONFIG_MAP, "that its selector picks is in this"),
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
