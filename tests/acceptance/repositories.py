"""Small real git repositories for acceptance tests, and the samples as repositories."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SAMPLES = Path(os.environ.get("REVIEW_BOT_SAMPLES") or Path(__file__).resolve().parents[3] / "shared" / "samples")
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: example.com/web:1.4.2
"""
POLICY = """\
package main

# METADATA
# title: Images have a tag that is not latest
# custom:
#   id: no-latest-tag
#   remediation: name a version
deny_no_latest_tag contains {"msg": msg, "field": field} if {
	some i, container in input.spec.template.spec.containers
	endswith(container.image, ":latest")
	field := sprintf("spec.template.spec.containers[%d].image", [i])
	msg := sprintf("container %s uses the tag latest", [container.name])
}

warn_replicas contains "only one replica" if input.spec.replicas == 1
"""

IDENTITY = {
    "GIT_AUTHOR_NAME": "alice",
    "GIT_AUTHOR_EMAIL": "alice@example.com",
    "GIT_COMMITTER_NAME": "alice",
    "GIT_COMMITTER_EMAIL": "alice@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


def git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *words], check=True, capture_output=True, text=True, env=os.environ | IDENTITY
    )
    return done.stdout.strip()


def make(root: Path, base: Mapping[str, str], head: Mapping[str, str | None]) -> Path:
    """A repository whose branch main is `base`, and whose branch change adds `head` (None deletes a file)."""
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "-q", "-b", "main")
    write(root, base)
    commit(root, "base")
    git(root, "checkout", "-q", "-b", "change")
    write(root, head)
    commit(root, "head")
    return root


def commit(root: Path, message: str) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", message)


def unpacked(name: str, root: Path) -> Path:
    """A sample's newest tree, without git."""
    with tarfile.open(SAMPLES / f"{name}.tar.gz") as archive:
        archive.extractall(root / "data", filter="data")
    return root / "data" / name / "main"


def sample(name: str, pull_request: str, root: Path) -> Path:
    """A sample's pull request as a repository with the branches main and change."""
    with tarfile.open(SAMPLES / f"{name}.tar.gz") as archive:
        archive.extractall(root / "data", filter="data")
    sides = root / "data" / name / pull_request
    return between(sides / "base", sides / "head", root / "repository")


def between(base: Path, head: Path, root: Path) -> Path:
    # Without the files' times: git would take a same-sized file of the same second for unchanged.
    shutil.copytree(base, root, symlinks=True, copy_function=shutil.copy)
    git(root, "init", "-q", "-b", "main")
    commit(root, "base")
    git(root, "checkout", "-q", "-b", "change")
    for child in root.iterdir():
        if child.name != ".git":
            shutil.rmtree(child) if child.is_dir() else child.unlink()
    shutil.copytree(head, root, symlinks=True, dirs_exist_ok=True, copy_function=shutil.copy)
    commit(root, "head")
    return root


def check(
    root: Path, *words: str, base: str = "main", head: str = "change", env: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Run `review-bot check -o json` as a person would; the exit status and the verdict."""
    done = run("check", str(root), "--base", base, "--head", head, "-o", "json", *words, env=env)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


def run(*words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "review_bot.cli.main", *words]
    environment = {**os.environ, **(env or {})}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, env=environment)


def write(root: Path, files: Mapping[str, str | None]) -> None:
    for name, text in files.items():
        path = root / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
