"""Tekton's objects are held against each other across files, folders and sides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import repositories

from review_bot.core.model import Resource, Severity
from review_bot.core.resources import from_documents
from review_bot.core.tekton import Catalogue, judge
from review_bot.core.yaml_reader import parse

TASK = """\
apiVersion: tekton.dev/v1
kind: Task
metadata:
  name: build
spec:
  params:
    - name: image
  steps:
    - name: build
      image: example.com/build:1
      script: build $(params.image)
"""
PIPELINE = """\
apiVersion: tekton.dev/v1
kind: Pipeline
metadata:
  name: ci
spec:
  tasks:
    - name: build
      taskRef:
        name: build
      params:
        - name: image
          value: x
"""
MORE = TASK.replace("    - name: image\n", "    - name: image\n    - name: tag\n")
KUSTOMIZED = {"tasks/kustomization.yaml": "namespace: ci\nresources: [build.yaml]\n"}


def said(verdict: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (f["severity"], f["rule"], f["path"], f["line"], f["introduced"])
        for f in verdict["findings"]
        if f["rule"].startswith("tekton-")
    ]


@pytest.mark.parametrize(
    ("folder", "severity"), [("ci", "error"), ("tasks", "error"), ("kustomized", "warning"), ("none", "notice")]
)
def test_a_pipeline_is_held_against_its_task_wherever_it_lies(folder: str, severity: str, tmp_path: Path) -> None:
    base = {"README.md": "x\n"}
    if folder != "none":
        base["tasks/build.yaml" if folder == "kustomized" else f"{folder}/build.yaml"] = TASK
    if folder == "kustomized":
        base |= KUSTOMIZED
    root = repositories.make(tmp_path, base, {"ci/ci.yaml": PIPELINE.replace("- name: image", "- name: imgae")})
    status, verdict = repositories.check(root)
    rule, line = ("tekton-not-seen", 9) if folder == "none" else ("tekton-param", 10)
    assert (severity, rule, "ci/ci.yaml", line, True) in said(verdict)
    assert status == (severity == "error")
    assert verdict["checks"]["schema"] == ("failure" if severity == "error" else "success")


def test_what_was_wrong_before_does_not_block(tmp_path: Path) -> None:
    wrong = PIPELINE.replace("value: x", "value: [x]")
    text = wrong.replace("    - name: build\n      t", "    - name: build\n      displayName: Build\n      t")
    root = repositories.make(tmp_path, {"ci/build.yaml": TASK, "ci/ci.yaml": wrong}, {"ci/ci.yaml": text})
    status, verdict = repositories.check(root)
    assert (status, said(verdict)) == (0, [("error", "tekton-param", "ci/ci.yaml", 13, False)])


@pytest.mark.parametrize("folder", ["ci", "tasks"])
def test_a_task_that_goes_while_a_pipeline_uses_it_blocks(folder: str, tmp_path: Path) -> None:
    base = {f"{folder}/build.yaml": TASK, "ci/ci.yaml": PIPELINE, "ci/other.yaml": "a: 1\n"}
    status, verdict = repositories.check(repositories.make(tmp_path, base, {f"{folder}/build.yaml": None}))
    assert (status, said(verdict)) == (1, [("error", "tekton-unresolved", "ci/ci.yaml", 9, True)])


@pytest.mark.parametrize("folder", ["ci", "tasks"])
def test_a_task_that_asks_for_more_blocks_where_it_breaks_a_pipeline(folder: str, tmp_path: Path) -> None:
    base = {f"{folder}/build.yaml": TASK, "ci/ci.yaml": PIPELINE}
    status, verdict = repositories.check(repositories.make(tmp_path, base, {f"{folder}/build.yaml": MORE}))
    assert (status, said(verdict)) == (1, [("error", "tekton-param", "ci/ci.yaml", 10, True)])


def test_a_task_that_moves_is_still_there(tmp_path: Path) -> None:
    head = {"tasks/build.yaml": None, "shared/build.yaml": TASK}
    root = repositories.make(tmp_path, {"tasks/build.yaml": TASK, "ci/ci.yaml": PIPELINE}, head)
    status, verdict = repositories.check(root)
    assert (status, said(verdict)) == (0, [])


def test_a_task_of_a_target_that_does_not_render_is_not_taken_for_gone(tmp_path: Path) -> None:
    base = {"tasks/build.yaml": TASK, "ci/ci.yaml": PIPELINE} | KUSTOMIZED
    head = {"tasks/kustomization.yaml": "resources: [nothing.yaml]\n", "ci/ci.yaml": PIPELINE.replace("x", "y")}
    status, verdict = repositories.check(repositories.make(tmp_path, base, head))
    assert (status, said(verdict)) == (1, [])


def test_what_looks_like_tekton_and_is_deployed_by_nobody_defines_nothing(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, {".github/build.yaml": TASK}, {"ci/ci.yaml": PIPELINE})
    _, verdict = repositories.check(root)
    assert said(verdict) == [("notice", "tekton-not-seen", "ci/ci.yaml", 9, True)]


samples = pytest.mark.skipif(not repositories.SAMPLES.is_dir(), reason="the samples lie beside the checkout")


@samples
def test_the_pipelines_that_the_tekton_project_runs_are_not_called_wrong(tmp_path: Path) -> None:
    root = repositories.unpacked("tekton-plumbing", tmp_path)
    found: list[Resource] = []
    for path in sorted(root.rglob("*.yaml")):
        if b"tekton.dev/" in path.read_bytes():
            name = str(path.relative_to(root))
            found += from_documents(parse(path.read_bytes(), path=name), path=name)[0]
    catalogue = Catalogue(("all", resource) for resource in found)
    said = [f for resource in found for f in judge("all", resource, catalogue)]
    assert len([r for r in found if r.id.kind in ("Task", "Pipeline", "TriggerTemplate")]) > 75
    # Two templates are bases, which overlays fill; one makes a Pipeline with a param twice, which Tekton refuses.
    assert {(f.path, f.rule) for f in said if f.severity is Severity.ERROR} == {
        ("tekton/ci/bases/template.yaml", "tekton-trigger"),
        ("tekton/resources/nightly-release/base/template.yaml", "tekton-trigger"),
        ("tekton/mario-bot/mario-image-build-trigger.yaml", "tekton-param"),
    }
    # A param that was forgotten in one of two triggers: checked by hand, it is really missing.
    assert any("nameAndNamespace" in f.message and f.severity is Severity.WARNING for f in said)


@samples
@pytest.mark.parametrize(
    ("file", "old", "new", "rule"),
    [
        (
            "pipelines/release.yaml",
            "$(tasks.report-bucket.results.release)",
            "$(tasks.report-bucket.results.x)",
            "tekton-result",
        ),
        (
            "pipelines/release.yaml",
            "runAfter: [build, unit-tests]",
            "runAfter: [build, unit-test]",
            "tekton-unresolved",
        ),
        ("pipelines/release.yaml", "    - name: workarea\n", "    - name: workspace\n", "tekton-workspace"),
        ("pipelines/release.yaml", "  - name: versionTag\n", "  - name: tag\n", "tekton-param"),
        # It is used in stepTemplate, which the steps inherit before Tekton looks at them.
        ("tasks/publish.yaml", "  - name: versionTag\n", "  - name: tag\n", "tekton-param"),
        ("tasks/publish.yaml", "  - name: imageRegistry\n", "  - name: registry\n", "tekton-param"),
        ("pipelines/release.yaml", "default: gcr.io", "default: ghcr.io", None),
    ],
)
def test_pull_requests_made_from_the_tekton_project_s_release(
    file: str, old: str, new: str, rule: str | None, tmp_path: Path
) -> None:
    root = repositories.unpacked("tekton-plumbing", tmp_path)
    repositories.git(root, "init", "-q", "-b", "main")
    repositories.commit(root, "base")
    repositories.git(root, "checkout", "-q", "-b", "change")
    path = root / "tekton/catalog" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    repositories.commit(root, "head")
    status, verdict = repositories.check(root)
    errors = {f["rule"] for f in verdict["findings"] if f["severity"] == "error"}
    assert (status, errors) == ((1, {rule}) if rule else (0, set()))
