"""What is alike on both sides is worked out once, and never differs from what would be worked out anew."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from argo import CHART, HERE, MAP, application, around

from review_bot.core.argocd import ArgoCD
from review_bot.core.delivery import Before, Expansion, Surroundings
from review_bot.core.model import FileChange
from review_bot.pipeline.delivered_side import changed_places

FILES = {
    "base/kustomization.yaml": "resources: [map.yaml]\n",
    "base/map.yaml": MAP,
    "apps/built/kustomization.yaml": "resources: [../../base]\n",
    "apps/edited/kustomization.yaml": "resources: [../../base]\n",
    "apps/plain/map.yaml": MAP,
    "apps/plain/deep/map.yaml": MAP,
    "charts/web/Chart.yaml": CHART,
    "charts/web/values.yaml": "a: 1\n",
    "env/eu/all.yaml": "a: 2\n",
    "sets/one/map.yaml": MAP,
    "sets/two/kustomization.yaml": "resources: [../../base]\n",
}
# What edits may touch beside: it is not there, and would be read.
MORE = (
    *("apps/plain/new.yaml", "apps/plain/Chart.yaml", "apps/built/.argocd-source.yaml", "env/us/all.yaml"),
    *("sets/three/map.yaml", "charts/web/templates/new.yaml", "env/prod.yaml", "base/kustomization.yml"),
)
CONTENTS = (MAP, "resources: [map.yaml]\n", "kustomize: {namePrefix: a-}\n", "a: 3\n")
SET = f"""
---
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: all, namespace: argocd}}
spec:
  generators: [{{git: {{repoURL: {HERE}, directories: [{{path: sets/*}}]}}}}]
  template:
    metadata: {{name: '{{{{path.basename}}}}'}}
    spec:
      source: {{repoURL: {HERE}, path: '{{{{path}}}}'}}
      destination: {{name: prod}}
"""
OBJECTS = (
    application("path: apps/built", name="built")
    + "---\n"
    + application("path: apps/edited, kustomize: {namePrefix: x-}", name="edited")
    + "---\n"
    + application("path: apps/plain, directory: {recurse: true}", name="plain")
    + "---\n"
    + application(
        "path: charts/web, helm: {valuesObject: {a: 2}, valueFiles: ['/env/*/all.yaml', /env/prod.yaml], "
        "ignoreMissingValueFiles: true}",
        name="chart",
    )
    + SET
)


def side(files: Mapping[str, str], objects: str = OBJECTS) -> Surroundings:
    return around(files, objects)


def edited(files: Mapping[str, str], choose: random.Random) -> tuple[dict[str, str], list[FileChange]]:
    found = dict(files)
    for path in choose.sample([*files, *MORE], choose.randint(1, 2)):
        if path in found and choose.random() < 0.4:
            del found[path]
        else:
            found[path] = choose.choice(CONTENTS)
    changed = [p for p in {*files, *found} if files.get(p) != found.get(p)]
    return found, [FileChange(p, "modified") for p in changed]


def told(expansion: Expansion) -> list[object]:
    return [*expansion.targets, *expansion.findings]


@pytest.mark.parametrize("seed", range(60))
def test_the_second_side_is_as_if_there_were_no_first(seed: int) -> None:
    choose = random.Random(seed)
    files, changes = edited(FILES, choose)
    argo, first, second, alone = ArgoCD(), side(FILES), side(files), side(files)
    argo.expand(first)
    second = replace(second, before=Before(first.graft, changed_places(changes)))
    assert told(argo.expand(second)) == told(ArgoCD().expand(alone))
    for target in argo.expand(second).targets:
        for path in (p for part in target.parts for p in part.reads or ()):
            assert second.graft.read(path) == alone.graft.read(path)


def test_what_nothing_touched_is_taken_from_the_first_side() -> None:
    argo, first, second = ArgoCD(), side(FILES), side(FILES | {"apps/plain/map.yaml": "changed: here\n"})
    before = {t.id: t for t in argo.expand(first).targets}
    changes = [FileChange("apps/plain/map.yaml", "modified")]
    after = argo.expand(replace(second, before=Before(first.graft, changed_places(changes)))).targets
    same = {t.id for t in after if t is before[t.id]}
    assert same == {"argocd:built", "argocd:chart", "argocd:one", "argocd:two"}
