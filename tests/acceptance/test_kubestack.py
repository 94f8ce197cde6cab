"""Kubestack: what each environment gets. Changes of the sample whose effect was worked out by hand from its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import repositories

pytestmark = pytest.mark.skipif(not repositories.SAMPLES.is_dir(), reason="the samples lie beside the checkout")

VALUES = "config.auto.tfvars"
EVERY = {"apps-prod", "apps-stage", "ops"}
OPS = """    ops = {
      extra_nodes = "worker"
    }
"""
# file, old, new → conclusion, the environments updated, created and deleted, other objects that change.
CHANGES: dict[str, tuple[tuple[str, str, str], tuple[str, set[str], set[str], set[str], set[str]]]] = {
    # Neither apps-stage nor ops sets it: all inherit.
    "a key of the base that nobody overrides": (
        (VALUES, "infra.127.0.0.1.xip.io", "infra.example.com"),
        ("success", EVERY, set(), set(), {VALUES}),
    ),
    # Both others have extra_nodes of their own.
    "a key of the base that all override": (
        (VALUES, "control-plane,control-plane,worker,worker,worker", "control-plane,worker"),
        ("success", {"apps-prod"}, set(), set(), {VALUES}),
    ),
    "a key of one environment": (
        (VALUES, 'extra_nodes = "worker,worker"', 'extra_nodes = "worker"'),
        ("success", {"apps-stage"}, set(), set(), {VALUES}),
    ),
    "a new key of the base": (
        (VALUES, 'name_prefix = "kind"', 'name_prefix = "kind"\n      node_image = "kindest/node:v1.35.0"'),
        ("success", EVERY, set(), set(), {VALUES}),
    ),
    # Null is the same as not set.
    "a key of one environment that becomes null": (
        (VALUES, 'extra_nodes = "worker,worker"', "extra_nodes = null"),
        ("success", {"apps-stage"}, set(), set(), {VALUES}),
    ),
    "an environment that goes": ((VALUES, OPS, ""), ("success", set(), set(), {"ops"}, {VALUES})),
    "an environment that comes and only inherits": (
        (VALUES, OPS, f"{OPS}\n    loc = {{}}\n"),
        ("success", set(), {"loc"}, set(), {VALUES}),
    ),
    "another version of the module": (
        ("clusters.tf", "v0.9.3-beta.1", "v0.9.4-beta.0"),
        ("success", EVERY, set(), set(), {"module.kind_zero"}),
    ),
    # apps-prod sets every key itself; what the others had from it is gone.
    "another base": (
        ("clusters.tf", '"apps-prod"', '"ops"'),
        ("success", {"apps-stage", "ops"}, set(), set(), {"module.kind_zero"}),
    ),
    "a comment": ((VALUES, "# Settings for Apps-cluster", "# said"), ("success", set(), set(), set(), set())),
    "a file that is broken": (("providers.tf", "{}", "{"), ("failure", set(), set(), set(), set())),
}


def changed_sample(root: Path, path: str, old: str, new: str) -> dict[str, Any]:
    data = repositories.unpacked("kubestack-custom-environment", root)
    repositories.git(data, "init", "-q", "-b", "main")
    repositories.commit(data, "base")
    repositories.git(data, "checkout", "-q", "-b", "change")
    text = (data / path).read_text()
    assert old in text
    (data / path).write_text(text.replace(old, new, 1))
    repositories.commit(data, "head")
    return repositories.check(data)[1]


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_configuration_shows_in_each_environment_that_gets_it(name: str, tmp_path: Path) -> None:
    edit, (conclusion, updated, created, deleted, others) = CHANGES[name]
    verdict = changed_sample(tmp_path, *edit)
    assert [t["id"] for t in verdict["targets"]] == ["terraform:."]
    assert verdict["conclusion"] == conclusion
    rows = [(c["action"], c["name"]) for c in verdict["changes"] if c["kind"] == "KubestackEnvironment"]
    expected = {"update": updated, "create": created, "delete": deleted}
    assert set(rows) == {(action, f"module.kind_zero.{e}") for action, all in expected.items() for e in all}
    assert {c["name"] for c in verdict["changes"] if c["kind"] != "KubestackEnvironment"} == others


def test_the_overlays_are_targets_of_their_own(tmp_path: Path) -> None:
    edit = ("manifests/overlays/ops/kustomization.yaml", "count: 1", "count: 2")
    verdict = changed_sample(tmp_path, *edit)
    # The sample's own base lists patches by name, which kustomize 5 refuses: nobody sees what changes.
    assert [t["id"] for t in verdict["targets"]] == ["kustomize:manifests/overlays/ops"]
    assert verdict["conclusion"] == "failure"


def test_what_an_environment_inherits_stands_in_its_object_with_its_label(tmp_path: Path) -> None:
    verdict = changed_sample(tmp_path, VALUES, OPS, f"{OPS}\n    loc = {{}}\n")
    (loc,) = [c for c in verdict["changes"] if c["name"].endswith(".loc")]
    for line in ("+    environment: loc", "+  name_prefix: kind", "+  base_domain: infra.127.0.0.1.xip.io"):
        assert line in loc["diff"]


def test_a_rule_for_an_environment_hears_of_what_it_inherits(tmp_path: Path) -> None:
    """A policy is told the environment of the object, as the gate is."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "r.rego").write_text(
        "package main\n\ndeny_ops contains msg if {\n"
        '\tdata.review_bot.environment == "ops"\n\tinput.spec.base_domain == "infra.example.com"\n'
        "\tmsg := input.metadata.name\n}\n"
    )
    data = repositories.unpacked("kubestack-custom-environment", tmp_path)
    repositories.git(data, "init", "-q", "-b", "main")
    repositories.commit(data, "base")
    repositories.git(data, "checkout", "-q", "-b", "change")
    text = (data / VALUES).read_text()
    (data / VALUES).write_text(text.replace("infra.127.0.0.1.xip.io", "infra.example.com"))
    repositories.commit(data, "head")
    _, verdict = repositories.check(data, "--policy", str(rules))
    (found,) = [f for f in verdict["findings"] if f["check"] == "policy"]
    assert (found["message"], found["path"], found["line"]) == ("module.kind_zero.ops", VALUES, 16)


