"""A cluster that can't be asked is a finding that says so: never a pass, never a hang."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from pathlib import Path

import faults
import pytest
from kube import Kube, review, said, settings

from review_bot.core.clusters import Clusters, ClusterSettings
from review_bot.core.model import CheckName, CheckState, Conclusion, Severity
from review_bot.core.outcome import Verdict

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME, namespace: default}\ndata: {key: value}\n"
QUICK = 1.0


def reviewed(tmp_path: Path, asked: ClusterSettings | Clusters, count: int = 1) -> Verdict:
    head: dict[str, str | None] = {f"app/{n}.yaml": CONFIG.replace("NAME", f"bad-{n}") for n in range(count)}
    return review(tmp_path / "repository", asked, {}, head)


def assert_one_finding(verdict: Verdict, *words: str) -> None:
    assert len(said(verdict)) == 1, said(verdict)
    found = said(verdict)[0]
    assert (found.rule, found.severity) == ("dry-run-cluster", Severity.ERROR)
    assert verdict.checks[CheckName.DRY_RUN] is CheckState.FAILURE
    assert verdict.conclusion is Conclusion.FAILURE
    for word in words:
        assert word in found.message
    assert found.help


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    config = tmp_path / "kubeconfig"
    config.write_text(
        f"clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\ncurrent-context: c\n"
        "users: [{name: u, user: {token: t}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"
    )
    verdict = reviewed(tmp_path, ClusterSettings("prod", kubeconfig=config), count=3)
    assert_one_finding(verdict, "prod can't be reached", "3 of 3 changed objects are not checked")


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (faults.stall, "did not answer"),
        (faults.drip, "did not answer within 1 s"),
        (faults.reset, "broke off"),
        (faults.busy, "too much to do (429)"),
        (faults.broken, "not JSON (status 500"),
        (faults.truncated, "not JSON (status 200"),
        (faults.cut_off, "broke off"),
        (faults.nonsense, "no answer of an API server"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_half_dead_cluster_is_said_and_ends_in_time(
    kube: Kube, tmp_path: Path, fault: faults.Fault, word: str, method: str
) -> None:
    started = time.monotonic()
    with faults.behind(kube.cluster, tmp_path, fault, lambda m, path, before: m == method, timeout_seconds=QUICK) as (
        asked,
        _,
    ):
        verdict = reviewed(tmp_path, asked, count=20)
    assert_one_finding(verdict, word, "20 of 20 changed objects are not checked")
    assert time.monotonic() - started < 15


def test_one_lost_connection_costs_one_object_and_is_said(kube: Kube, tmp_path: Path) -> None:
    lost = iter([True])
    with faults.behind(
        kube.cluster, tmp_path, faults.reset, lambda m, path, before: m == "PATCH" and next(lost, False)
    ) as (asked, _):
        verdict = reviewed(tmp_path, asked, count=10)
    assert_one_finding(verdict, "1 of 10 changed objects is not checked")
    assert len(verdict.live) == 9


def test_a_read_that_was_lost_is_asked_again(kube: Kube, tmp_path: Path) -> None:
    lost = iter([True])
    with faults.behind(
        kube.cluster, tmp_path, faults.reset, lambda m, path, before: m == "GET" and next(lost, False)
    ) as (asked, _):
        assert said(reviewed(tmp_path, asked)) == []


def test_a_busy_cluster_is_waited_for(kube: Kube, tmp_path: Path) -> None:
    turned_away = iter([True] * 2)
    with faults.behind(
        kube.cluster, tmp_path, faults.busy, lambda m, path, before: m == "PATCH" and next(turned_away, False)
    ) as (asked, _):
        verdict = reviewed(tmp_path, asked, count=3)
    assert said(verdict) == []
    assert len(verdict.live) == 3


def test_a_slow_cluster_is_asked_only_as_long_as_the_operator_allows(kube: Kube, tmp_path: Path) -> None:
    def slow(handler: faults.Handler) -> None:
        time.sleep(0.3)
        handler.send(200, b'{"kind": "ConfigMap"}', [])

    with faults.behind(
        kube.cluster, tmp_path, slow, lambda m, path, before: "bad-" in path, budget_seconds=2.0, concurrency=2
    ) as (asked, _):
        verdict = reviewed(tmp_path, asked, count=60)
    assert_one_finding(verdict, "took longer than 2 s", "of 60 changed objects are not checked")


def test_a_cluster_that_never_finishes_its_headers_does_not_keep_the_review(kube: Kube, tmp_path: Path) -> None:
    started = time.monotonic()
    with faults.behind(
        kube.cluster, tmp_path, faults.drip_headers, timeout_seconds=QUICK / 2, budget_seconds=QUICK
    ) as (asked, _):
        assert_one_finding(reviewed(tmp_path, asked), "took longer than 1 s")
    assert time.monotonic() - started < 15


def test_credentials_that_ended_are_said_at_once(kube: Kube, tmp_path: Path) -> None:
    verdict = reviewed(tmp_path, settings(kube.cluster, "expired"), count=3)
    assert_one_finding(verdict, "does not accept the bot's credentials")
    assert "renew" in said(verdict)[0].help


def test_the_operator_decides_whether_it_blocks(kube: Kube, tmp_path: Path) -> None:
    verdict = reviewed(tmp_path, replace(settings(kube.cluster, "expired"), unreachable=Severity.WARNING))
    assert [f.severity for f in said(verdict)] == [Severity.WARNING]
    assert verdict.conclusion is Conclusion.SUCCESS


def test_a_kubeconfig_that_starts_a_program_is_refused_and_the_program_not_run(tmp_path: Path) -> None:
    config, trace = tmp_path / "kubeconfig", tmp_path / "trace"
    config.write_text(
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\ncurrent-context: c\n"
        f"users: [{{name: u, user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: touch, "
        f"args: ['{trace}']}}}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
    )
    verdict = reviewed(tmp_path, ClusterSettings("prod", kubeconfig=config))
    assert_one_finding(verdict, "starts a program")
    assert "exec: true" in said(verdict)[0].help
    assert not trace.exists()


@pytest.mark.parametrize(
    ("text", "word"),
    [("", "no kubeconfig"), ("clusters: [", "can't be read"), ("contexts: []\n", "no context")],
)
def test_a_kubeconfig_that_is_none_is_said(tmp_path: Path, text: str, word: str) -> None:
    config = tmp_path / "kubeconfig"
    if text:
        config.write_text(text)
    assert_one_finding(reviewed(tmp_path, ClusterSettings("prod", kubeconfig=config)), word)


def test_a_cluster_that_the_operator_does_not_know_is_said_and_not_counted_as_passed(
    kube: Kube, tmp_path: Path
) -> None:
    config = "version: 1\ntargets:\n  assign:\n    - {match: 'app/**', cluster: moon}\n"
    verdict = review(
        tmp_path,
        Clusters({"prod": settings(kube.cluster)}),
        {".review-bot.yaml": config},
        {"app/a.yaml": CONFIG.replace("NAME", "a")},
    )
    assert verdict.checks[CheckName.DRY_RUN] is CheckState.NOT_CONFIGURED
    assert [(f.rule, f.severity) for f in said(verdict)] == [("dry-run-cluster", Severity.NOTICE)]
    assert "no cluster moon" in said(verdict)[0].message


def test_a_name_can_not_lead_to_another_path(kube: Kube, tmp_path: Path) -> None:
    seen: list[str] = []

    def watch(method: str, path: str, before: int) -> bool:
        seen.append(path)
        return False

    head = {"app/a.yaml": CONFIG.replace("NAME", "'..'"), "app/b.yaml": CONFIG.replace("NAME", "a/../../x?dryRun=")}
    with faults.behind(kube.cluster, tmp_path, faults.reset, watch) as (asked, _):
        verdict = review(tmp_path / "r", asked, {}, head)
    assert verdict.checks[CheckName.DRY_RUN] is CheckState.FAILURE
    assert [f.rule for f in verdict.findings] == ["schema-name", "schema-name"]
    assert all("The cluster's API server refuses it too." in f.help for f in verdict.findings)
    assert set(seen) == {"/api", "/apis", "/version"}


def test_every_write_that_is_asked_for_is_a_dry_run(kube: Kube, tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []

    def watch(method: str, path: str, before: int) -> bool:
        seen.append((method, path))
        return False

    with faults.behind(kube.cluster, tmp_path, faults.reset, watch) as (asked, _):
        generated = CONFIG.replace("name: NAME", "generateName: made-")
        review(tmp_path / "r", asked, {}, {"app/a.yaml": CONFIG.replace("NAME", "a"), "app/b.yaml": generated})
    writes = [path for method, path in seen if method != "GET"]
    assert len(writes) == 2
    assert all(path.endswith("dryRun=All") for path in writes)
