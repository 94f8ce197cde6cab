"""The operator's file: several clusters by name, each with its own limits; mistakes are told with their line."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import repositories
from kube import Kube, review, said, settings

from review_bot.cluster.operator_config import OperatorFile, schema
from review_bot.core import report_markdown
from review_bot.core.clusters import Clusters, ClusterSettings, Pace
from review_bot.core.errors import UsageError
from review_bot.core.model import Severity

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: default}\ndata: {key: value}\n"
ASSIGN = """\
version: 1
targets:
  assign:
    - {match: "prod/**", cluster: prod}
    - {match: "staging/**", cluster: staging}
"""


def test_every_key_reaches_its_setting() -> None:
    text = """\
version: 1
clusters:
  prod:
    kubeconfig: keys/prod.yaml
    context: bot@prod
    timeout_seconds: 3
    budget_seconds: 60
    concurrency: 4
    field_manager: argocd-controller
    exec: true
    unreachable: warn
  here: {in_cluster: true, hub: prod}
pace_seconds: {drift: 600, rollout_look: 5, rollout: 900}
"""
    found = OperatorFile(text.encode(), {}, path="/etc/review-bot/operator.yaml").clusters
    assert found is not None
    assert found.pace == Pace(drift=600, rollout_look=5, rollout=900)
    assert found.by_name == {
        "prod": ClusterSettings(
            "prod",
            kubeconfig=Path("/etc/review-bot/keys/prod.yaml"),
            context="bot@prod",
            timeout_seconds=3,
            budget_seconds=60,
            concurrency=4,
            field_manager="argocd-controller",
            exec=True,
            unreachable=Severity.WARNING,
        ),
        "here": ClusterSettings("here", in_cluster=True, hub="prod"),
    }


def test_credential_programs_are_off_and_unreachable_blocks_unless_the_operator_says_otherwise() -> None:
    found = OperatorFile(b"version: 1\nclusters: {a: {kubeconfig: k}}\n", {}, path="o.yaml").clusters
    assert found is not None
    assert (found.by_name["a"].exec, found.by_name["a"].unreachable) == (False, Severity.ERROR)


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("version: 1\nclusters:\n  prod:\n    kubeconfg: x\n", 4, "did you mean 'kubeconfig'"),
        ("version: 1\nclusters:\n  prod:\n    kubeconfig: x\n    unreachable: maybe\n", 5, "'block', 'warn'"),
        ("version: 1\nclusters:\n  prod:\n    context: x\n", 3, "exactly one of kubeconfig and in_cluster"),
        ("version: 1\nclusters:\n  prod: {kubeconfig: x, in_cluster: true}\n", 3, "exactly one of"),
        ("version: 1\nclusters:\n  prod:\n    kubeconfig: x\n    hub: moon\n", 5, "moon is no cluster of this file"),
        (
            "version: 1\nclusters:\n  a: {kubeconfig: x, hub: b}\n  b: {kubeconfig: x, hub: a}\n",
            3,
            "b has a hub itself",
        ),
        ("clusters: {}\n", 1, "'version' is missing"),
        ("- 1\n", 1, "one mapping"),
        ("version: 1\nclusters: [\n", 2, "not YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_was_expected(text: str, line: int, word: str) -> None:
    with pytest.raises(UsageError) as raised:
        _ = OperatorFile(text.encode(), {}, path="o.yaml").clusters
    assert (raised.value.path, raised.value.line) == ("o.yaml", line)
    assert word in raised.value.message


def test_the_published_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_each_target_is_asked_about_in_its_own_cluster(kube: Kube, tmp_path: Path) -> None:
    clusters = Clusters(
        {
            "prod": settings(kube.cluster, "admin"),
            "staging": settings(kube.cluster, "expired", unreachable=Severity.WARNING),
        }
    )
    head: dict[str, str | None] = {"prod/c.yaml": CONFIG, "staging/c.yaml": CONFIG}
    verdict = review(tmp_path, clusters, {".review-bot.yaml": ASSIGN}, head)
    assert [(f.rule, f.target, f.severity) for f in said(verdict)] == [
        ("dry-run-cluster", "plain:staging", Severity.WARNING)
    ]
    assert [c.target for c in verdict.live] == ["plain:prod"]


def test_a_target_without_a_cluster_does_not_look_as_if_one_had_agreed(kube: Kube, tmp_path: Path) -> None:
    head: dict[str, str | None] = {"prod/c.yaml": CONFIG, "other/c.yaml": CONFIG}
    verdict = review(tmp_path, Clusters({"prod": settings(kube.cluster)}), {".review-bot.yaml": ASSIGN}, head)
    rows = {row.split("`")[1]: row for row in report_markdown.render(verdict).splitlines() if row.startswith("| ✅")}
    assert "dry-run ✓" in rows["plain:prod"]
    assert "dry-run not in full" in rows["plain:other"]


def test_a_program_gives_the_credentials_where_the_operator_allows_it(kube: Kube, tmp_path: Path) -> None:
    given = json.loads(kube.cluster.kubeconfig.read_text())
    token = next(u["user"]["token"] for u in given["users"] if u["name"] == "admin")
    api = "client.authentication.k8s.io/v1"
    answer = tmp_path / "credential.json"
    answer.write_text(json.dumps({"apiVersion": api, "kind": "ExecCredential", "status": {"token": token}}))
    program = {"apiVersion": api, "command": "cat", "args": [str(answer)], "interactiveMode": "Never"}
    given["users"] = [{"name": "admin", "user": {"exec": program}}]
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(given))
    asked = ClusterSettings("prod", kubeconfig=kubeconfig, context="admin", exec=True)
    assert said(review(tmp_path / "repository", asked, {}, {"app/c.yaml": CONFIG})) == []


def test_the_command_reads_the_file_that_the_environment_names(kube: Kube, tmp_path: Path) -> None:
    operator = tmp_path / "operator.yaml"
    row = {"kubeconfig": str(kube.cluster.kubeconfig), "context": "admin"}
    operator.write_text(json.dumps({"version": 1, "clusters": {"prod": row}}))
    root = repositories.make(tmp_path / "repository", {".review-bot.yaml": ASSIGN}, {"prod/c.yaml": CONFIG})
    env = {"REVIEW_BOT_CONFIG": str(operator)}
    status, verdict = repositories.check(root, env=env)
    assert (status, verdict["checks"]["dry-run"]) == (0, "success")
    assert [c["cluster"] for c in verdict["live"]] == ["prod"]
    operator.write_text("version: 1\nclusters: 7\n")
    broken = repositories.run("check", str(root), "--base", "main", env=env)
    assert (broken.returncode, "operator.yaml:2" in broken.stderr) == (2, True)
