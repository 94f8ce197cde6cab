"""A deletion is asked for like anything else: who refuses it, what it waits for, and what never gets as far."""

from __future__ import annotations

from pathlib import Path

from faults import behind
from kube import Kube, eventually, manifests, review, rules, said, settings
from test_refusals import CONFIG, DEFINITION, GADGET

from review_bot.core.clusters import LiveAction
from review_bot.core.model import Conclusion, Severity

POLICY = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: NS}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [DELETE], resources: [configmaps]}]
  validations: [{expression: "false", message: "settings stay"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: NS}
spec:
  policyName: NS
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NS}}}
"""
WEBHOOK = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: NS}
webhooks:
  - name: silent.example.com
    clientConfig: {url: "https://127.0.0.1:1/"}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [DELETE], resources: [configmaps]}]
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NS}}
    sideEffects: None
    timeoutSeconds: 1
    admissionReviewVersions: [v1]
"""


def config(namespace: str) -> str:
    return CONFIG.replace("NAME", "settings").replace("NS", namespace)


def refused(kube: Kube, namespace: str) -> None:
    """Until a new rule is in force."""
    path = kube.path(manifests(config(namespace))[0]) + "?dryRun=All"
    eventually(lambda: kube.send("DELETE", path)[0] not in (200, 202))


def test_an_admission_policy_that_forbids_it_is_told_and_blocks(kube: Kube, namespace: str, tmp_path: Path) -> None:
    kube.apply(config(namespace))
    kube.apply(POLICY.replace("NS", namespace))
    refused(kube, namespace)
    verdict = review(tmp_path, settings(kube.cluster), {"app/c.yaml": config(namespace)}, {"app/c.yaml": None})
    (found,) = said(verdict)
    assert (found.rule, found.severity, found.path, found.line) == ("dry-run-denied", Severity.ERROR, "app/c.yaml", 1)
    assert "ConfigMap settings (deletion): denied by the admission policy" in found.message
    assert "settings stay" in found.message
    assert verdict.conclusion is Conclusion.FAILURE
    assert [c for c in verdict.live if c.action is LiveAction.DELETE] == []


def test_a_webhook_that_does_not_answer_is_named(kube: Kube, namespace: str, tmp_path: Path) -> None:
    kube.apply(config(namespace))
    kube.apply(WEBHOOK.replace("NS", namespace))
    refused(kube, namespace)
    verdict = review(tmp_path, settings(kube.cluster), {"app/c.yaml": config(namespace)}, {"app/c.yaml": None})
    assert rules(verdict) == ["dry-run-webhook"]
    assert "the admission webhook silent.example.com does not answer" in said(verdict)[0].message


def test_what_is_protected_by_kubernetes_itself_is_told(kube: Kube, tmp_path: Path) -> None:
    base = {"app/n.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}\n", "app/c.yaml": config("x")}
    verdict = review(tmp_path, settings(kube.cluster), base, {"app/n.yaml": None})
    assert rules(verdict) == ["dry-run-denied"]
    assert "may not be deleted" in said(verdict)[0].message


def test_a_right_that_the_bot_lacks_is_said(kube: Kube, namespace: str, tmp_path: Path) -> None:
    kube.apply(config(namespace))
    kube.apply(
        f"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: reader, namespace: {namespace}}}\n"
        "rules: [{apiGroups: [''], resources: [configmaps], verbs: [get]}]\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n"
        f"metadata: {{name: reader, namespace: {namespace}}}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}\n"
        "subjects: [{kind: User, name: stranger, apiGroup: rbac.authorization.k8s.io}]\n"
    )
    path = kube.path(manifests(config(namespace))[0])
    eventually(lambda: kube.send("GET", path, context="stranger")[0] == 200)
    asked = settings(kube.cluster, "stranger", unreachable=Severity.WARNING)
    verdict = review(tmp_path, asked, {"app/c.yaml": config(namespace)}, {"app/c.yaml": None})
    assert [(f.rule, f.severity) for f in said(verdict)] == [("dry-run-forbidden", Severity.WARNING)]
    assert "may not delete configmaps" in said(verdict)[0].message


