"""Lighthouse's triggers name jobs whose pipelines are there and hold together; generated files follow their source."""

from __future__ import annotations

import pytest
from trees import MemoryTree

from review_bot.core.jenkins_x import lighthouse, regeneration
from review_bot.core.model import FileChange

TRIGGERS = """\
apiVersion: config.lighthouse.jenkins-x.io/v1alpha1
kind: TriggerConfig
spec:
  presubmits:
  - name: verify
    source: "pr.yaml"
  - name: lint
    source: "pr.yaml"
  postsubmits:
  - name: release
    source: "pr.yaml"
"""
RUN = """\
apiVersion: tekton.dev/v1beta1
kind: PipelineRun
metadata: {name: pr}
spec:
  pipelineSpec:
    tasks:
    - name: one
      taskSpec:
        steps: [{name: a, image: x, script: "echo $(params.PULL_NUMBER)"}]
"""
FILES = {".lighthouse/jx/triggers.yaml": TRIGGERS, ".lighthouse/jx/pr.yaml": RUN}
HERE = ".lighthouse/jx/triggers.yaml"


def said(**changed: str | None) -> list[tuple[str, str, str | None, int | None]]:
    names = {"triggers": HERE, "run": ".lighthouse/jx/pr.yaml", "more": ".lighthouse/more/triggers.yaml"}
    files = {**FILES, **{names[k]: v for k, v in changed.items()}}
    tree = MemoryTree({p: t for p, t in files.items() if t is not None})
    return [(f.severity, f.message, f.path, f.line) for f in lighthouse.judged(tree, [HERE])]


def test_jobs_whose_pipelines_are_there_are_fine_and_the_events_own_params_only_a_remark() -> None:
    ((severity, message, path, line),) = said()
    assert (severity, path, line) == ("warning", ".lighthouse/jx/pr.yaml", 9)
    assert "PULL_NUMBER" in message
    assert said(run=RUN.replace("$(params.PULL_NUMBER)", "x")) == []


QUIET = RUN.replace("$(params.PULL_NUMBER)", "x")
WRONG = [
    ({"run": None}, "error", "runs .lighthouse/jx/pr.yaml, which does not exist", HERE, 6),
    ({"run": ""}, "error", "which is empty", HERE, 6),
    ({"run": "a: ["}, "error", "this is not YAML", ".lighthouse/jx/pr.yaml", 1),
    (
        {"run": "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"},
        "error",
        "in which there is no",
        ".lighthouse/jx/pr.yaml",
        1,
    ),
    (
        {"run": QUIET.replace("- name: one", "- name: one\n      runAfter: [nope]")},
        "error",
        "runs after the task nope",
        ".lighthouse/jx/pr.yaml",
        8,
    ),
    ({"triggers": "spec: ["}, "error", "Lighthouse runs no job", HERE, 1),
    (
        {"triggers": TRIGGERS.replace("name: lint\n", "name: lint\n    context: verify\n")},
        "warning",
        "report as verify",
        HERE,
        9,
    ),
    (
        {"triggers": TRIGGERS.replace('source: "pr.yaml"', "source: https://x/pr.yaml")},
        "notice",
        "lies elsewhere",
        HERE,
        6,
    ),
    (
        {"more": TRIGGERS.replace('"pr.yaml"', '"../jx/pr.yaml"')},
        "error",
        "is also in",
        ".lighthouse/more/triggers.yaml",
        6,
    ),
]


@pytest.mark.parametrize(("change", "severity", "text", "path", "line"), WRONG)
def test_what_keeps_a_job_from_running_is_said_where_it_stands(
    change: dict[str, str | None], severity: str, text: str, path: str, line: int
) -> None:
    (found, *_) = said(**{"run": QUIET, **change})
    assert (found[0], found[2], found[3]) == (severity, path, line)
    assert text in found[1]


def test_triggers_that_lighthouse_does_not_look_for_are_told() -> None:
    tree = MemoryTree({".lighthouse/a/b/triggers.yaml": TRIGGERS})
    ((finding),) = lighthouse.judged(tree, [".lighthouse/a/b/triggers.yaml"])
    assert "does not look here" in finding.message


def test_nothing_is_looked_at_where_nothing_of_it_changes() -> None:
    assert lighthouse.judged(MemoryTree({HERE: "spec: ["}), ["README.md"]) == []


KEPT = MemoryTree({"config-root/namespaces/jx/a.yaml": "a"})


@pytest.mark.parametrize(
    ("paths", "kept", "rule"),
    [
        (["helmfiles/jx/helmfile.yaml"], True, "jenkins-x-not-regenerated"),
        (["versionStream/charts/a/b/defaults.yaml", "README.md"], True, "jenkins-x-not-regenerated"),
        (["charts/web/values.yaml"], True, "jenkins-x-not-regenerated"),
        (["jx-requirements.yml", "config-root/namespaces/jx/a.yaml"], True, None),
        (["config-root/namespaces/jx/a.yaml"], True, "jenkins-x-edited-output"),
        (["helmfile.yaml"], False, "jenkins-x-no-output"),
        (["README.md", "docs/helmfile.yaml", "charts/webby/values.yaml"], True, None),
    ],
)
def test_config_root_is_generated_with_its_source(paths: list[str], kept: bool, rule: str | None) -> None:
    tree = KEPT if kept else MemoryTree({})
    changes = [FileChange(p, "modified") for p in paths]
    found = regeneration.judged(tree, tree, changes, frozenset(["charts/web"]))
    assert [f.rule for f in found] == ([rule] if rule else [])


def test_a_value_file_of_a_release_is_a_source_wherever_it_lies() -> None:
    changes = [FileChange("values/web.yaml", "modified")]
    (finding,) = regeneration.judged(KEPT, KEPT, changes, frozenset(), {"values/web.yaml"})
    assert (finding.rule, finding.path) == ("jenkins-x-not-regenerated", "values/web.yaml")


@pytest.mark.parametrize(("namespace", "rules"), [("shop", ["jenkins-x-not-regenerated"]), ("jx", [])])
def test_config_root_is_generated_again_for_each_namespace_whose_releases_move(
    namespace: str, rules: list[str]
) -> None:
    changes = [FileChange("helmfile.yaml", "modified"), FileChange("config-root/namespaces/jx/a.yaml", "modified")]
    found = regeneration.judged(KEPT, KEPT, changes, frozenset(), moved={namespace})
    assert [f.rule for f in found] == rules and all(namespace in f.message for f in found)
