"""One real API server for the whole test run, shared by the workers; it ends with the process that started the run."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from kube import Kube

from review_bot.demo.cluster import RunningCluster, running, start


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> RunningCluster:
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    own = tmp_path_factory.getbasetemp()
    return shared(own.parent if is_worker else own, os.getppid() if is_worker else os.getpid())


def shared(root: Path, parent: int) -> RunningCluster:
    """The first worker that asks starts it, the others wait for it."""
    with (root / "cluster.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return running(root / "cluster") or start(root / "cluster", parent=parent)


@pytest.fixture(scope="session")
def kube(cluster: RunningCluster) -> Kube:
    return Kube(cluster)


@pytest.fixture
def namespace(kube: Kube) -> str:
    return kube.namespace()
