"""Tasks, runs and triggers are held to what Tekton asks of them."""

from __future__ import annotations

import pytest
from objects import BUILD, pipeline, resources, said, short

from review_bot.core.model import Severity
from review_bot.core.tekton import Catalogue, judge


def test_a_task_that_works_is_not_spoken_of() -> None:
    assert said(BUILD) == []


# What is replaced in the Task by what → what is said, with the line.
TASKS = [
    ("$(params.image)", "$(params.imgae)", [("error", "tekton-param", 18)]),
    ("$(params.image)", '$(params["image"])', []),
    ("$(params.image)", "$(inputs.params.image)", []),
    ("$(params.image)", "$(params.flags)", [("error", "tekton-param", 18)]),
    ("$(params.image)", "$(params.flags[0]) $(params.repo.url)", []),
    ("$(params.image)", "$(params.repo)", [("error", "tekton-param", 18)]),
    ("$(params.image)", "$(params.repo.rul)", [("error", "tekton-param", 18)]),
    ("$(params.image)", "$(context.taskRun.name) $(ls params.txt)", []),
    ("$(results.digest.path)", "$(results.digset.path)", [("error", "tekton-result", 18)]),
    ("$(results.digest.path)", "$(workspaces.source.path)/x", []),
    ("$(results.digest.path)", "$(workspaces.sauce.path)/x", [("warning", "tekton-workspace", 18)]),
    ("      image: example.com/build:1\n", "", [("error", "tekton-step", 16)]),
    ("image: example.com/build:1", "image: example.com/build:1\n      command: [sh]", [("error", "tekton-step", 19)]),
    ("image: example.com/build:1", 'image: example.com/build:1\n      args: ["$(params.flags[*])"]', []),
    (
        "image: example.com/build:1",
        'image: example.com/build:1\n      args: ["x=$(params.flags[*])"]',
        [("error", "tekton-param", 18)],
    ),
    ("- {name: digest}", "- {name: digest}\n  sidecars: [{image: $(params.no)}]", [("warning", "tekton-param", 15)]),
    ("- {name: source}", "- {name: source}\n    - {name: source}", [("error", "tekton-workspace", 12)]),
    ("image: example.com/build:1", "image: uses:org/catalog/x.yaml@main", [("notice", "tekton-not-seen", 15)]),
]


@pytest.mark.parametrize(("old", "new", "expected"), TASKS)
def test_a_task_uses_what_it_declares(old: str, new: str, expected: list[tuple[str, str, int]]) -> None:
    assert old in BUILD
    assert short(BUILD.replace(old, new, 1)) == expected


def test_a_task_without_steps_is_refused() -> None:
    assert short(BUILD.partition("  steps:")[0] + "  steps: []\n") == [("error", "tekton-step", 4)]


ACTION = """\
apiVersion: tekton.dev/v1beta1
kind: StepAction
metadata: {name: fetch}
spec:
  params: [{name: url}]
  image: example.com/fetch:1
  env: [{name: URL, value: $(params.url)}]
  script: fetch "$URL"
"""
WITH_ACTION = """\
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: get}
spec:
  steps:
    - name: fetch
      ref: {name: fetch}
      params: [{name: url, value: x}]
"""


def test_a_step_gives_a_step_action_what_it_asks_for() -> None:
    assert said(ACTION) == [] and said(WITH_ACTION, ACTION) == []
    assert short(WITH_ACTION.replace("name: url", "name: uri"), ACTION) == [
        ("error", "tekton-param", 8),
        ("warning", "tekton-param", 8),
    ]
    assert short(WITH_ACTION.replace("{name: fetch}\n      p", "{name: fetch}\n      image: x\n      p"), ACTION) == [
        ("error", "tekton-step", 8)
    ]
    assert short(ACTION.replace("$URL", "$(params.url)")) == [("error", "tekton-param", 8)]


