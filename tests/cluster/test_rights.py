"""The bot can't write: its role, the guard behind it, and the store that stays as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import repositories
from guard import APPLY, DRY, GUARD, OBJECTS, RBAC, REAL, as_bot
from kube import Kube, eventually, manifests, settings

from review_bot.checks.context import CheckContext
from review_bot.checks.dry_run import DryRunCheck
from review_bot.cluster.client import ClusterClient
from review_bot.core.clusters import Clusters, LiveAction
from review_bot.core.configuration import Config
from review_bot.core.diff import compare
from review_bot.core.model import RendererName, Resource, ResourceChange, Source, Target
from review_bot.core.resources import identity
from review_bot.github.workspace import Repository


@pytest.mark.parametrize("manifest", manifests(OBJECTS.replace("NAME", "attempt")), ids=lambda m: m["kind"])
def test_it_may_ask_about_an_object_and_not_store_it(guarded: Kube, manifest: dict[str, Any]) -> None:
    path = guarded.path(manifest)
    before = guarded.stored()
    assert as_bot(guarded, "PATCH", path + DRY, manifest)[0] == 201
    for query in (REAL, REAL + "&dryRun=", DRY.replace("All", "None")):
        status, answer = as_bot(guarded, "PATCH", path + query, manifest)
        assert status in (403, 422), answer
    refused = as_bot(guarded, "POST", path.rpartition("/")[0] + "?fieldManager=x", manifest, "application/json")
    assert refused[0] == 403 and GUARD in refused[1]
    assert guarded.stored() == before


DELETIONS: Sequence[tuple[str, Any]] = [
    ("", None),
    ("?dryRun=", None),
    ("?dryRun=None", None),
    ("?gracePeriodSeconds=0&propagationPolicy=Background", None),
    ("", {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": []}),
    # The server does not read the query of a request that has a body.
    ("?dryRun=All", {"kind": "DeleteOptions", "apiVersion": "v1"}),
]
# Words that the server does not take.
INVALID = ("?dryRun=", "?dryRun=None")


@pytest.mark.parametrize("manifest", manifests(OBJECTS.replace("NAME", "present")), ids=lambda m: m["kind"])
def test_it_may_ask_about_a_deletion_and_not_delete(guarded: Kube, manifest: dict[str, Any]) -> None:
    path = guarded.path(manifest)
    before = guarded.settled()
    with_body = {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]}
    for query, body in (("?dryRun=All", None), ("", with_body), ("?dryRun=All", with_body)):
        status, answer = as_bot(guarded, "DELETE", path + query, body, "application/json")
        assert status in (200, 202), answer
    for query, body in DELETIONS:
        status, answer = as_bot(guarded, "DELETE", path + query, body, "application/json")
        expected = (422, False) if query in INVALID else (403, True)
        assert (status, GUARD in answer) == expected, answer
    collection = path.rpartition("/")[0]
    for query in ("", "?dryRun=All"):
        status, answer = as_bot(guarded, "DELETE", collection + query)
        assert (status, "cannot deletecollection" in answer) == (403, True) or status == 405
    assert guarded.stored() == before


def test_the_client_can_not_send_a_deletion_that_is_no_dry_run(guarded: Kube) -> None:
    guarded.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, namespace: default}\n")
    client = ClusterClient(settings(guarded.cluster, "admin"))
    before = guarded.settled()
    try:
        # As administrator, whom no guard holds back.
        assert client.dry_run_delete("/api/v1/namespaces/default/configmaps/kept").fine
        with pytest.raises(AssertionError):
            client._send("DELETE", "/api/v1/namespaces/default/configmaps/kept", {})
    finally:
        client.close()
    assert guarded.stored() == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/api/v1/namespaces/default/configmaps"),
        ("DELETE", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/review-bot-may-only-ask"),
        ("PATCH", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/review-bot-may-only-ask"),
        ("POST", "/api/v1/namespaces/review-bot/serviceaccounts/review-bot/token"),
        ("POST", "/api/v1/namespaces/default/pods/x/exec?command=id"),
        ("GET", "/api/v1/namespaces/default/pods/x/exec?command=id"),
        ("POST", "/api/v1/namespaces/default/pods/x/eviction"),
        ("PATCH", "/apis/apps/v1/namespaces/default/deployments/x/scale"),
        ("GET", "/api/v1/namespaces/default/secrets"),
        ("GET", "/api/v1/nodes/x/proxy/"),
    ],
)
def test_its_role_holds_nothing_else(guarded: Kube, method: str, path: str) -> None:
    status, answer = as_bot(guarded, method, path, {} if method != "GET" else None)
    assert status == 403
    assert "cannot" in answer


def test_the_role_never_names_everything_nor_the_group_that_guards_do_not_guard() -> None:
    role = next(m for m in manifests(RBAC.read_text()) if m["kind"] == "ClusterRole")
    for rule in role["rules"]:
        assert "*" not in rule["apiGroups"] + rule["resources"] + rule["verbs"]
        assert "admissionregistration.k8s.io" not in rule["apiGroups"]
        assert not any("/" in resource for resource in rule["resources"])
        assert set(rule["verbs"]) <= {"get", "list", "create", "patch", "delete"}


def test_no_right_is_there_before_the_guard() -> None:
    kinds = [m["kind"] for m in manifests(RBAC.read_text())]
    assert kinds.index("ValidatingAdmissionPolicyBinding") < kinds.index("ClusterRoleBinding")


def test_the_guard_holds_even_if_the_bot_is_given_every_right(guarded: Kube) -> None:
    guarded.apply(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: mistake}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"
        "subjects: [{kind: ServiceAccount, name: review-bot, namespace: review-bot}]\n"
    )
    guarded.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: victim, namespace: default}\n")
    path = "/api/v1/namespaces/default/configmaps/victim"
    before = guarded.settled()
    try:
        eventually(lambda: GUARD in as_bot(guarded, "DELETE", path)[1])
        for method, where in (
            ("PUT", path),
            ("PATCH", path + REAL),
            ("POST", "/api/v1/namespaces/review-bot/serviceaccounts/review-bot/token"),
        ):
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "victim"}, "data": {"a": "b"}}
            if method == "POST":
                body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
            content = APPLY if method == "PATCH" else "application/json"
            status, answer = as_bot(guarded, method, where, body, content)
            assert (status, GUARD in answer) == (403, True), answer
        assert guarded.stored() == before
    finally:
        guarded.send("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/mistake")


def test_a_role_that_grants_more_than_the_bot_has_is_a_remark(guarded: Kube, tmp_path: Path) -> None:
    text = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: default}\n"
        "rules: [{apiGroups: [''], resources: [pods], verbs: [deletecollection]}]\n"
    )
    found = asked(guarded, changes(text), tmp_path).head
    assert [(f.rule, f.severity) for f in found] == [("dry-run-escalation", "warning")]


def test_the_store_is_as_it_was_after_thousands_of_questions(guarded: Kube, tmp_path: Path) -> None:
    before = guarded.settled()
    texts = [OBJECTS.replace("NAME", f"n{n}") for n in range(20)] + [OBJECTS.replace("NAME", "present")]
    wanted = changes("---\n".join(texts))
    gone = changes("", texts[-1])
    for _ in range(10):
        outcome = asked(guarded, wanted, tmp_path)
        assert outcome.head == ()
        assert len(outcome.live) == len(wanted) == 147
        outcome = asked(guarded, gone, tmp_path)
        assert outcome.head == ()
        assert {c.action for c in outcome.live} == {LiveAction.DELETE} and len(outcome.live) == 7
    assert guarded.stored() == before


def changes(head: str, base: str = "") -> list[ResourceChange]:
    return list(compare("plain:app", objects(base), objects(head)))


def objects(text: str) -> list[Resource]:
    found = []
    for manifest in manifests(text):
        id = identity(manifest)
        assert id is not None
        found.append(Resource(id, manifest, Source("app/all.yaml", 1)))
    return found


def asked(kube: Kube, wanted: list[ResourceChange], tmp_path: Path) -> Any:
    """The dry run alone, as the bot."""
    root = tmp_path / "repository"
    if not root.exists():
        repositories.make(root, {"README.md": "x"}, {})
    tree = Repository(root).worktree()
    target = Target("plain:app", RendererName.PLAIN, "app", "app/all.yaml")
    one = replace(settings(kube.cluster, "bot"), concurrency=4)
    context = CheckContext(Config(), tree, tree, targets={target.id: target}, clusters=Clusters(every=one))
    return asyncio.run(DryRunCheck().run(wanted, context))
