"""Planning is exact both ways: random edits of real repositories touch the targets whose output differs.

What differs is found the long way (planning_truth). Every target that differs must be planned; those that are planned
though nothing differs (a comment changed, a value that no template uses) are counted, and few.
`REVIEW_BOT_PLANNING_EDITS=500` tries as many edits of each repository, `REVIEW_BOT_PLANNING_SEED=x` other ones; with
`pytest -s` the counts are shown.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from pathlib import Path

import pytest
import repositories
from planning_edits import edited
from planning_garden import planted
from planning_truth import Tally, tried

ORIGINS = {
    "argocd-example-apps": "https://github.com/argoproj/argocd-example-apps",
    "flux2-kustomize-helm-example": "https://github.com/fluxcd/flux2-kustomize-helm-example",
    "jx3-kubernetes": "https://github.com/jx3-gitops-repositories/jx3-kubernetes",
    "kubestack-custom-environment": "https://github.com/kubestack/custom-environment",
    "tekton-plumbing": "https://github.com/tektoncd/plumbing",
}
EDITS = int(os.environ.get("REVIEW_BOT_PLANNING_EDITS", "8"))
SEED = os.environ.get("REVIEW_BOT_PLANNING_SEED", "")
# The share of all targets that may be planned in vain. Kubestack's sample has three that share nearly all files.
IN_VAIN = {"kubestack-custom-environment": 0.6}


@pytest.mark.skipif(not repositories.SAMPLES.is_dir(), reason="the samples lie beside the checkout")
@pytest.mark.parametrize("name", sorted(ORIGINS))
def test_random_edits_of_the_samples_touch_what_differs(name: str, tmp_path: Path) -> None:
    root = shutil.copytree(repositories.unpacked(name, tmp_path), tmp_path / "repository", symlinks=True)
    repositories.git(root, "init", "-q", "-b", "main")
    repositories.git(root, "remote", "add", "origin", ORIGINS[name])
    repositories.commit(root, "base")
    hold(name, root, tmp_path / "cache", random.Random(name + SEED), EDITS)


def test_random_edits_of_a_repository_where_everything_reads_everything_touch_what_differs(tmp_path: Path) -> None:
    luck = random.Random(f"garden{SEED}")
    tally = hold("garden", planted(tmp_path / "repository", luck), tmp_path / "cache", luck, EDITS)
    # A file that planning does not find is missing when the target is rendered.
    assert tally.broken == []


def hold(name: str, root: Path, cache: Path, luck: random.Random, edits: int) -> Tally:
    tally = asyncio.run(tried(root, cache, luck, edited, edits))
    print(f"{name}: {edits} edits, {tally.planned} of {tally.there} targets planned, {tally.loose} in vain")
    assert tally.missed == []
    assert tally.loose <= tally.there * IN_VAIN.get(name, 0.15)
    return tally
