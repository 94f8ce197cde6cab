"""A cluster with deploy/rbac.yaml in force, asked as the bot."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from kube import Kube, eventually, manifests

from review_bot.demo.cluster import start

RBAC = Path(__file__).resolve().parents[2] / "deploy" / "rbac.yaml"
GUARD = "review-bot may only ask by dry run"
APPLY = "application/apply-patch+yaml"
DRY = "?fieldManager=x&force=true&dryRun=All"
REAL = "?fieldManager=x&force=true"
OBJECTS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME, namespace: default}
---
apiVersion: v1
kind: Secret
metadata: {name: NAME, namespace: default}
---
apiVersion: v1
kind: Namespace
metadata: {name: NAME}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: NAME, namespace: default}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: default}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: c, image: x}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: NAME, namespace: default}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.NAME.example.com}
spec:
  group: NAME.example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""


def guarded_cluster(folder: Path) -> Kube:
    """One of its own, in which nothing happens but what the test does; it holds OBJECTS named `present`."""
    kube = Kube(start(folder, parent=os.getpid()))
    kube.apply(RBAC.read_text())
    kube.apply(OBJECTS.replace("NAME", "present"))
    probe = manifests(OBJECTS.replace("NAME", "probe"))[0]
    eventually(lambda: as_bot(kube, "PATCH", kube.path(probe) + DRY, probe)[0] == 201)
    eventually(lambda: GUARD in as_bot(kube, "PATCH", kube.path(probe) + REAL, probe)[1])
    kube.settled()
    return kube


def as_bot(kube: Kube, method: str, path: str, body: Any = None, content: str = APPLY) -> tuple[int, str]:
    status, answer = kube.send(method, path, body, content, context="bot")
    return status, json.dumps(answer)
