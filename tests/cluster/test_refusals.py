"""What only the API server can say: admission, quotas, rights, field managers, CEL; each in words, on its line."""

from __future__ import annotations

import json
import socket
import uuid
from pathlib import Path

import pytest
from kube import Kube, eventually, manifests, review, rules, said, settings

from review_bot.core.clusters import LiveAction
from review_bot.core.model import CheckName, CheckState, Conclusion, Severity

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\n  namespace: NS\ndata:\n  key: value\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NS}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "example.com/web:1"}]
"""
POLICY = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: NS}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: ["", apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [RESOURCE]}]
  validations: [{expression: "EXPRESSION", messageExpression: "MESSAGE"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: NS}
spec:
  policyName: NS
  validationActions: [ACTION]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NS}}}
"""
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.GROUP}
spec:
  group: GROUP
  names: {kind: Gadget, plural: gadgets}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties: {low: {type: integer}, high: {type: integer}}
              x-kubernetes-validations: [{rule: "self.low <= self.high", message: "low is above high"}]
"""
GADGET = "apiVersion: GROUP/v1\nkind: Gadget\nmetadata: {name: g, namespace: NS}\nspec:\n  low: 1\n  high: 2\n"


def enforce(kube: Kube, namespace: str, resource: str, expression: str, message: str, action: str = "Deny") -> None:
    """A policy for one namespace; back when it is in force."""
    text = POLICY.replace("NS", namespace).replace("RESOURCE", resource).replace("ACTION", action)
    kube.apply(text.replace("EXPRESSION", expression).replace("MESSAGE", message))


def wait_for(kube: Kube, text: str, status: int) -> None:
    manifest = manifests(text)[0]
    path = kube.path(manifest) + "?dryRun=All&fieldManager=probe&force=true"
    eventually(lambda: kube.send("PATCH", path, manifest, "application/apply-patch+yaml")[0] == status)


def test_a_denial_by_admission_tells_the_policy_s_own_message(kube: Kube, namespace: str, tmp_path: Path) -> None:
    enforce(kube, namespace, "deployments", "object.spec.replicas >= 3", "'production wants three replicas'")
    deployment = DEPLOYMENT.replace("NS", namespace)
    wait_for(kube, deployment, 422)
    verdict = review(tmp_path, settings(kube.cluster), {}, {"app/web.yaml": deployment})
    assert rules(verdict) == ["dry-run-denied"]
    assert f"denied by the admission policy {namespace}: production wants three replicas" in said(verdict)[0].message
    assert (said(verdict)[0].path, verdict.conclusion) == ("app/web.yaml", Conclusion.FAILURE)


def test_a_warning_of_admission_is_a_remark_and_does_not_block(kube: Kube, namespace: str, tmp_path: Path) -> None:
    enforce(kube, namespace, "deployments", "object.spec.replicas >= 3", "'better three'", action="Warn")
    deployment = DEPLOYMENT.replace("NS", namespace)

    def warned() -> bool:
        path = tmp_path / uuid.uuid4().hex
        return rules(review(path, settings(kube.cluster), {}, {"app/web.yaml": deployment})) == ["dry-run-warning"]

    eventually(warned)
    verdict = review(tmp_path / "last", settings(kube.cluster), {}, {"app/web.yaml": deployment})
    assert "better three" in said(verdict)[0].message
    assert (said(verdict)[0].severity, verdict.conclusion) == (Severity.WARNING, Conclusion.SUCCESS)
    assert verdict.live[0].action is LiveAction.CREATE


def test_a_policy_that_quotes_a_secret_does_not_make_the_bot_quote_it(
    kube: Kube, namespace: str, tmp_path: Path
) -> None:
    message = "'found ' + string(object.data['p'])"
    enforce(kube, namespace, "secrets", "false", message)
    secret = (
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: {namespace}}}\nstringData: {{p: hunter2}}\n"
    )
    wait_for(kube, secret, 422)
    found = said(review(tmp_path, settings(kube.cluster), {}, {"app/s.yaml": secret}))[0]
    assert found.rule == "dry-run-denied"
    for hidden in ("hunter2", "aHVudGVyMg"):
        assert hidden not in found.message


def test_an_exceeded_quota_tells_what_is_left(kube: Kube, namespace: str, tmp_path: Path) -> None:
    hard = {"count/configmaps": "1"}
    kube.apply(
        f"apiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: small, namespace: {namespace}}}\n"
        f"spec: {{hard: {json.dumps(hard)}}}\n"
    )
    # A controller would count; here the test does.
    path = f"/api/v1/namespaces/{namespace}/resourcequotas/small/status"
    kube.update(path, {"status": {"hard": hard, "used": {"count/configmaps": "1"}}}, "quota")
    config = CONFIG.replace("NAME", "c").replace("NS", namespace)
    wait_for(kube, config, 403)
    verdict = review(tmp_path, settings(kube.cluster), {}, {"app/c.yaml": config})
    assert rules(verdict) == ["dry-run-quota"]
    assert "exceeds the quota small: asks for count/configmaps=1, in use count/configmaps=1" in said(verdict)[0].message


@pytest.mark.parametrize(("unreachable", "severity"), [("block", Severity.ERROR), ("warn", Severity.WARNING)])
def test_a_right_that_the_bot_lacks_is_said_and_weighs_as_the_operator_says(
    kube: Kube, namespace: str, tmp_path: Path, unreachable: str, severity: Severity
) -> None:
    asked = settings(kube.cluster, "stranger", unreachable=severity)
    config = CONFIG.replace("NAME", "c").replace("NS", namespace)
    verdict = review(tmp_path, asked, {}, {"app/c.yaml": config})
    assert [(f.rule, f.severity) for f in said(verdict)] == [("dry-run-forbidden", severity)]
    assert "may not get configmaps" in said(verdict)[0].message
    assert "deploy/rbac.yaml" in said(verdict)[0].help


def test_a_field_of_another_manager_is_a_conflict_on_its_line(kube: Kube, namespace: str, tmp_path: Path) -> None:
    deployment = DEPLOYMENT.replace("NS", namespace)
    kube.apply(deployment, manager="kubectl")
    kube.apply(deployment.replace("replicas: 2", "replicas: 5"), manager="autoscaler")
    change = deployment.replace("replicas: 2", "replicas: 3")
    verdict = review(
        tmp_path / "kubectl", settings(kube.cluster), {"app/web.yaml": deployment}, {"app/web.yaml": change}
    )
    found = said(verdict)[0]
    assert (found.rule, found.severity, found.line) == ("dry-run-conflict", Severity.ERROR, 5)
    assert "spec.replicas belongs to autoscaler, so the apply fails" in found.message

    forcing = settings(kube.cluster, field_manager="argocd-controller")
    taken = review(tmp_path / "argocd", forcing, {"app/web.yaml": deployment}, {"app/web.yaml": change})
    found = next(f for f in said(taken) if "autoscaler" in f.message)
    assert (found.severity, taken.conclusion) == (Severity.WARNING, Conclusion.SUCCESS)
    assert "argocd-controller takes it over" in found.message
    assert taken.live[0].fields == ("spec.replicas",)


def test_a_conflict_that_the_base_has_too_is_shown_and_does_not_block(
    kube: Kube, namespace: str, tmp_path: Path
) -> None:
    deployment = DEPLOYMENT.replace("NS", namespace)
    kube.apply(deployment, manager="kubectl")
    kube.apply(deployment.replace("replicas: 2", "replicas: 5"), manager="autoscaler")
    head: dict[str, str | None] = {"app/web.yaml": deployment.replace("web:1", "web:2")}
    verdict = review(tmp_path, settings(kube.cluster), {"app/web.yaml": deployment}, head)
    told = {(f.message.partition(" belongs")[0].rpartition(" ")[2], f.introduced) for f in said(verdict)}
    assert ("spec.replicas", False) in told
    assert ('spec.template.spec.containers[name="web"].image', True) in told


def test_what_the_same_tool_applied_on_the_client_side_is_its_own(kube: Kube, namespace: str, tmp_path: Path) -> None:
    config = CONFIG.replace("NAME", "c").replace("NS", namespace)
    status, _ = kube.send(
        "POST",
        f"/api/v1/namespaces/{namespace}/configmaps?fieldManager=kubectl-client-side-apply",
        manifests(config)[0],
    )
    assert status == 201
    head = config.replace("key: value", "other: new")
    verdict = review(tmp_path, settings(kube.cluster), {"app/c.yaml": config}, {"app/c.yaml": head})
    assert said(verdict) == []
    # It removes what it no longer finds in the manifest, though a server-side apply alone would leave it.
    assert verdict.live[0].fields == ("data.key", "data.other")


def test_rules_of_a_definition_are_the_server_s_to_judge(kube: Kube, namespace: str, tmp_path: Path) -> None:
    group = f"{namespace}.example.com"
    kube.apply(DEFINITION.replace("GROUP", group))
    gadget = GADGET.replace("GROUP", group).replace("NS", namespace)
    wait_for(kube, gadget, 201)
    fine = review(tmp_path / "fine", settings(kube.cluster), {}, {"app/g.yaml": gadget})
    assert said(fine) == []
    wrong = review(tmp_path / "wrong", settings(kube.cluster), {}, {"app/g.yaml": gadget.replace("low: 1", "low: 9")})
    found = said(wrong)[0]
    assert (found.rule, found.line) == ("dry-run-invalid", 4)
    assert "low is above high" in found.message


def test_a_kind_that_comes_with_the_pull_request_does_not_fail(kube: Kube, namespace: str, tmp_path: Path) -> None:
    group = f"{namespace}.example.com"
    gadget = GADGET.replace("GROUP", group).replace("NS", namespace)
    head: dict[str, str | None] = {"crds/gadget.yaml": DEFINITION.replace("GROUP", group), "app/g.yaml": gadget}
    verdict = review(tmp_path, settings(kube.cluster), {}, head)
    assert rules(verdict) == ["dry-run-skipped"]
    assert "Gadget g; the definition of Gadget is created by this pull request" in said(verdict)[0].message
    assert verdict.conclusion is Conclusion.SUCCESS


def test_a_webhook_that_does_not_answer_is_named(kube: Kube, namespace: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        kube.apply(
            f"""\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: {namespace}}}
