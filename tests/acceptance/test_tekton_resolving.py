"""What does not resolve in Pipelines, Tasks and Triggers blocks on its line; what the cluster may bring does not."""

from __future__ import annotations

from pathlib import Path

import pytest
import repositories
from test_tekton_reviews import PIPELINE, TASK, said

DEPLOY = TASK.replace("name: build\nspec", "name: deploy\nspec").replace("build $(params.image)", "deploy")
CI = f"""\
{PIPELINE}      workspaces:
        - name: source
          workspace: shared
    - name: roll
      runAfter: [build]
      taskRef:
        name: deploy
      params:
        - name: image
          value: $(tasks.build.results.digest)
  workspaces:
    - name: shared
  finally:
    - name: tell
      params:
        - name: how
          value: $(tasks.build.status)
      taskSpec:
        params:
          - name: how
        steps:
          - name: tell
            image: example.com/tell:1
            script: echo $(params.how)
"""
BUILD = f"{TASK}  workspaces:\n    - name: source\n  results:\n    - name: digest\n"
WHOLE = {"ci/build.yaml": BUILD, "ci/deploy.yaml": DEPLOY, "ci/ci.yaml": CI}
# What is put in place of what in the Pipeline → the rule, and the line that it is said on.
BROKEN = [
    ("        name: deploy\n", "        name: depoly\n", "tekton-unresolved", 19),
    ("        name: deploy\n", "        name: release\n", "tekton-unresolved", 19),
    ("        - name: image\n          value: x", "        - name: picture\n          value: x", "tekton-param", 10),
    ("        - name: image\n          value: x", "        - name: image\n          value: [x]", "tekton-param", 12),
    ("workspace: shared", "workspace: shraed", "tekton-workspace", 14),
    ("        - name: source\n", "        - name: sources\n", "tekton-workspace", 14),
    ("results.digest)", "results.digset)", "tekton-result", 22),
    ("runAfter: [build]", "runAfter: [bulid]", "tekton-unresolved", 17),
    ("$(tasks.build.status)", "$(tasks.biuld.status)", "tekton-unresolved", 29),
    ("$(tasks.build.status)", "$(finally.tell.results.x)", "tekton-finally", 29),
    ("          value: x", "          value: $(tasks.roll.results.x)", "tekton-cycle", 7),
    ("$(params.how)", "$(params.who)", "tekton-param", 36),
]


def test_a_pipeline_whose_parts_fit_is_reviewed_without_a_word(tmp_path: Path) -> None:
    status, verdict = repositories.check(repositories.make(tmp_path, {"README.md": "x\n"}, WHOLE))
    assert (status, said(verdict), verdict["conclusion"]) == (0, [], "success")


@pytest.mark.parametrize(("old", "new", "rule", "line"), BROKEN)
def test_what_does_not_resolve_in_a_pipeline_blocks_on_its_line(
    old: str, new: str, rule: str, line: int, tmp_path: Path
) -> None:
    assert old in CI
    status, verdict = repositories.check(repositories.make(tmp_path, WHOLE, {"ci/ci.yaml": CI.replace(old, new, 1)}))
    assert (status, verdict["conclusion"]) == (1, "failure")
    assert ("error", rule, "ci/ci.yaml", line, True) in said(verdict)


@pytest.mark.parametrize(
    ("base", "head", "severity"),
    [
        # A Task of the public catalogue, and one in a repository that uses other Tasks of its cluster already.
        (CI, CI.replace("        name: deploy\n", "        name: kaniko\n"), "notice"),
        (CI.replace("        name: build\n", "        name: git-clone\n"), None, "notice"),
    ],
)
def test_tasks_that_the_cluster_brings_block_nobody(base: str, head: str | None, severity: str, tmp_path: Path) -> None:
    head = head or base.replace("        name: deploy\n", "        name: release\n")
    status, verdict = repositories.check(
        repositories.make(tmp_path, WHOLE | {"ci/ci.yaml": base}, {"ci/ci.yaml": head})
    )
    found = {(s, rule) for s, rule, *_ in said(verdict)}
    assert (status, (severity, "tekton-not-seen") in found) == (0, True)


POLICY = """\
package main

deny_pinned contains msg if {
	some step in input.spec.steps
	not contains(step.image, "@sha256:")
	msg := sprintf("step %s: %s has no digest", [step.name, step.image])
}

deny_shell contains msg if {
	some task in input.spec.tasks
	some step in task.taskSpec.steps
	contains(step.script, "| sh")
	msg := sprintf("task %s pipes into a shell", [task.name])
}
"""


