"""Bad input of Argo CD's objects: each gets words that name place, cause and next step, and deletes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import repositories
from repositories import DEPLOYMENT
from test_argocd import application, effect, errors, reviewed

ROOT = {"root/root.yaml": application("root", "path: apps"), "apps/web.yaml": application("web", "path: web")}
WEB = {"web/deploy.yaml": DEPLOYMENT}


def said(verdict: dict[str, Any], rule: str) -> list[str]:
    return [f["message"] for f in verdict["findings"] if f["rule"] == rule]


def test_applications_in_a_circle_end_and_are_named(tmp_path: Path) -> None:
    circle = {"web/more.yaml": application("more", "path: more"), "more/web.yaml": application("web", "path: web")}
    verdict = reviewed(tmp_path, ROOT | WEB, circle)
    assert said(verdict, "circle") == ["these deploy each other in a circle: argocd:more, argocd:web"]
    assert effect(verdict)["argocd:more"] == ["create Application argocd/web"]


def test_one_that_deploys_itself_is_in_no_circle(tmp_path: Path) -> None:
    verdict = reviewed(tmp_path, ROOT | WEB, {"apps/root.yaml": application("root", "path: apps")})
    assert said(verdict, "circle") == []


def test_a_manifest_that_is_cut_short_is_an_error_and_no_deletion(tmp_path: Path) -> None:
    verdict = reviewed(tmp_path, ROOT | WEB, {"apps/web.yaml": "apiVersion: argoproj.io/v1alpha1\nki: [\n"})
    assert (errors(verdict), verdict["changes"]) == (["render-failed"], [])
    assert [(f["path"], f["line"]) for f in verdict["findings"]] == [("apps/web.yaml", 2)]


def test_yaml_that_is_no_manifest_is_left_out_of_a_directory_though_it_is_broken(tmp_path: Path) -> None:
    verdict = reviewed(tmp_path, ROOT | WEB, {"web/values.yaml": "a: 1\n", "web/template.yaml": "a: {{ .x }}\nb: [\n"})
    assert (errors(verdict), verdict["changes"]) == ([], [])


def test_what_lies_elsewhere_is_said_not_to_be_seen_with_what_can_be_done(tmp_path: Path) -> None:
    chart = application("redis", "chart: redis, targetRevision: 1.2.3").replace(
        "https://github.com/acme/gitops", "https://charts.example.com"
    )
    repository = repositories.make(tmp_path, ROOT | WEB, {"apps/redis.yaml": chart})
    done = repositories.run("check", str(repository), "--base", "main", "--head", "change")
    assert "argocd:redis  what it deploys is not seen" in done.stdout
    assert "https://charts.example.com lies outside of this repository" in done.stdout
    assert "the operator can allow it" in done.stdout and "commit what it holds" in done.stdout


def test_what_a_project_in_the_repository_forbids_blocks_and_is_shown_all_the_same(tmp_path: Path) -> None:
    project = (
        "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: default, namespace: argocd}\n"
        "spec:\n  sourceRepos: ['*']\n"
        "  destinations: [{name: prod, namespace: argocd}, {name: prod, namespace: NAMESPACE}]\n"
    )
    base = ROOT | WEB | {"apps/project.yaml": project.replace("NAMESPACE", "'*'")}
    narrow = {"apps/project.yaml": project.replace("NAMESPACE", "'r*'"), "web/deploy.yaml": DEPLOYMENT + "\n# more\n"}
    verdict = reviewed(tmp_path / "1", base, narrow)
    assert said(verdict, "project-forbids") == [
        "Application web: its project default does not let it deploy to the namespace web of prod"
    ]
    assert verdict["conclusion"] == "failure"
    assert [t["error"] for t in verdict["targets"]] == [None] * len(verdict["targets"])
    # What was forbidden before is told, and is not this change's fault.
    before = base | {"apps/project.yaml": narrow["apps/project.yaml"]}
    verdict = reviewed(tmp_path / "2", before, {"web/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")})
    assert [(f["introduced"], f["rule"]) for f in verdict["findings"]] == [(False, "project-forbids")]
    assert verdict["conclusion"] == "success"


def test_objects_that_a_project_in_the_repository_does_not_allow_block(tmp_path: Path) -> None:
    project = (
        "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: default, namespace: argocd}\n"
        "spec:\n  sourceRepos: ['*']\n"
        "  destinations: [{name: prod, namespace: '*'}, {server: '*', namespace: '!kube-system'}]\n"
        "  clusterResourceWhitelist: [{group: '', kind: Namespace}]\n"
        "  namespaceResourceBlacklist: [{group: '', kind: Resource*}]\n"
    )
    more = {
        "web/a.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: web}\n",
        "web/b.yaml": "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast}\nprovisioner: a/b\n",
        "web/c.yaml": "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\n",
        "web/d.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: kube-system}\n",
    }
    verdict = reviewed(tmp_path, ROOT | WEB | {"apps/project.yaml": project}, more)
    found = {f["path"]: f["message"].rpartition(": ")[2] for f in verdict["findings"] if f["rule"] == "project-forbids"}
    assert found == {
        "web/b.yaml": "spec.clusterResourceWhitelist does not list StorageClass",
        "web/c.yaml": "spec.namespaceResourceBlacklist lists ResourceQuota",
        "web/d.yaml": "spec.destinations does not list the namespace kube-system",
    }
