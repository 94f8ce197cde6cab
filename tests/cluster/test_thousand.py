"""Whole reviews, one after another, as the bot with its role: the cluster's store is byte for byte as it was.

`REVIEW_BOT_REVIEWS=1000 pytest tests/cluster/test_thousand.py` makes a thousand; docs/clusters.md tells the figures.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import repositories
from guard import OBJECTS
from kube import Kube, settings

from review_bot.core.clusters import Clusters
from review_bot.core.outcome import Verdict
from review_bot.github.workspace import Repository
from review_bot.pipeline.review import Reviewer

REVIEWS = int(os.environ.get("REVIEW_BOT_REVIEWS", "30"))
PRESENT = OBJECTS.replace("NAME", "present")
NEW = OBJECTS.replace("NAME", "fresh")
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME, namespace: SPACE}\ndata: {key: value}\n"
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
    "chart/values.yaml": "value: one\n",
    "chart/templates/c.yaml": CONFIG.replace("NAME", "of-a-chart")
    .replace("SPACE", "default")
    .replace("value}", "'{{ .Values.value }}'}"),
}
BASE = {"README.md": "x", "app/present.yaml": PRESENT, **CHART}
# What each kind of change must come to: actions in the cluster, and rules of the dry run.
STORIES: Mapping[str, tuple[Mapping[str, str | None], set[str], set[str]]] = {
    "creates": ({"app/new.yaml": NEW}, {"create"}, set()),
    "updates": (
        {"app/present.yaml": PRESENT.replace("image: x", "image: y").replace("\n---", "\ndata: {a: Yg==}\n---", 2)},
        {"update"},
        set(),
    ),
    "deletes": ({"app/present.yaml": None}, {"delete"}, set()),
    "templates": ({"chart/values.yaml": "value: two\n"}, {"create"}, set()),
    "is-refused": ({"app/present.yaml": PRESENT.replace("{a: b}", "{a: c}")}, set(), {"dry-run-immutable"}),
    "brings-a-namespace": (
        {
            "app/space.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: coming}\n",
            "app/c.yaml": CONFIG.replace("NAME", "c").replace("SPACE", "coming"),
        },
        {"create"},
        {"dry-run-skipped"},
    ),
    "asks-for-nowhere": (
        {"app/c.yaml": CONFIG.replace("NAME", "c").replace("SPACE", "nowhere")},
        set(),
        {"dry-run-namespace"},
    ),
}


def test_the_store_is_as_it_was_after_whole_reviews(guarded: Kube, tmp_path: Path) -> None:
    repository = Repository(written(tmp_path / "repository"))
    one = replace(settings(guarded.cluster, "bot"), concurrency=4)
    reviewer = Reviewer(clusters=Clusters(every=one), cache=tmp_path / "rendered")
    before = guarded.settled()
    made: Counter[str] = Counter()

    async def play() -> None:
        base = repository.resolve("main")
        for number in range(REVIEWS):
            story = list(STORIES)[number % len(STORIES)]
            review = await reviewer.review(repository, base, repository.resolve(story))
            as_expected(story, review.verdict)
            made[story] += 1

    asyncio.run(play())
    assert sum(made.values()) == REVIEWS and set(made) == set(STORIES)
    assert guarded.stored() == before
    print(f"{REVIEWS} reviews, {len(before)} keys in the store, all as before")


def written(root: Path) -> Path:
    """A repository with a branch for each story."""
    repositories.make(root, BASE, {})
    for story, (files, _, _) in STORIES.items():
        repositories.git(root, "checkout", "-q", "-B", story, "main")
        repositories.write(root, files)
        repositories.commit(root, story)
    return root


def as_expected(story: str, verdict: Verdict) -> None:
    """A review that asked nothing would prove nothing."""
    _, actions, rules = STORIES[story]
    assert {str(c.action) for c in verdict.live} - {"unchanged"} == actions, story
    assert {f.rule for f in verdict.findings if f.check == "dry-run"} == rules, story
