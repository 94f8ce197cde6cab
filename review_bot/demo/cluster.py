"""A real Kubernetes API server on this machine, for the demo and the tests: etcd and kube-apiserver, RBAC on.

There are no controllers and no nodes: what is asked of it is what an API server answers by itself. The programs come
from `scripts/install_cluster.py`.

As a program (`python -m review_bot.demo.cluster FOLDER --parent PID`) it keeps the cluster up until that process is
gone, however it ended, and then removes the folder.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from review_bot.core.errors import ToolError
from review_bot.core.tools import tool_path

LOOPBACK = "127.0.0.1"
READY_SECONDS = 60
POLL_SECONDS = 0.1
# Context of the kubeconfig → user name, groups. `expired` has a token that the server does not know.
USERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "admin": ("admin", ("system:masters",)),
    "bot": ("system:serviceaccount:review-bot:review-bot", ("system:serviceaccounts",)),
    "stranger": ("stranger", ()),
}
CONTEXTS = (*USERS, "expired")
# What needs other parts of Kubernetes: tokens for pods come from a controller.
WITHOUT = "ServiceAccount"


@dataclass(frozen=True)
class RunningCluster:
    """Where to reach it: `kubeconfig` has a context for each of CONTEXTS; `etcd` is the store's own address."""

    server: str
    etcd: str
    kubeconfig: Path


def start(folder: Path, *, parent: int, apiserver: str = "kube-apiserver") -> RunningCluster:
    """Start a cluster that lives as long as the process `parent`; ready when this returns, in about 5 s.

    Raises ToolError if its programs are missing or it does not become ready.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "supervisor.log"
    command = [sys.executable, "-m", "review_bot.demo.cluster", str(folder), "--parent", str(parent)]
    # Not a Popen: nobody waits for it, it ends by itself.
    opened = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT, 0o600)
    actions = [opened, (os.POSIX_SPAWN_DUP2, 1, 2)]
    child = os.posix_spawn(sys.executable, [*command, "--apiserver", apiserver], os.environ, file_actions=actions)
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        found = running(folder)
        if found is not None:
            return found
        if os.waitpid(child, os.WNOHANG)[0] == child:
            raise ToolError(f"the cluster did not start: {log.read_text()[-500:]}", help="run `make cluster`")
        time.sleep(POLL_SECONDS)
    os.kill(child, signal.SIGTERM)
    raise ToolError(f"the cluster was not ready within {READY_SECONDS} s", help=f"look into {folder}")


def running(folder: Path) -> RunningCluster | None:
    """The cluster that was started in this folder, None if it is not ready."""
    try:
        told = json.loads((folder / "ready.json").read_text())
    except FileNotFoundError:
        return None
    return RunningCluster(told["server"], told["etcd"], folder / "kubeconfig")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--apiserver", default="kube-apiserver")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    processes: list[subprocess.Popen[bytes]] = []
    try:
        _run(arguments.folder, arguments.apiserver, processes)
        while _alive(arguments.parent) and all(p.poll() is None for p in processes):
            time.sleep(POLL_SECONDS * 5)
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()
        # The logs of one that never became ready are wanted.
        if running(arguments.folder) is not None:
            shutil.rmtree(arguments.folder, ignore_errors=True)
    return 0


def _run(folder: Path, apiserver: str, processes: list[subprocess.Popen[bytes]]) -> None:
    client_port, peer_port, port = _free_ports(3)
    etcd, server = f"http://{LOOPBACK}:{client_port}", f"https://{LOOPBACK}:{port}"
    processes.append(_spawn(_etcd(folder, etcd, f"http://{LOOPBACK}:{peer_port}"), folder / "etcd.log"))
    tokens = {context: secrets.token_hex(16) for context in CONTEXTS}
    rows = [f'{tokens[c]},{user},{user},"{",".join(groups)}"' for c, (user, groups) in USERS.items()]
    _private(folder / "tokens.csv", "\n".join(rows))
    _private(folder / "accounts.pem", _key())
    processes.append(_spawn(_apiserver(folder, apiserver, etcd, port), folder / "apiserver.log"))
    _wait(server, processes)
    _private(folder / "kubeconfig", json.dumps(_kubeconfig(server, folder / "certs" / "apiserver.crt", tokens)))
    partial = folder / "ready.partial"
    partial.write_text(json.dumps({"server": server, "etcd": etcd}))
    partial.rename(folder / "ready.json")


def _etcd(folder: Path, client: str, peer: str) -> list[str]:
    return [
        _program("etcd"),
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        # Nothing here outlives the process.
        "--unsafe-no-fsync",
    ]


def _apiserver(folder: Path, name: str, etcd: str, port: int) -> list[str]:
    key = folder / "accounts.pem"
    return [
        _program(name),
        f"--etcd-servers={etcd}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        f"--secure-port={port}",
        f"--cert-dir={folder / 'certs'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        f"--disable-admission-plugins={WITHOUT}",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.0.0.0/16",
        "--endpoint-reconciler-type=none",
    ]


def _program(name: str) -> str:
    path = tool_path(name)
    if not path.is_file():
        raise ToolError(f"{name} is not installed", help="run `make cluster` in the bot's checkout")
    return str(path)


def _spawn(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as stream:
        return subprocess.Popen(command, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL)


def _wait(server: str, processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Until the server says that it is ready. Its certificate is not known before: this asks for nothing secret."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and all(p.poll() is None for p in processes):
        try:
            with urllib.request.urlopen(f"{server}/readyz", context=context, timeout=2):  # noqa: S310 - our own
                return
        except (urllib.error.URLError, OSError):
            time.sleep(POLL_SECONDS)
    raise ToolError("kube-apiserver did not become ready", help="its log stands beside the kubeconfig")


def _kubeconfig(server: str, authority: Path, tokens: Mapping[str, str]) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {"server": server, "certificate-authority": str(authority)}}],
        "users": [{"name": name, "user": {"token": token}} for name, token in tokens.items()],
        "contexts": [{"name": name, "context": {"cluster": "local", "user": name}} for name in tokens],
        "current-context": "admin",
    }


def _key() -> str:
    """A key that signs the tokens of service accounts."""
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return pem.decode()


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _free_ports(count: int) -> list[int]:
    """Ports that are free now; all are held at once, so that they differ."""
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [int(s.getsockname()[1]) for s in sockets]
    for one in sockets:
        one.close()
    return ports


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    sys.exit(main())
