"""A target is explained in words: found by what, reads what, goes where."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from review_bot.core.explained import found_by, goes_to, reads
from review_bot.core.model import Delivery, RendererName, ResourceId, Source, Target

FOLDER = Target("kustomize:web", RendererName.KUSTOMIZE, "web", "web/kustomization.yaml", frozenset())
TOLD = Delivery(
    tool="argocd",
    object=ResourceId("argoproj.io/v1alpha1", "Application", "argocd", "web"),
    parent="plain:argocd",
    source=Source("argocd/web.yaml", 3),
)


def delivered(id: str = "argocd:web", **more: Any) -> Target:
    return replace(FOLDER, id=id, delivery=replace(TOLD, **more), parts=(FOLDER,))


def test_it_was_found_by_a_file_or_by_the_object_that_names_it() -> None:
    assert found_by(FOLDER) == "web/kustomization.yaml"
    assert found_by(delivered()) == "Application web in argocd/web.yaml:3"


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (["web/a", "web/b", "base/a", "web/not-there"], "3 files: base (1), web (2)"),
        (["a"], "1 file: . (1)"),
        ([], "no file of its own"),
        ([f"{c}/x" for c in "abcde"], "5 files: a (1), b (1), c (1), d (1), e (1)"),
        ([*(f"{c}/x" for c in "abcdef"), "f/y"], "7 files: a (1), b (1), c (1), f (2) and 2 more folders"),
    ],
)
def test_what_it_reads_is_counted_by_folder(paths: list[str], said: str) -> None:
    there = {path for path in paths if "not-there" not in path}
    assert reads(replace(FOLDER, reads=frozenset(paths)), there) == said


def test_what_can_not_be_told_is_said() -> None:
    assert reads(replace(FOLDER, reads=None), ()) == "every file: which ones can't be told"
    unseen = replace(delivered(), parts=(), reads=frozenset())
    assert reads(unseen, ()) == "nothing here: what it deploys lies elsewhere, or is not seen"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (FOLDER, "a cluster that nothing names (targets.assign can)"),
        (replace(FOLDER, cluster="eu", environment="production"), "cluster eu, environment production"),
        (delivered(destination="eu/web"), "eu/web"),
        (delivered(destination="eu/web", prune=False), "eu/web, what goes from git stays there"),
        (delivered(suspended=True, prune=False), "where plain:argocd goes, suspended: nothing rolls out"),
        (delivered("flux:web@clusters/eu"), "the cluster of clusters/eu"),
        (replace(delivered("flux:web@clusters/eu"), namespace="web"), "the cluster of clusters/eu, namespace web"),
        (replace(FOLDER, renderer=RendererName.TERRAFORM), "what its state describes"),
    ],
)
def test_where_it_goes_is_as_much_as_anything_says(target: Target, said: str) -> None:
    assert goes_to(target) == said
