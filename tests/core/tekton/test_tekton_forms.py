"""What Tekton's webhook accepts is no error here, and what it refuses is one.

Each row was given to the validation of github.com/tektoncd/pipeline v1.6.0 once: `refused` is its answer.
"""

from __future__ import annotations

import pytest
from objects import said

from review_bot.core.model import Severity

TASK = """\
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: t}
spec:
  params: [{name: word}, {name: list, type: array}, {name: repo, properties: {url: {}, ref: {}}}, {name: a.b}]
  workspaces: [{name: source}]
  results: [{name: digest}, {name: both.parts}]
  steps:
    - name: one
      image: "x:1"
      script: echo $(params.word)
"""
ON_TASKS = [
    ("$(params.word)", "$(params.repo.url)", False),
    ("$(params.word)", "$(params.repo.tag)", True),
    ("$(params.word)", "$(params.repo)", True),
    ("$(params.word)", "$(params.list)", True),
    ("$(params.word)", "$(params.list[1])", False),
    ("$(params.word)", "$(params['list'][1])", False),
    ("$(params.word)", "$(params['a.b'])", False),
    ("$(params.word)", '$(params["a.b"])', False),
    ("$(params.word)", "$(params.a.b)", True),
    ("$(params.word)", "$(params.word.b.c)", True),
    ("$(params.word)", "$(inputs.params.none)", False),
    ("$(params.word)", "$(context.taskRun.uid) $(context.task.retry-count)", False),
    ("$(params.word)", "$(context.taskRun.id)", True),
    ("$(params.word)", "$(context.pipelineRun.id)", False),
    ("$(params.word)", "$(results.both.parts.path)", True),
    ("$(params.word)", "$(results.digest.path) $(results.digest.key)", False),
    ("$(params.word)", "$(results['none'].path)", False),
    ("$(params.word)", "$(steps.one.results.x)", True),
    ("$(params.word)", "$(workspaces.none.path)", False),
    ("script: echo $(params.word)", 'args: ["$(params.list[*])", "$(params.word)"]', False),
    ("script: echo $(params.word)", 'args: ["$(params.list)"]', False),
    ("script: echo $(params.word)", 'args: ["-x=$(params.list[*])"]', True),
    (
        "script: echo $(params.word)",
        'env: [{name: A, valueFrom: {secretKeyRef: {name: "$(params.n)", key: k}}}]',
        False,
    ),
    ("script: echo $(params.word)", "env: [{name: A, value: $(params.n)}]", True),
    ("script: echo $(params.word)", "volumeMounts: [{name: $(params.n), mountPath: /x}]", True),
    ("script: echo $(params.word)", "imagePullPolicy: $(params.n)", False),
    ("script: echo $(params.word)", "onError: continue", False),
    ("script: echo $(params.word)", "onError: $(params.word)", False),
    ("script: echo $(params.word)", "onError: ignore", True),
    ("script: echo $(params.word)", "params: [{name: a, value: b}]", True),
    ("script: echo $(params.word)", "workspaces: [{name: source}]", False),
    ("script: echo $(params.word)", "workspaces: [{name: cache}]", True),
    ("script: echo $(params.word)", "when: [{input: a, operator: in, values: [a]}]", False),
    ("script: echo $(params.word)", "when: [{input: a, operator: is, values: [a]}]", True),
    ("script: echo $(params.word)", "when: [{input: a, operator: in, values: []}]", True),
    ("script: echo $(params.word)", "results: [{name: own}]\n      script: echo > $(step.results.own.path)", False),
    ("script: echo $(params.word)", "results: [{name: own}]\n      script: echo > $(step.results.other.path)", True),
    ("name: one", "name: One", True),
    ('image: "x:1"', 'image: "x:1"\n      workingDir: $(params.list[0])', False),
    ("{name: word}", "{name: word, type: text}", True),
    ("{name: word}", "{name: word, type: array, default: x}", True),
    ("{name: word}", "{name: word, default: 5}", False),
    ("{name: word}", "{name: word, default: [1, 2]}", False),
    ("{name: word}", "{name: word}, {name: word}", True),
    ("{name: word}", "{name: word}, {name: 1st}", True),
    ("{name: word}", "{name: word}, {name: thing, type: object}", True),
    ("{name: digest}", "{name: digest, type: object}", True),
    ("{name: digest}", "{name: digest, type: array}", False),
    ("{name: digest}", "{name: -digest}", True),
    ("  steps:", "  stepTemplate: {image: y, env: [{name: A, value: $(params.none)}]}\n  steps:", True),
    ("  steps:", "  stepTemplate: {image: $(params.none)}\n  steps:", False),
    ("  steps:", "  stepTemplate: {workingDir: $(params.none)}\n  steps:", True),
    ("  steps:", '  sidecars: [{name: s, image: "y:1", args: ["$(params.none)"]}]\n  steps:', False),
    ("  steps:", "  sidecars: [{name: s, image: y, workspaces: [{name: cache}]}]\n  steps:", True),
    ('image: "x:1"\n      script: echo $(params.word)', "ref: {name: act}\n      workingDir: /x", True),
]