def test_a_configuration_that_no_file_gives_is_said(tmp_path: Path) -> None:
    verdict = changed_sample(tmp_path, "clusters.tf", 'var.clusters["kind_zero"]', 'var.clusters["other"]')
    (found,) = [f for f in verdict["findings"] if f["rule"] == "kubestack-not-resolved"]
    assert (found["severity"], found["path"], found["line"]) == ("warning", "clusters.tf", 4)


LEGACY = """module "eks" {
  source = "kbst.xyz/catalog/nginx/kustomization"
  configuration = {
    apps = local.apps
    apps-prod = { replicas = 5, labels = null }
    ops = {}
    loc = local.loc
  }
}
locals {
  apps = { replicas = 2, labels = { team = "a" } }
  loc  = null
}
"""


def in_kubestack(root: Path, head: str) -> dict[str, Any]:
    return repositories.check(repositories.make(root, {"clusters.tf": LEGACY}, {"clusters.tf": head}))[1]


def test_an_environment_may_stand_in_a_local(tmp_path: Path) -> None:
    verdict = in_kubestack(tmp_path, LEGACY.replace("replicas = 2", "replicas = 3"))
    names = {c["name"] for c in verdict["changes"] if c["kind"] == "KubestackEnvironment"}
    assert names == {f"module.eks.{environment}" for environment in ("apps", "ops", "loc")}
    verdict = in_kubestack(tmp_path / "labels", LEGACY.replace('team = "a"', 'team = "b"'))
    assert sum(c["kind"] == "KubestackEnvironment" for c in verdict["changes"]) == 4


def test_an_environment_that_is_put_together_is_said_not_to_be_seen(tmp_path: Path) -> None:
    verdict = in_kubestack(tmp_path, LEGACY.replace("ops = {}", "ops = merge(local.apps, {})"))
    (warning,) = [f for f in verdict["findings"] if f["severity"] == "warning"]
    assert "ops is put together by an expression" in warning["message"]