RUN = """\
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata: {generateName: run-, namespace: ci}
spec:
  pipelineRef: {name: ci}
  params:
    - {name: tag, value: "1"}
    - {name: list, value: [a]}
  workspaces:
    - {name: shared, emptyDir: {}}
    - {name: more, emptyDir: {}}
"""
CI = pipeline('tasks: [{name: a, taskSpec: {steps: [{image: x, script: "true"}]}}]')
RUNS = [
    ("value: [a]", "value: a", [("error", "tekton-param", 8)]),
    (
        '- {name: tag, value: "1"}',
        "- {name: gat, value: x}",
        [("error", "tekton-param", 6), ("warning", "tekton-param", 7)],
    ),
    ("- {name: shared,", "- {name: sharde,", [("error", "tekton-workspace", 9)]),
    ("pipelineRef: {name: ci}", "pipelineRef: {name: cd}", [("notice", "tekton-not-seen", 5)]),
    ("pipelineRef: {name: ci}", "pipelineRef: {resolver: git}", [("notice", "tekton-not-seen", 5)]),
    ("  params:\n", "  taskRunSpecs: [{pipelineTaskName: a}]\n  params:\n", []),
    ("  params:\n", "  taskRunSpecs: [{pipelineTaskName: b}]\n  params:\n", [("error", "tekton-unresolved", 6)]),
    ("pipelineRef: {name: ci}", "timeouts: {}", [("error", "tekton-task", 4)]),
]


@pytest.mark.parametrize(("old", "new", "expected"), RUNS)
def test_a_run_gives_what_its_pipeline_asks_for(old: str, new: str, expected: list[tuple[str, str, int]]) -> None:
    assert said(RUN, CI) == []
    assert short(RUN.replace(old, new), CI) == expected


def test_a_task_run_may_not_bind_what_its_task_does_not_declare() -> None:
    run = RUN.replace("PipelineRun", "TaskRun").replace("pipelineRef: {name: ci}", "taskRef: {name: build}")
    found = short(run.replace("name: tag", "name: image").replace("name: list", "name: flags"), BUILD)
    assert found == [("error", "tekton-workspace", line) for line in (9, 10, 11)]


def test_what_a_run_gives_reaches_the_spec_within_it() -> None:
    run = """\
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata: {name: run}
spec:
  params: [{name: who, value: x}]
  workspaces: [{name: here, emptyDir: {}}]
  pipelineSpec:
    tasks:
      - name: a
        taskSpec:
          workspaces: [{name: here}]
          steps: [{image: x, script: "echo $(params.who) $(workspaces.here.path)"}]
"""
    assert said(run) == []
    assert short(run.replace("$(params.who)", "$(params.whom)")) == [("error", "tekton-param", 12)]


