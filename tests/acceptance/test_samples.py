"""Real pull requests of real repositories; each expectation was checked by hand against the files once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import repositories

pytestmark = pytest.mark.skipif(not repositories.SAMPLES.is_dir(), reason="the samples lie beside the checkout")

# pull request → conclusion, {target: (created, updated, deleted)}
ARGOCD: dict[str, tuple[str, dict[str, tuple[int, int, int]]]] = {
    "pr-380": ("success", {"argocd:helm-guestbook": (0, 1, 0)}),
    # The folder of a plugin's input renders with no tool of ours: what can't be seen is not passed. The Applications
    # name a branch that is not the reviewed one, so the folders stand for themselves.
    "pr-390": (
        "failure",
        {
            "helm:blue-green": (0, 1, 0),
            "helm:helm-guestbook": (0, 1, 0),
            "kustomize:plugins/kustomized-helm": (0, 0, 0),
            "kustomize:pre-post-sync": (0, 1, 0),
            "plain:guestbook": (0, 1, 0),
        },
    ),
    "pr-400": ("success", {"argocd:example.helm-guestbook": (0, 1, 0)}),
    # Only the newline at the end of the file goes.
    "pr-401": ("success", {"argocd:example.guestbook": (0, 0, 0)}),
    "pr-402": ("success", {"argocd:example.sock-shop": (0, 15, 0)}),
    "pr-405": ("success", {"argocd:example.guestbook": (0, 1, 0)}),
    "pr-407": ("success", {"argocd:example.guestbook": (0, 1, 0), "argocd:example.helm-guestbook": (0, 1, 0)}),
    # An app of apps loses most of its Applications, one moves to another namespace, and an ApplicationSet is new.
    "pr-408": (
        "success",
        {
            "argocd:applicationset/guestbook": (2, 0, 0),
            "argocd:davor/helm-guestbook": (2, 0, 0),
            "argocd:helm-guestbook": (0, 0, 2),
            "argocd:helm-hooks": (0, 0, 5),
            "argocd:kustomize-guestbook": (0, 0, 2),
            "argocd:davor-davor-866edfd-guestbook": (2, 0, 0),
            "argocd:davor-two-davor-079fc60-guestbook": (2, 0, 0),
            "argocd:sync-waves": (0, 0, 7),
            "helm:apps": (1, 0, 8),
            "helm:blue-green": (0, 0, 3),
            "helm:helm-dependency": (0, 0, 0),
            "kustomize:plugins/kustomized-helm": (0, 0, 0),
            "kustomize:pre-post-sync": (0, 0, 4),
            "kustomize:sock-shop": (0, 0, 27),
            "plain:applicationset": (1, 0, 0),
            "plain:guestbook": (0, 1, 0),
            "plain:nine/app": (2, 0, 0),
            "plain:nine/res": (3, 0, 0),
        },
    ),
    "pr-409": ("success", {"argocd:example.helm-guestbook": (0, 1, 0)}),
}


def counted(verdict: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    keys = ("create", "update", "delete")
    return {
        t["id"]: tuple(t["summary"][k] for k in keys) for t in verdict["targets"] if t["path"] != "ksonnet-guestbook"
    }


@pytest.mark.parametrize("pull_request", ARGOCD)
def test_argocd_example_apps(pull_request: str, tmp_path: Path) -> None:
    _, verdict = repositories.check(repositories.sample("argocd-example-apps", pull_request, tmp_path))
    assert (verdict["conclusion"], counted(verdict)) == ARGOCD[pull_request]


def test_argocd_example_apps_are_found_by_their_applications(tmp_path: Path) -> None:
    root = repositories.unpacked("argocd-example-apps", tmp_path)
    repositories.git(root, "init", "-q", "-b", "main")
    repositories.commit(root, "all")
    done = repositories.run("targets", str(root), "-o", "json")
    found = {t["id"]: (t["renderer"], (t["delivery"] or {}).get("seen")) for t in json.loads(done.stdout)}
    name = "argocd:example."
    assert {id.removeprefix(name): about for id, about in found.items() if id.startswith(name)} == {
        "blue-green": ("helm", True),
        "guestbook": ("plain", True),
        # Its dependency lies elsewhere, and plugins do not run here.
        "helm-dependency": ("plain", False),
        "helm-guestbook": ("helm", True),
        "helm-hooks": ("plain", True),
        "jsonnet-guestbook": ("plain", True),
        "jsonnet-guestbook-tla": ("plain", True),
        "kustomize-guestbook": ("kustomize", True),
        "plugin-kasane": ("plain", False),
        "plugin-kustomized-helm": ("plain", False),
        "plugin-nix": ("plain", False),
        "pre-post-sync": ("kustomize", True),
        "sock-shop": ("kustomize", True),
        "sync-waves": ("plain", True),
    }
    # The app of apps itself, and the folders of what is not seen.
    others = ["helm:apps", "helm:helm-dependency", "kustomize:plugins/kustomized-helm"]
    assert [id for id in found if not id.startswith(name)] == others


def test_targets_that_go_and_never_rendered_are_named(tmp_path: Path) -> None:
    _, verdict = repositories.check(repositories.sample("argocd-example-apps", "pr-408", tmp_path))
    said = {f["target"] for f in verdict["findings"] if f["rule"] == "base-not-rendered"}
    assert said >= {"helm:helm-dependency", "kustomize:plugins/kustomized-helm"}


@pytest.mark.parametrize(
    ("name", "path", "old", "new", "target", "conclusion"),
    [
        # Kubestack's own base lists patches by name, which kustomize 5 refuses.
        (
            "flux2-kustomize-helm-example",
            "apps/base/podinfo/release.yaml",
            "interval:",
            "timeout: 9m\n  interval:",
            "apps/production",
            "success",
        ),
        (
            "kubestack-custom-environment",
            "manifests/overlays/ops/kustomization.yaml",
            "",
            "# said\n",
            "manifests/overlays/ops",
            "failure",
        ),
        ("tekton-plumbing", "tekton/certificates/clusterissuer.yaml", "", "# said\n", "tekton/certificates", "success"),
    ],
)
def test_a_pull_request_made_from_each_other_sample_touches_its_target(
    name: str, path: str, old: str, new: str, target: str, conclusion: str, tmp_path: Path
) -> None:
    root = repositories.unpacked(name, tmp_path)
    repositories.git(root, "init", "-q", "-b", "main")
    repositories.commit(root, "base")
    repositories.git(root, "checkout", "-q", "-b", "change")
    text = (root / path).read_text()
    (root / path).write_text(text.replace(old, new, 1) if old else new + text)
    repositories.commit(root, "head")
    _, verdict = repositories.check(root)
    assert target in {t["path"] for t in verdict["targets"]}
    assert verdict["conclusion"] == conclusion
