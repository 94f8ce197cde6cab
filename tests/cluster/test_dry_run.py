"""The cluster's own answer: what would really happen, told on the right file and line."""

from __future__ import annotations

import json
from pathlib import Path

import repositories
from kube import Kube, review, rules, said, settings

from review_bot.core.clusters import LiveAction
from review_bot.core.model import CheckName, CheckState, Conclusion, Severity

DEPLOYMENT = repositories.DEPLOYMENT.replace("name: web\nspec", "name: web\n  namespace: NS\nspec").replace(
    "1.4.2", "1"
)
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\n  namespace: NS\ndata:\n  key: value\n"


def test_it_tells_what_would_be_created_updated_deleted_and_left_alone(
    kube: Kube, namespace: str, tmp_path: Path
) -> None:
    deployment = DEPLOYMENT.replace("NS", namespace)
    gone, same = (CONFIG.replace("NAME", n).replace("NS", namespace) for n in ("gone", "same"))
    for text in (deployment, gone, same.replace("value", "new")):
        kube.apply(text)
    verdict = review(
        tmp_path,
        settings(kube.cluster),
        {"app/web.yaml": deployment, "app/gone.yaml": gone, "app/same.yaml": same},
        {
            "app/web.yaml": deployment.replace("replicas: 2", "replicas: 3"),
            "app/gone.yaml": None,
            "app/same.yaml": same.replace("value", "new"),
            "app/new.yaml": gone.replace("name: gone", "name: fresh"),
        },
    )
    assert said(verdict) == []
    assert verdict.checks[CheckName.DRY_RUN] is CheckState.SUCCESS
    assert {c.id.name: c.action for c in verdict.live} == {
        "web": LiveAction.UPDATE,
        "gone": LiveAction.DELETE,
        "same": LiveAction.UNCHANGED,
        "fresh": LiveAction.CREATE,
    }
    update = next(c for c in verdict.live if c.id.name == "web")
    assert update.fields == ("spec.replicas",)
    assert "-  replicas: 2\n+  replicas: 3" in update.diff


def test_an_immutable_field_is_named_on_its_line(kube: Kube, namespace: str, tmp_path: Path) -> None:
    deployment = DEPLOYMENT.replace("NS", namespace)
    kube.apply(deployment)
    verdict = review(
        tmp_path,
        settings(kube.cluster),
        {"app/web.yaml": deployment},
        {"app/web.yaml": deployment.replace("{app: web}", "{app: shop}")},
    )
    found = said(verdict)[0]
    assert (found.rule, found.severity, found.path, found.line) == (
        "dry-run-immutable",
        Severity.ERROR,
        "app/web.yaml",
        8,
    )
    assert "spec.selector" in found.message and "{" not in found.message
    assert verdict.conclusion is Conclusion.FAILURE


def test_a_value_that_no_schema_forbids_is_named_on_its_line(kube: Kube, namespace: str, tmp_path: Path) -> None:
    deployment = DEPLOYMENT.replace("NS", namespace)
    head = deployment.replace("labels: {app: web}", "labels: {app: shop}")
    verdict = review(
        tmp_path, settings(kube.cluster), {}, {"app/web.yaml": head.replace("replicas: 2", "replicas: -2")}
    )
    assert {(f.rule, f.line) for f in said(verdict)} == {("dry-run-invalid", 7), ("dry-run-invalid", 12)}


def test_a_missing_namespace_is_a_problem(kube: Kube, tmp_path: Path) -> None:
    verdict = review(
        tmp_path, settings(kube.cluster), {}, {"app/c.yaml": CONFIG.replace("NAME", "c").replace("NS", "nowhere")}
    )
    found = said(verdict)[0]
    assert (found.rule, found.line, found.severity) == ("dry-run-namespace", 5, Severity.ERROR)
    assert "nowhere" in found.message


def test_what_goes_into_a_new_namespace_does_not_fail_and_is_said_to_be_unchecked(kube: Kube, tmp_path: Path) -> None:
    name = f"{kube.namespace()}-new"
    head: dict[str, str | None] = {
        "app/namespace.yaml": f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n",
        "app/a.yaml": CONFIG.replace("NAME", "a").replace("NS", name),
        "app/b.yaml": CONFIG.replace("NAME", "b").replace("NS", name),
    }
    verdict = review(tmp_path, settings(kube.cluster), {}, head)
    assert [(f.rule, f.severity) for f in said(verdict)] == [("dry-run-skipped", Severity.NOTICE)]
    assert f"ConfigMap a, ConfigMap b; the namespace {name} is created" in said(verdict)[0].message
    assert verdict.conclusion is Conclusion.SUCCESS


def test_values_of_a_secret_are_never_shown(kube: Kube, namespace: str, tmp_path: Path) -> None:
    secret = (
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: {namespace}}}\nstringData: {{p: hunter1}}\n"
    )
    kube.apply(secret)
    verdict = review(
        tmp_path, settings(kube.cluster), {"app/s.yaml": secret}, {"app/s.yaml": secret.replace("hunter1", "hunter2")}
    )
    change = verdict.live[0]
    assert change.action is LiveAction.UPDATE
    assert change.fields == ("data.p",)
    for hidden in ("hunter", "aHVudGVy"):
        assert hidden not in change.diff


def test_the_command_asks_a_context_of_the_kubeconfig(kube: Kube, namespace: str, tmp_path: Path) -> None:
    root = repositories.make(tmp_path, {"README.md": "x"}, {"app/web.yaml": DEPLOYMENT.replace("NS", namespace)})
    env = {"KUBECONFIG": str(kube.cluster.kubeconfig)}
    status, verdict = repositories.check(root, "--cluster", "admin", env=env)
    assert status == 0
    assert verdict["checks"]["dry-run"] == "success"
    assert [(c["action"], c["cluster"]) for c in verdict["live"]] == [("create", "admin")]
    wrong = repositories.run("check", str(root), "--base", "main", "--cluster", "nowhere", env=env)
    assert wrong.returncode == 2
    assert "admin" in wrong.stderr


def test_without_a_cluster_it_says_that_it_is_not_configured(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, {"README.md": "x"}, {"app/web.yaml": DEPLOYMENT})
    assert json.loads(repositories.run("check", str(root), "--base", "main", "-o", "json").stdout)["checks"][
        "dry-run"
    ] == ("not-configured")


def test_the_rules_are_stable_names(kube: Kube, namespace: str, tmp_path: Path) -> None:
    unknown = f"apiVersion: example.com/v1\nkind: Gadget\nmetadata: {{name: g, namespace: {namespace}}}\n"
    assert rules(review(tmp_path, settings(kube.cluster), {}, {"app/g.yaml": unknown})) == ["dry-run-unknown-kind"]