TEMPLATE = """\
apiVersion: triggers.tekton.dev/v1beta1
kind: TriggerTemplate
metadata: {name: make}
spec:
  params: [{name: tag}, {name: sort, default: x}]
  resourcetemplates:
    - apiVersion: tekton.dev/v1
      kind: PipelineRun
      metadata: {generateName: "$(tt.params.sort)-"}
      spec:
        pipelineRef: {name: ci}
        params: [{name: tag, value: $(tt.params.tag)}, {name: list, value: [a]}]
        workspaces: [{name: shared, emptyDir: {}}]
"""
BINDING = """\
apiVersion: triggers.tekton.dev/v1beta1
kind: TriggerBinding
metadata: {name: from-push}
spec:
  params: [{name: tag, value: $(body.after)}]
"""
LISTENER = """\
apiVersion: triggers.tekton.dev/v1beta1
kind: EventListener
metadata: {name: ears}
spec:
  triggers:
    - name: push
      interceptors: [{ref: {name: cel}}]
      bindings:
        - ref: from-push
      template:
        ref: make
    - triggerRef: other
"""
OTHER = """\
apiVersion: triggers.tekton.dev/v1beta1
kind: Trigger
metadata: {name: other}
spec:
  bindings: [{name: tag, value: fixed}]
  template: {ref: make}
"""
TRIGGERS = [
    (TEMPLATE, "{name: tag}, {name: sort, default: x}", "{name: tag}", [("error", "tekton-param", 9)]),
    (
        TEMPLATE,
        "name: tag, value: $",
        "name: gat, value: $",
        [("error", "tekton-param", 12), ("warning", "tekton-param", 12)],
    ),
    (TEMPLATE, "      kind: PipelineRun\n", "", [("error", "tekton-trigger", 7)]),
    (
        BINDING,
        "[{name: tag, value: $(body.after)}]",
        "[{name: a, value: x}, {name: a, value: y}]",
        [("error", "tekton-param", 5)],
    ),
    (LISTENER, "ref: from-push", "ref: from-pull", [("notice", "tekton-not-seen", 9)]),
    (LISTENER, "ref: make", "ref: take", [("notice", "tekton-not-seen", 11)]),
    (LISTENER, "triggerRef: other", "triggerRef: another", [("warning", "tekton-not-seen", 12)]),
    (LISTENER, "triggerRef: other", "name: nothing", [("error", "tekton-trigger", 12)]),
    (LISTENER, "name: cel", "name: sieve", [("notice", "tekton-not-seen", 7)]),
    (LISTENER, "- ref: from-push", "- {name: other, value: x}", [("warning", "tekton-param", 8)]),
    (OTHER, "name: tag,", "name: tags,", [("warning", "tekton-param", 5)]),
]


@pytest.mark.parametrize(("whole", "old", "new", "expected"), TRIGGERS)
def test_triggers_refer_to_what_is_there(whole: str, old: str, new: str, expected: list[tuple[str, str, int]]) -> None:
    others = [text for text in (TEMPLATE, BINDING, LISTENER, OTHER) if text is not whole]
    assert said(whole, CI, *others) == []
    assert old in whole
    assert short(whole.replace(old, new), CI, *others) == expected


def test_a_template_that_makes_nothing_is_refused() -> None:
    assert short(TEMPLATE.partition("  resourcetemplates")[0]) == [("error", "tekton-trigger", 4)]


def test_where_two_definitions_of_a_name_differ_nobody_knows_which_is_meant() -> None:
    run = "apiVersion: tekton.dev/v1\nkind: TaskRun\nmetadata: {name: r}\nspec: {taskRef: {name: build}, params: []}\n"
    one, other = resources(BUILD)[0], resources(BUILD.replace("{name: image}", "{name: image, default: x}"))[0]
    (asking,) = resources(run)
    for others, severity in (([one], Severity.ERROR), ([one, one], Severity.ERROR), ([one, other], Severity.WARNING)):
        catalogue = Catalogue((f"plain:{n}", resource) for n, resource in enumerate(others))
        assert {f.severity for f in judge("plain:ci", asking, catalogue)} == {severity}
    # What the target itself has is meant.
    catalogue = Catalogue([("plain:a", other), ("plain:ci", one)])
    assert {f.severity for f in judge("plain:ci", asking, catalogue)} == {Severity.ERROR}


def test_a_listener_that_selects_everything_listens() -> None:
    listener = (
        "apiVersion: triggers.tekton.dev/v1beta1\nkind: EventListener\nmetadata: {name: l}\nspec: {labelSelector: {}}\n"
    )
    assert said(listener) == []
    assert short(listener.replace("labelSelector: {}", "triggers: []")) == [("error", "tekton-trigger", 4)]


def test_in_a_run_what_a_task_is_given_reaches_the_spec_within() -> None:
    run = (
        "apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {name: r}\nspec:\n  pipelineSpec:\n    tasks:\n"
        "      - {name: a, params: [{name: x, value: y}], taskSpec: {steps: [{image: i, script: echo $(params.x)}]}}\n"
    )
    assert said(run) == []
