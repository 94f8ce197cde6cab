"""`python -m benchmarks.delivery [--sizes 10,100,1000] [--runs 5]`: Applications of five ApplicationSets.

One pull request changes what one Application deploys, another an ApplicationSet itself, and so a fifth of all. The
shell pipeline beside it is told which folders those are: it renders both sides of them with kustomize, compares them,
and runs kubeconform and conftest, but it does not expand ApplicationSets.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.generate import DEPLOYMENT, POLICY, SERVICE, git
from benchmarks.run import beside, tools_environment

SETS = 5
ORIGIN = "https://github.com/acme/gitops.git"
APPLICATION_SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: team-{number}, namespace: argocd}}
spec:
  goTemplate: true
  goTemplateOptions: ["missingkey=error"]
  generators:
    - git: {{repoURL: {origin}, revision: HEAD, directories: [{{path: "apps/team-{number}/*"}}]}}
  template:
    metadata: {{name: "team-{number}-{{{{.path.basename}}}}"}}
    spec:
      project: default
      source: {{repoURL: {origin}, targetRevision: HEAD, path: "{{{{.path.path}}}}"}}
      destination: {{server: https://kubernetes.default.svc, namespace: "{namespace}{{{{.path.basename}}}}"}}
"""
PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{replicas: {replicas}}}\n"


def folder(index: int) -> str:
    return f"apps/team-{index % SETS}/app-{index:04}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10,100,1000")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    print(
        "| Applications | change | bot, cold cache | bot, warm cache | shell pipeline | cold / shell | warm / shell |"
    )
    print("|---:|---|---:|---:|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as work, tempfile.TemporaryDirectory() as schemas:
        environment = tools_environment(Path(schemas))
        for size in (int(s) for s in arguments.sizes.split(",")):
            root = Path(work) / str(size)
            generated(root, size)
            for change, touched in (("one", [1]), ("set", list(range(1, size, SETS)))):
                print(_row(root, change, size, touched, arguments.runs, environment), flush=True)
    return 0


def generated(root: Path, size: int) -> None:
    """A repository with the branches main, one and set, and a work tree of each."""
    repo = root / "repo"
    files = {"base/kustomization.yaml": "resources: [deploy.yaml, service.yaml]\n", "policies/main.rego": POLICY}
    files |= {"base/deploy.yaml": DEPLOYMENT, "base/service.yaml": SERVICE}
    files |= {
        f"argocd/team-{n}.yaml": APPLICATION_SET.format(number=n, origin=ORIGIN, namespace="") for n in range(SETS)
    }
    for index in range(size):
        own = f"resources: [../../../base]\nnamePrefix: app-{index:04}-\npatches: [{{path: patch.yaml}}]\n"
        files[f"{folder(index)}/kustomization.yaml"] = own
        files[f"{folder(index)}/patch.yaml"] = PATCH.format(replicas=index % 5 + 1)
    _write(repo, files)
    git(repo, "init", "-q", "-b", "main")
    git(repo, "remote", "add", "origin", ORIGIN)
    _commit(repo)
    changes = {
        "one": {f"{folder(1)}/patch.yaml": PATCH.format(replicas=9)},
        "set": {"argocd/team-1.yaml": APPLICATION_SET.format(number=1, origin=ORIGIN, namespace="x-")},
    }
    for branch, edited in changes.items():
        git(repo, "checkout", "-q", "-b", branch, "main")
        _write(repo, edited)
        _commit(repo)
    git(repo, "checkout", "-q", "main")
    git(repo, "gc", "-q")
    for name, branch in (("base", "main"), *((f"head-{b}", b) for b in changes)):
        git(repo, "worktree", "add", "-q", "--detach", str(root / name), branch)


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def _commit(repo: Path) -> None:
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "a change")


def _row(root: Path, change: str, size: int, touched: list[int], runs: int, environment: dict[str, str]) -> str:
    what = "one Application" if change == "one" else f"an ApplicationSet of {len(touched)}"
    # The pipeline takes a minute for two hundred.
    some = runs if len(touched) < 100 else min(runs, 2)
    return f"| {size} | {what} | {beside(root, change, [folder(i) for i in touched], some, environment)} |"


if __name__ == "__main__":
    sys.exit(main())
