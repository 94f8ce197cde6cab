"""Real API servers for the whole test run, shared by the workers; they end with the process that started the run."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from guard import guarded_cluster
from kube import Kube

from review_bot.demo.cluster import RunningCluster, running, start


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> RunningCluster:
    return shared(tmp_path_factory.getbasetemp(), "kube-apiserver")


@pytest.fixture(scope="session")
def older(tmp_path_factory: pytest.TempPathFactory) -> Kube:
    """A second cluster, of an older minor version."""
    return Kube(shared(tmp_path_factory.getbasetemp(), "kube-apiserver-older"))


def shared(base: Path, apiserver: str) -> RunningCluster:
    """The first worker that asks starts it, the others wait for it."""
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    root, parent = (base.parent, os.getppid()) if is_worker else (base, os.getpid())
    with (root / f"{apiserver}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return running(root / apiserver) or start(root / apiserver, parent=parent, apiserver=apiserver)


@pytest.fixture(scope="session")
def kube(cluster: RunningCluster) -> Kube:
    return Kube(cluster)


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Kube:
    """A cluster of this worker's own, with deploy/rbac.yaml in force."""
    return guarded_cluster(tmp_path_factory.mktemp("own") / "cluster")


@pytest.fixture
def namespace(kube: Kube) -> str:
    return kube.namespace()
