"""A refusal that the base's version of the object meets as well is shown and does not block."""

from __future__ import annotations

from pathlib import Path

from faults import behind
from kube import Kube, review, said, settings
from test_refusals import DEPLOYMENT, enforce, wait_for

from review_bot.core.model import Conclusion, Severity


def refused(kube: Kube, namespace: str) -> str:
    """A Deployment that runs, and that a policy made since then no longer lets pass."""
    deployment = DEPLOYMENT.replace("NS", namespace)
    kube.apply(deployment)
    enforce(kube, namespace, "deployments", "object.spec.replicas >= 3", "'production wants three replicas'")
    wait_for(kube, deployment.replace("web:1", "web:0"), 422)
    return deployment


def test_what_was_refused_before_is_not_this_change_s(kube: Kube, namespace: str, tmp_path: Path) -> None:
    deployment = refused(kube, namespace)
    change = {"app/web.yaml": deployment.replace("web:1", "web:2")}
    with behind(kube.cluster, tmp_path, None) as (asked, proxy):
        verdict = review(tmp_path / "repository", asked, {"app/web.yaml": deployment}, dict(change))
        assert proxy.methods["PATCH"] == 2
    assert [(f.rule, f.severity, f.introduced) for f in said(verdict)] == [("dry-run-denied", Severity.ERROR, False)]
    assert verdict.conclusion is Conclusion.SUCCESS


def test_a_refusal_that_the_change_brings_about_is_its_own(kube: Kube, namespace: str, tmp_path: Path) -> None:
    deployment = refused(kube, namespace)
    base = {"app/web.yaml": deployment.replace("replicas: 2", "replicas: 3")}
    verdict = review(tmp_path, settings(kube.cluster), base, {"app/web.yaml": deployment})
    assert [(f.rule, f.introduced) for f in said(verdict)] == [("dry-run-denied", True)]
    assert verdict.conclusion is Conclusion.FAILURE


def test_another_refusal_beside_the_old_one_is_new(kube: Kube, namespace: str, tmp_path: Path) -> None:
    deployment = DEPLOYMENT.replace("NS", namespace).replace(
        "metadata: {labels: {app: web}}", "metadata: {labels: {app: x}}"
    )
    head = deployment.replace("replicas: 2", "replicas: -2")
    verdict = review(tmp_path, settings(kube.cluster), {"app/web.yaml": deployment}, {"app/web.yaml": head})
    told = {(f.message.partition(": ")[2].partition(":")[0], f.introduced) for f in said(verdict)}
    assert told == {("spec.template.metadata.labels", False), ("spec.replicas", True)}


def test_what_could_not_be_asked_on_either_side_still_weighs(kube: Kube, namespace: str, tmp_path: Path) -> None:
    deployment = DEPLOYMENT.replace("NS", namespace)
    head: dict[str, str | None] = {"app/web.yaml": deployment.replace("web:1", "web:2")}
    verdict = review(tmp_path, settings(kube.cluster, "stranger"), {"app/web.yaml": deployment}, head)
    assert [(f.rule, f.introduced) for f in said(verdict)] == [("dry-run-forbidden", True)]
    assert verdict.conclusion is Conclusion.FAILURE
