"""A repository in which Argo CD, Flux, Helm, Kustomize, jsonnet and Terraform read each other's neighbours.

Names begin alike (`foo`, `foobar`), folders are read by several targets, and files are read in every way that planning
knows: by generators, components, value files, git-files parameters, links, `.Files.Get`, substitutions. What is in the
folder `garden` is varied: which overlays hold what, and which files are there.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import repositories

GARDEN = Path(__file__).parent / "garden"
ORIGIN = "https://github.com/acme/garden"
# What an overlay may hold; the files that it names lie in garden/overlay.
PARTS = (
    "components: [../../../../components/labels]",
    "components: [../../../../components/extra]",
    "replacements: [{path: replacement.yaml}]",
    "transformers: [../../../../shared/prefix]",
    "generators: [../../../../shared/generate]",
    "validators: [../../../../shared/validate]",
    "crds: [crds.json]",
    "openapi: {path: schema.json}",
    "configurations: [configuration.yaml]",
    "patches: [{path: patch.yaml, target: {kind: Deployment}}]",
    "patchesStrategicMerge: [strategic.yaml]",
    "secretGenerator: [{name: secret, files: [secret.txt]}]",
)
# What the Kustomization `own` of a cluster does to what it builds.
OWN = (
    """  patches: [{patch: '[{"op": "add", "path": "/data/more", "value": "1"}]', target: {kind: ConfigMap}}]\n""",
    "  components: [../../components/labels]\n",
    "  postBuild:\n    substituteFrom: [{kind: ConfigMap, name: cluster-vars}]\n",
    "",
)
SOMETIMES = (
    "config/stages/staging.yaml",
    "plain/foo/.argocd-source.yaml",
    "charts/web/.argocd-source-helm.yaml",
    "fleet/common/.sourceignore",
)


def planted(root: Path, luck: random.Random) -> Path:
    """The repository on its branch main."""
    shutil.copytree(GARDEN, root, symlinks=True)
    beside = root / "overlay"
    for app in ("foo", "foobar", "foo-bar"):
        for stage in ("prod", "staging"):
            overlay = root / "apps" / app / "overlays" / stage
            shutil.copytree(beside, overlay)
            parts = {part.partition(":")[0]: part for part in luck.sample(PARTS, 3)}
            (overlay / "kustomization.yaml").write_text("\n".join(["resources: [../../base]", *parts.values(), ""]))
    shutil.rmtree(beside)
    for cluster in ("east", "east-2"):
        with (root / "clusters" / cluster / "own.yaml").open("a") as file:
            file.write(luck.choice(OWN))
    for name in SOMETIMES:
        if luck.random() < 0.5:
            (root / name).unlink()
    repositories.git(root, "init", "-q", "-b", "main")
    repositories.git(root, "remote", "add", "origin", ORIGIN)
    repositories.commit(root, "base")
    return root