webhooks:
  - name: silent.example.com
    clientConfig: {{url: "https://127.0.0.1:{port}/"}}
    rules: [{{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}}]
    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}
    sideEffects: None
    timeoutSeconds: 1
    admissionReviewVersions: [v1]
"""
        )
        config = CONFIG.replace("NAME", "c").replace("NS", namespace)
        wait_for(kube, config, 500)
        verdict = review(tmp_path, settings(kube.cluster), {}, {"app/c.yaml": config})
    assert rules(verdict) == ["dry-run-webhook"]
    assert "the admission webhook silent.example.com does not answer" in said(verdict)[0].message


WRONG = [
    ("replicas: two", 5, "schema-type", "spec.replicas: expected numeric (int or float), got string"),
    ("replicas: 2\n  replica: 1", 6, "schema-unknown-field", "spec.replica: field not declared in schema"),
]


@pytest.mark.parametrize(("wrong", "line", "rule", "words"), WRONG)
def test_what_the_schema_finds_too_is_shown_once(
    kube: Kube, namespace: str, tmp_path: Path, wrong: str, line: int, rule: str, words: str
) -> None:
    text = DEPLOYMENT.replace("NS", namespace).replace("replicas: 2", wrong)
    verdict = review(tmp_path, settings(kube.cluster), {}, {"app/web.yaml": text})
    assert [(f.rule, f.line) for f in verdict.findings] == [(rule, line)]
    assert verdict.findings[0].help.endswith(". The cluster's API server refuses it too.")
    assert {verdict.checks[n] for n in (CheckName.SCHEMA, CheckName.DRY_RUN)} == {CheckState.FAILURE}


@pytest.mark.parametrize(("wrong", "line", "rule", "words"), WRONG)
def test_a_waiver_of_the_one_does_not_hide_the_other(
    kube: Kube, namespace: str, tmp_path: Path, wrong: str, line: int, rule: str, words: str
) -> None:
    text = DEPLOYMENT.replace("NS", namespace).replace("replicas: 2", wrong)
    waiver = f"waivers: [{{rule: {rule}, match: {{}}, reason: known, until: 2099-01-01}}]"
    base = {".review-bot.yaml": f"version: 1\n{waiver}\n"}
    verdict = review(tmp_path, settings(kube.cluster), base, {"app/web.yaml": text})
    assert [(f.rule, f.line, words in f.message) for f in said(verdict)] == [("dry-run-invalid", line, True)]
    assert verdict.conclusion is Conclusion.FAILURE
    assert next(f for f in verdict.findings if f.rule == rule).waived is not None


def test_a_namespace_that_is_going_takes_nothing_new(kube: Kube, namespace: str, tmp_path: Path) -> None:
    config = CONFIG.replace("NAME", "c").replace("NS", namespace)
    kube.send("DELETE", f"/api/v1/namespaces/{namespace}")
    wait_for(kube, config, 403)
    found = said(review(tmp_path, settings(kube.cluster), {}, {"app/c.yaml": config}))[0]
    assert found.rule == "dry-run-denied"
    assert "being terminated" in found.message


@pytest.mark.parametrize("size", [1_000_000, 1_600_000])
def test_an_object_of_a_mebibyte_is_asked_about_like_any_other(
    kube: Kube, namespace: str, tmp_path: Path, size: int
) -> None:
    config = CONFIG.replace("NAME", "big").replace("NS", namespace).replace("value", "x" * size)
    verdict = review(tmp_path, settings(kube.cluster), {}, {"app/c.yaml": config})
    expected = [] if size <= 1_048_576 else ["dry-run-invalid"]
    assert rules(verdict) == expected
