"""Objects that fit a ResourceQuota one by one and not together, and workloads whose pods will not fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from faults import behind
from kube import Kube, eventually, manifests, review, rules, said, settings
from test_refusals import CONFIG, DEPLOYMENT

from review_bot.core.model import Conclusion, Severity

CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: NAME, namespace: NS}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}}
"""


def limit(kube: Kube, namespace: str, hard: Mapping[str, str], used: Mapping[str, str], scope: str = "") -> None:
    """A quota in force. A controller would count; here the test does."""
    kube.apply(
        f"apiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: small, namespace: {namespace}}}\n"
        f"spec: {{hard: {json.dumps(hard)}{scope}}}\n"
    )
    path = f"/api/v1/namespaces/{namespace}/resourcequotas/small"
    kube.update(f"{path}/status", {"status": {"hard": hard, "used": used}}, "quota")
    full = manifests(CONFIG.replace("NAME", "probe").replace("NS", namespace))[0]
    eventually(lambda: kube.send("POST", f"/api/v1/namespaces/{namespace}/configmaps?dryRun=All", full)[0] == 201)


def configs(namespace: str, *names: str) -> dict[str, str]:
    return {f"app/{n}.yaml": CONFIG.replace("NAME", n).replace("NS", namespace) for n in names}


def test_objects_that_together_exceed_a_quota_block(kube: Kube, namespace: str, tmp_path: Path) -> None:
    limit(kube, namespace, {"count/configmaps": "3"}, {"count/configmaps": "2"})
    verdict = review(tmp_path, settings(kube.cluster), {}, {**configs(namespace, "a", "b")})
    (found,) = said(verdict)
    assert (found.rule, found.severity, found.path) == ("dry-run-quota-sum", Severity.ERROR, "app/a.yaml")
    assert found.message == (
        f"what changes in {namespace} asks together for count/configmaps=2 (in use 2, limit 3): "
        "that exceeds the quota small"
    )
    assert verdict.conclusion is Conclusion.FAILURE


def test_what_fits_says_nothing_and_costs_one_read(kube: Kube, namespace: str, tmp_path: Path) -> None:
    limit(kube, namespace, {"count/configmaps": "4", "pods": "1"}, {"count/configmaps": "2"})
    with behind(kube.cluster, tmp_path, None) as (asked, proxy):
        verdict = review(tmp_path / "r", asked, {}, {**configs(namespace, "a", "b")})
        # Discovery, one read for each object and one of the quotas; the schema check asks for the version.
        assert (proxy.methods["GET"], proxy.methods["PATCH"]) == (6, 2)
    assert said(verdict) == []


def test_what_goes_may_make_room_too_late(kube: Kube, namespace: str, tmp_path: Path) -> None:
    base = {**configs(namespace, "old"), "other/x.yaml": DEPLOYMENT.replace("NS", "default")}
    kube.apply(base["app/old.yaml"])
    head = {"app/old.yaml": None, **configs(namespace, "a", "b")}
    limit(kube, namespace, {"count/configmaps": "3"}, {"count/configmaps": "2"})
    verdict = review(tmp_path, settings(kube.cluster), base, head)
    assert [(f.rule, f.severity) for f in said(verdict)] == [("dry-run-quota-sum", Severity.WARNING)]
    assert verdict.conclusion is Conclusion.SUCCESS


def test_the_storage_of_claims_is_summed(kube: Kube, namespace: str, tmp_path: Path) -> None:
    hard, used = (
        {"requests.storage": "5Gi", "persistentvolumeclaims": "9"},
        {"requests.storage": "2Gi", "persistentvolumeclaims": "1"},
    )
    limit(kube, namespace, hard, used)
    head = {f"app/{n}.yaml": CLAIM.replace("NAME", n).replace("NS", namespace) for n in ("a", "b")}
    verdict = review(tmp_path, settings(kube.cluster), {}, {**head})
    assert "requests.storage=4Gi (in use 2Gi, limit 5Gi): that exceeds the quota small" in said(verdict)[0].message


def test_pods_that_a_workload_will_make_are_an_estimate_of_what_is_new(
    kube: Kube, namespace: str, tmp_path: Path
) -> None:
    resources = '"example.com/web:1", resources: {requests: {cpu: 500m, memory: 1Gi}}'
    deployment = DEPLOYMENT.replace("NS", namespace).replace('"example.com/web:1"', resources)
    kube.apply(deployment)
    hard = {"pods": "10", "requests.cpu": "3", "requests.memory": "20Gi"}
    limit(kube, namespace, hard, {"pods": "2", "requests.cpu": "1", "requests.memory": "2Gi"})
    asked, base = settings(kube.cluster), {"app/web.yaml": deployment}
    fits = review(tmp_path / "fits", asked, base, {"app/web.yaml": deployment.replace("replicas: 2", "replicas: 6")})
    assert said(fits) == []
    head: dict[str, str | None] = {"app/web.yaml": deployment.replace("replicas: 2", "replicas: 9")}
    (found,) = said(review(tmp_path / "not", asked, base, head))
    assert (found.rule, found.severity, found.line) == ("dry-run-quota-sum", Severity.WARNING, 1)
    # Seven pods more than run now; memory would fit.
    assert "asks together for requests.cpu=3500m (in use 1, limit 3): that may exceed the quota small" in found.message


def test_a_quota_for_certain_pods_only_is_left_to_the_server(kube: Kube, namespace: str, tmp_path: Path) -> None:
    limit(kube, namespace, {"pods": "1"}, {"pods": "0"}, ", scopes: [BestEffort]")
    verdict = review(tmp_path, settings(kube.cluster), {}, {"app/web.yaml": DEPLOYMENT.replace("NS", namespace)})
    assert said(verdict) == []


def test_one_object_alone_is_told_once(kube: Kube, namespace: str, tmp_path: Path) -> None:
    limit(
        kube,
        namespace,
        {"count/configmaps": "9", "count/secrets": "0"},
        {"count/configmaps": "2", "count/secrets": "0"},
    )
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: {namespace}}}\n"
    verdict = review(tmp_path, settings(kube.cluster), {}, {"app/s.yaml": secret, **configs(namespace, "a")})
    assert rules(verdict) == ["dry-run-quota"]


def test_without_the_right_to_read_quotas_it_says_so(kube: Kube, namespace: str, tmp_path: Path) -> None:
    kube.apply(
        f"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: asks, namespace: {namespace}}}\n"
        "rules: [{apiGroups: [''], resources: [configmaps], verbs: [get, create, patch]}]\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n"
        f"metadata: {{name: asks, namespace: {namespace}}}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: asks}\n"
        "subjects: [{kind: User, name: stranger, apiGroup: rbac.authorization.k8s.io}]\n"
    )
    path = f"/api/v1/namespaces/{namespace}/configmaps/a"
    eventually(lambda: kube.send("GET", path, context="stranger")[0] == 404)
    verdict = review(tmp_path, settings(kube.cluster, "stranger"), {}, {**configs(namespace, "a")})
    assert [(f.rule, f.severity) for f in said(verdict)] == [("dry-run-forbidden", Severity.NOTICE)]
    assert "may not list resourcequotas" in said(verdict)[0].message
