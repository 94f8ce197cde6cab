"""The bot in a pod: address, authority and token are where Kubernetes puts them for every service account."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import repositories
from guard import GUARD
from kube import Kube

from review_bot.core.tools import find

ACCOUNT = "/run/secrets/kubernetes.io/serviceaccount"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: default}\ndata: {key: value}\n"
ASSIGN = "version: 1\ntargets: {assign: [{match: 'app/**', cluster: here}]}\n"


@pytest.fixture
def account(guarded: Kube, tmp_path: Path) -> Path:
    """The files of the bot's own service account, with a token that the API server made for it."""
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    kubeconfig = json.loads(guarded.cluster.kubeconfig.read_text())
    authority = Path(kubeconfig["clusters"][0]["cluster"]["certificate-authority"])
    (folder / "ca.crt").write_bytes(authority.read_bytes())
    (folder / "namespace").write_text("review-bot")
    path = "/api/v1/namespaces/review-bot/serviceaccounts/review-bot/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    status, answer = guarded.send("POST", path, request)
    assert status == 201, answer
    (folder / "token").write_text(answer["status"]["token"])
    return folder


def checked(root: Path, account: Path | None, environment: Mapping[str, str]) -> Any:
    """The verdict of the command in a mount namespace like a pod's: /run holds the account's files and nothing else."""
    operator = root.parent / "operator.yaml"
    operator.write_text("version: 1\nclusters: {here: {in_cluster: true}}\n")
    pod = [str(find("bwrap")), "--dev-bind", "/", "/", "--tmpfs", "/run"]
    pod += ["--ro-bind", str(account), ACCOUNT] if account else []
    command = [sys.executable, "-m", "review_bot.cli.main", "check", str(root), "--base", "main", "-o", "json"]
    env = {**os.environ, **environment, "REVIEW_BOT_CONFIG": str(operator)}
    env.pop("KUBECONFIG", None)
    done = subprocess.run([*pod, *command], capture_output=True, text=True, check=False, timeout=120, env=env)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def pod_environment(kube: Kube) -> dict[str, str]:
    address = urlsplit(kube.cluster.server)
    return {"KUBERNETES_SERVICE_HOST": str(address.hostname), "KUBERNETES_SERVICE_PORT": str(address.port)}


def test_it_asks_with_the_account_of_its_pod(guarded: Kube, account: Path, tmp_path: Path) -> None:
    before = guarded.settled()
    root = repositories.make(tmp_path / "repository", {".review-bot.yaml": ASSIGN}, {"app/c.yaml": CONFIG})
    verdict = checked(root, account, pod_environment(guarded))
    assert verdict["checks"]["dry-run"] == "success"
    assert [(c["action"], c["cluster"], c["name"]) for c in verdict["live"]] == [("create", "here", "c")]
    assert verdict["findings"] == []
    assert guarded.stored() == before


def test_the_guard_knows_the_account_by_its_real_token(guarded: Kube, account: Path) -> None:
    headers = {"Authorization": f"Bearer {(account / 'token').read_text()}", "Content-Type": "application/json"}
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "written"}})
    url = f"{guarded.cluster.server}/api/v1/namespaces/default/configmaps"
    for method, where in (("POST", url), ("DELETE", f"{url}/present")):
        answer = guarded.pool.request(method, where, headers=headers, body=body if method == "POST" else None)
        assert (answer.status, GUARD in answer.data.decode()) == (403, True)
        asked = guarded.pool.request(
            method, f"{where}?dryRun=All", headers=headers, body=body if method == "POST" else None
        )
        assert asked.status in (200, 201)


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        ("token", "does not accept the bot's credentials (401)"),
        ("ca.crt", "can't be read"),
        ("", "can't be read"),
    ],
)
def test_what_is_wrong_with_the_account_is_said_and_blocks(
    guarded: Kube, account: Path, tmp_path: Path, spoilt: str, words: str
) -> None:
    if spoilt == "token":
        (account / spoilt).write_text("no.such.token")
    elif spoilt:
        (account / spoilt).unlink()
    root = repositories.make(tmp_path / "repository", {".review-bot.yaml": ASSIGN}, {"app/c.yaml": CONFIG})
    verdict = checked(root, account if spoilt else None, pod_environment(guarded))
    assert verdict["conclusion"] == "failure"
    (found,) = [f for f in verdict["findings"] if f["check"] == "dry-run"]
    assert found["rule"] == "dry-run-cluster" and words in found["message"]
    assert "no.such.token" not in json.dumps(verdict)