def test_a_finalizer_of_others_is_a_remark_and_kubernetes_own_are_none(
    kube: Kube, namespace: str, tmp_path: Path
) -> None:
    finalizers = "finalizers: [kubernetes.io/own, service.kubernetes.io/own, example.com/clean-up]"
    kube.apply(config(namespace).replace("metadata:\n", f"metadata:\n  {finalizers}\n"))
    verdict = review(tmp_path, settings(kube.cluster), {"app/c.yaml": config(namespace)}, {"app/c.yaml": None})
    assert [(f.rule, f.severity) for f in said(verdict)] == [("dry-run-finalizer", Severity.NOTICE)]
    assert said(verdict)[0].message.endswith("taken that away: example.com/clean-up")
    assert [c.action for c in verdict.live] == [LiveAction.DELETE]


def test_two_requests_an_object_and_one_for_what_stays(kube: Kube, namespace: str, tmp_path: Path) -> None:
    stays = config(namespace).replace(
        "name: settings\n", "name: kept\n  annotations: {helm.sh/resource-policy: keep}\n"
    )
    kube.apply(config(namespace) + "---\n" + stays)
    base = {"app/c.yaml": config(namespace), "app/k.yaml": stays, "app/other.yaml": config("default")}
    with behind(kube.cluster, tmp_path, None) as (asked, proxy):
        verdict = review(tmp_path / "repository", asked, base, {"app/c.yaml": None, "app/k.yaml": None})
        assert said(verdict) == []
        assert {c.id.name: c.action for c in verdict.live} == {
            "settings": LiveAction.DELETE,
            "kept": LiveAction.UNCHANGED,
        }
        # Discovery takes two more reads.
        assert (proxy.methods["DELETE"], proxy.methods["GET"]) == (1, 4)
    assert kube.send("GET", kube.path(manifests(config(namespace))[0]))[0] == 200


def test_a_kind_that_another_api_server_serves_is_never_tried(guarded: Kube, tmp_path: Path) -> None:
    """Such a server may not know dry runs. Here a definition's group is passed on after the object was made."""
    kube, namespace = guarded, guarded.namespace()
    group = f"{namespace}.example.com"
    kube.apply(DEFINITION.replace("GROUP", group))
    gadget = GADGET.replace("GROUP", group).replace("NS", namespace)
    kube.apply(gadget)
    files = {"app/g.yaml": gadget, "app/c.yaml": config(namespace)}
    fine = review(tmp_path / "own", settings(kube.cluster), files, {"app/g.yaml": None})
    assert [(c.action, c.id.kind) for c in fine.live] == [(LiveAction.DELETE, "Gadget")]
    assert said(fine) == []
    service = f"service: {{name: other, namespace: {namespace}}}"
    passed_on = (
        f"apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {{name: v2.{group}}}\n"
        f"spec: {{group: {group}, version: v2, groupPriorityMinimum: 1, versionPriority: 1, {service}}}\n"
    )
    kube.apply(passed_on)
    try:
        with behind(kube.cluster, tmp_path, None) as (asked, proxy):
            verdict = review(tmp_path / "others", asked, files, {"app/g.yaml": None})
            assert proxy.methods["DELETE"] == 0
    finally:
        kube.send("DELETE", kube.path(manifests(passed_on)[0]))
    assert [(f.rule, f.severity) for f in said(verdict)] == [("dry-run-warning", Severity.WARNING)]
    assert "is served by another API server" in said(verdict)[0].message


def test_a_custom_kind_is_not_tried_where_the_bot_can_not_tell_who_serves_it(
    kube: Kube, namespace: str, tmp_path: Path
) -> None:
    group = f"{namespace}.example.com"
    kube.apply(DEFINITION.replace("GROUP", group))
    gadget = GADGET.replace("GROUP", group).replace("NS", namespace)
    kube.apply(gadget)
    kube.apply(
        f"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: all, namespace: {namespace}}}\n"
        "rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n"
        f"metadata: {{name: all, namespace: {namespace}}}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: all}\n"
        "subjects: [{kind: User, name: stranger, apiGroup: rbac.authorization.k8s.io}]\n"
    )
    path = kube.path(manifests(gadget)[0])
    eventually(lambda: kube.send("GET", path, context="stranger")[0] == 200)
    files = {"app/g.yaml": gadget, "app/c.yaml": config(namespace)}
    with behind(kube.cluster, tmp_path, None, context="stranger") as (asked, proxy):
        verdict = review(tmp_path / "repository", asked, files, {"app/g.yaml": None})
        assert proxy.methods["DELETE"] == 0
    assert rules(verdict) == ["dry-run-forbidden"]
    assert "may not list apiservices" in said(verdict)[0].message
    assert kube.send("GET", path)[0] == 200
