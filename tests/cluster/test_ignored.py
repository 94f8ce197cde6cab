"""What Argo CD is told not to look at is no change against what runs."""

from __future__ import annotations

from pathlib import Path

from kube import Kube, review, said, settings
from test_refusals import DEPLOYMENT

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  source: {repoURL: "https://example.com/repo", path: app}
  ignoreDifferences:
    - {group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}
"""


def test_an_ignored_field_is_no_update(kube: Kube, namespace: str, tmp_path: Path) -> None:
    deployment = DEPLOYMENT.replace("NS", namespace)
    kube.apply(deployment.replace("replicas: 2", "replicas: 9"), manager="argocd-controller")
    base = {"app/web.yaml": deployment, "argocd/web.yaml": APPLICATION}
    head: dict[str, str | None] = {"app/web.yaml": deployment.replace("web:1", "web:2")}
    verdict = review(tmp_path, settings(kube.cluster), base, head)
    assert said(verdict) == []
    assert [c.fields for c in verdict.live] == [("spec.template.spec.containers[0].image",)]


def test_the_pull_request_can_not_hide_its_change_by_ignoring_it(kube: Kube, namespace: str, tmp_path: Path) -> None:
    deployment = DEPLOYMENT.replace("NS", namespace)
    kube.apply(deployment, manager="argocd-controller")
    head: dict[str, str | None] = {
        "app/web.yaml": deployment.replace("replicas: 2", "replicas: 3"),
        "argocd/web.yaml": APPLICATION,
    }
    verdict = review(tmp_path, settings(kube.cluster), {"app/web.yaml": deployment}, head)
    assert [c.fields for c in verdict.live if c.id.kind == "Deployment"] == [("spec.replicas",)]
