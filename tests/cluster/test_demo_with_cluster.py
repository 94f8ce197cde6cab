"""`make demo CLUSTER=1` tells what a cluster adds."""

from __future__ import annotations

import subprocess
import sys


def test_the_demo_shows_a_live_diff_a_denial_a_danger_and_a_drift() -> None:
    command = [sys.executable, "-m", "review_bot.cli.main", "demo", "--cluster"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    _, told = done.stdout.split("A cluster: kube-apiserver")
    for words in (
        "against what runs: 1 updated",
        "production runs at least three replicas",
        "Deployment production/web can't change its spec.selector",
        "Namespace staging is deleted with everything in it (now there: Service web",
        "spec.replicas  set by kubectl-edit since",
    ):
        assert words in told
