"""The cluster that the other tests ask is a real one."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request

import pytest

from review_bot.core.tools import CLUSTER
from review_bot.demo.cluster import RunningCluster


def ask(cluster: RunningCluster, context: str, path: str) -> dict[str, object]:
    config = json.loads(cluster.kubeconfig.read_text())
    token = next(u["user"]["token"] for u in config["users"] if u["name"] == context)
    request = urllib.request.Request(cluster.server + path, headers={"Authorization": f"Bearer {token}"})
    trust = ssl.create_default_context(cafile=config["clusters"][0]["cluster"]["certificate-authority"])
    with urllib.request.urlopen(request, context=trust, timeout=10) as answer:
        found: dict[str, object] = json.load(answer)
    return found


def test_it_is_the_pinned_version(cluster: RunningCluster) -> None:
    assert ask(cluster, "admin", "/version")["gitVersion"] == f"v{CLUSTER['kube-apiserver']}"


@pytest.mark.parametrize(("context", "status"), [("stranger", 403), ("expired", 401)])
def test_it_lets_nobody_in_without_a_right_to(cluster: RunningCluster, context: str, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(cluster, context, "/api/v1/secrets")
    refused.value.close()
    assert refused.value.code == status