def test_images_and_scripts_of_steps_are_open_to_policies(tmp_path: Path) -> None:
    script = "curl https://example.com/x | sh"
    task = (
        f"- name: fetch\n      taskSpec:\n        steps: [{{name: a, image: x, script: '{script}'}}]\n    - name: build"
    )
    head = {"ci/build.yaml": BUILD, "ci/ci.yaml": PIPELINE.replace("- name: build", task, 1)}
    status, verdict = repositories.check(repositories.make(tmp_path, {"policies/steps.rego": POLICY}, head))
    messages = {f["message"] for f in verdict["findings"] if f["check"] == "policy"}
    assert status == 1
    assert messages == {"step build: example.com/build:1 has no digest", "task fetch pipes into a shell"}


TRIGGERS = """\
apiVersion: triggers.tekton.dev/v1beta1
kind: TriggerTemplate
metadata:
  name: run
spec:
  params:
    - name: image
  resourcetemplates:
    - apiVersion: tekton.dev/v1
      kind: TaskRun
      metadata:
        generateName: build-
      spec:
        taskRef:
          name: build
        params:
          - name: image
            value: $(tt.params.image)
---
apiVersion: triggers.tekton.dev/v1beta1
kind: TriggerBinding
metadata:
  name: push
spec:
  params:
    - name: image
      value: $(body.image)
---
apiVersion: triggers.tekton.dev/v1beta1
kind: EventListener
metadata:
  name: ears
spec:
  triggers:
    - name: push
      bindings:
        - ref: push
      template:
        ref: run
"""


@pytest.mark.parametrize(
    ("old", "new", "severity", "rule", "line"),
    [
        ("$(tt.params.image)", "$(tt.params.imgae)", "error", "tekton-param", 18),
        ("          name: build", "          name: biuld", "error", "tekton-unresolved", 15),
        ("        ref: run", "        ref: walk", "error", "tekton-unresolved", 39),
        ("        - ref: push", "        - ref: pull", "error", "tekton-unresolved", 37),
        ("    - name: image\n      value", "    - name: imgae\n      value", "warning", "tekton-param", 36),
    ],
)
def test_triggers_that_lead_nowhere_are_told(
    old: str, new: str, severity: str, rule: str, line: int, tmp_path: Path
) -> None:
    base = {"ci/build.yaml": TASK, "ci/triggers.yaml": TRIGGERS}
    assert old in TRIGGERS
    status, verdict = repositories.check(
        repositories.make(tmp_path, base, {"ci/triggers.yaml": TRIGGERS.replace(old, new, 1)})
    )
    assert (status, verdict["conclusion"]) == ((1, "failure") if severity == "error" else (0, "success"))
    assert (severity, rule, "ci/triggers.yaml", line, True) in said(verdict)


RESOLVED = """\
apiVersion: tekton.dev/v1
kind: Pipeline
metadata:
  name: ci
spec:
  tasks:
    - name: build
      taskRef:
        resolver: git
        params:
          - {name: url, value: "https://github.com/acme/ci.git"}
          - {name: revision, value: main}
          - {name: pathInRepo, value: lib/build.yaml}
      params:
        - {name: image, value: x}
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("value: x", "value: y", []),
        ("image, value: x", "picture, value: x", [("error", "tekton-param"), ("warning", "tekton-param")]),
        ("lib/build.yaml", "lib/biuld.yaml", [("notice", "tekton-not-seen"), ("error", "tekton-unresolved")]),
        ("acme/ci.git", "acme/other.git", [("notice", "tekton-not-seen")]),
        ("value: main", "value: v1.2", [("notice", "tekton-not-seen")]),
        ("resolver: git", "resolver: hub", [("notice", "tekton-not-seen")]),
    ],
)
def test_a_git_resolver_is_followed_where_it_leads_into_this_repository(
    old: str, new: str, expected: list[tuple[str, str]], tmp_path: Path
) -> None:
    base = {"lib/build.yaml": TASK, "ci/ci.yaml": RESOLVED}
    root = repositories.make(tmp_path, base, {"ci/ci.yaml": RESOLVED.replace(old, new)})
    repositories.git(root, "remote", "add", "origin", "git@github.com:acme/ci.git")
    _, verdict = repositories.check(root)
    assert sorted((s, rule) for s, rule, *_ in said(verdict)) == sorted(expected)
