"""Generate a configuration repository of N overlays over one base, with two pull requests as branches."""

from __future__ import annotations

import subprocess
from pathlib import Path

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app.kubernetes.io/name: web}
spec:
  replicas: 2
  selector:
    matchLabels: {app.kubernetes.io/name: web}
  template:
    metadata:
      labels: {app.kubernetes.io/name: web}
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1.4.2
          ports: [{containerPort: 8080, name: http}]
          resources:
            requests: {cpu: 100m, memory: 128Mi}
            limits: {memory: 256Mi}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app.kubernetes.io/name: web}
  ports: [{name: http, port: 80, targetPort: http}]
"""
POLICY = """\
package main

# METADATA
# title: Images have a tag that is not latest
# custom:
#   severity: error
deny_no_latest_tag contains msg if {
	some container in input.spec.template.spec.containers
	endswith(container.image, ":latest")
	msg := sprintf("container %s uses the tag latest", [container.name])
}

# METADATA
# title: Containers limit their memory
# custom:
#   severity: error
deny_memory_limit contains msg if {
	some container in input.spec.template.spec.containers
	not container.resources.limits.memory
	msg := sprintf("container %s has no memory limit", [container.name])
}
"""


def repository(root: Path, overlays: int) -> None:
    """Write the repository with the branches main, one (edits one overlay) and base (edits the base)."""
    files = {
        "base/deployment.yaml": DEPLOYMENT,
        "base/service.yaml": SERVICE,
        "base/kustomization.yaml": "resources: [deployment.yaml, service.yaml]\n",
        "policies/main.rego": POLICY,
    }
    for index in range(overlays):
        files[f"{overlay(index)}/kustomization.yaml"] = _kustomization(index)
        files[f"{overlay(index)}/replicas.yaml"] = _replicas(2)
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(root, "init", "-q", "-b", "main")
    _commit(root, "start")
    _branch(root, "one", f"{overlay(0)}/replicas.yaml", _replicas(3))
    _branch(root, "base", "base/deployment.yaml", DEPLOYMENT.replace("1.4.2", "1.5.0"))
    # As a clone has it.
    git(root, "repack", "-adq")


def overlay(index: int) -> str:
    return f"overlays/team-{index % 20:02}/app-{index:04}"


def git(root: Path, *words: str) -> str:
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "gc.auto=0"]
    done = subprocess.run(["git", "-C", str(root), *identity, *words], check=True, capture_output=True, text=True)
    return done.stdout


def _kustomization(index: int) -> str:
    return (
        f"namespace: app-{index:04}\nnamePrefix: app-{index:04}-\nresources: [../../../base]\n"
        "patches:\n  - path: replicas.yaml\n"
    )


def _replicas(count: int) -> str:
    return f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{replicas: {count}}}\n"


def _commit(root: Path, message: str) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)


def _branch(root: Path, name: str, path: str, text: str) -> None:
    git(root, "checkout", "-q", "-b", name, "main")
    (root / path).write_text(text)
    _commit(root, f"change {path}")
    git(root, "checkout", "-q", "main")