PIPELINE = """\
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: p}
spec:
  params: [{name: word}, {name: list, type: array}, {name: repo, type: object, properties: {url: {}}}, {name: a.b}]
  workspaces: [{name: shared}]
  tasks:
    - name: one
      taskSpec: {results: [{name: r}, {name: l, type: array}], steps: [{image: "x:1", script: "true"}]}
    - name: two
      params:
        - name: p
          value: x
      taskSpec: {params: [{name: p}], steps: [{image: "x:1", script: "echo $(params.p)"}]}
"""
TWO = "    - name: two\n"
ON_PIPELINES = [
    ("value: x", "value: $(params.word)", False),
    ("value: x", "value: $(params['a.b'])", False),
    ("value: x", "value: $(params.repo.url)", False),
    ("value: x", "value: $(params.repo.ref)", True),
    ("value: x", "value: $(params.repo)", True),
    ("value: x", "value: $(params.list)", True),
    ("value: x", "value: $(params.list[0])", False),
    ("value: x", "value: a $(params.list[*]) b", True),
    ("value: x", "value: $(params.none)", True),
    ("value: x", "value: $(tasks.one.results.r)", False),
    ("value: x", "value: $(tasks.one.results.none)", True),
    ("value: x", "value: $(tasks.one.results.l[0])", False),
    ("value: x", "value: $(tasks.one.status)", True),
    ("value: x", "value: $(tasks.one.reason)", True),
    ("value: x", "value: $(context.pipelineRun.uid) $(context.pipelineTask.retries)", False),
    ("value: x", "value: $(workspaces.shared.bound)", False),
    ("value: x", "value: 5", False),
    ("value: x", "value: [1, 2]", False),
    ("value: x", "value: [a, b]", True),
    ("value: x", "value: {a: 1}", False),
    ("value: x", "value: x\n        - {name: more, value: y}", False),
    ("value: x", "value: x\n        - {name: p, value: y}", True),
    ("echo $(params.p)", "echo $(params.word)", False),
    ("echo $(params.p)", "echo $(params.none)", True),
    ("echo $(params.p)", "echo $(tasks.one.results.r)", False),
    ("echo $(params.p)", "echo $(tasks.none.results.r)", True),
    (TWO, f"{TWO}      displayName: $(params.none)\n", False),
    (TWO, f"{TWO}      onError: continue\n", False),
    (TWO, f"{TWO}      onError: continue\n      retries: 2\n", True),
    (TWO, f"{TWO}      when: [{{cel: \"'$(params.word)' == 'a'\"}}]\n", False),
    (
        "    - name: two\n",
        "    - name: two\n      when: [{input: a, operator: in, values: ['$(params.list[*])']}]\n",
        False,
    ),
    (
        "    - name: two\n",
        "    - name: two\n      when: [{input: '$(params.list)', operator: in, values: [a]}]\n",
        True,
    ),
    (TWO, f"{TWO}      when: [{{input: a, operator: like, values: [a]}}]\n", True),
    (TWO, f"{TWO}      matrix: {{params: [{{name: q, value: [a, $(params.word)]}}]}}\n", False),
    (TWO, f"{TWO}      matrix: {{params: [{{name: q, value: a}}]}}\n", True),
    (
        "    - name: two\n",
        "    - name: two\n      matrix: {include: [{name: i, params: [{name: q, value: a}]}]}\n",
        False,
    ),
    (TWO, f"{TWO}      matrix: {{params: [{{name: p, value: [a]}}]}}\n", True),
    (TWO, "    - name: two_two\n", True),
    (TWO, f"{TWO}      workspaces: [{{name: shared}}]\n", False),
    (TWO, f"{TWO}      workspaces: [{{name: none}}]\n", True),
    ("workspaces: [{name: shared}]", "workspaces: [{name: shared}, {name: shared}]", True),
    ("{name: word}", "{name: word, type: text}", True),
    ("{name: word}", "{name: word}, {name: 1st}", False),
]


def refused(text: str) -> bool:
    return any(f.severity is Severity.ERROR for f in said(text))


def test_what_the_rows_change_is_accepted() -> None:
    assert said(TASK) == said(PIPELINE) == []


ROWS = [(TASK, *row) for row in ON_TASKS] + [(PIPELINE, *row) for row in ON_PIPELINES]


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize(("whole", "old", "new", "expected"), ROWS)
def test_what_tekton_refuses_is_an_error_and_nothing_else(
    whole: str, old: str, new: str, expected: bool, version: str
) -> None:
    assert old in whole
    assert refused(whole.replace(old, new, 1).replace("tekton.dev/v1\n", f"tekton.dev/{version}\n")) is expected
