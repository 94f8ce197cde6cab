"""Pipelines are held to what Tekton's webhook and controller ask of them, and to nothing else."""

from __future__ import annotations

import pytest
from objects import BUILD, pipeline, said, short

from review_bot.core.tekton import Catalogue, judge

GOOD = """
tasks:
  - name: build
    taskRef: {name: build}
    params:
      - {name: image, value: "app:$(params.tag)"}
      - {name: flags, value: ["-v", "$(params.list[*])"]}
      - {name: repo, value: {url: "https://x"}}
    workspaces: [{name: source, workspace: shared}]
  - name: test
    runAfter: [build]
    when: [{input: "$(tasks.build.results.digest)", operator: notin, values: [""]}]
    taskSpec:
      params: [{name: digest}, {name: tag}]
      steps: [{name: t, image: "x:1", script: "echo $(params.digest) $(params.tag) $(workspaces.shared.path)"}]
    params: [{name: digest, value: "$(tasks.build.results.digest)"}]
finally:
  - name: tell
    taskSpec:
      params: [{name: how}]
      steps: [{name: t, image: "x:1", args: ["$(params.how)"]}]
    params: [{name: how, value: "$(tasks.build.status) $(tasks.status) $(tasks.build.results.digest)"}]
results:
  - {name: digest, value: "$(tasks.build.results.digest)"}
"""


def test_a_pipeline_that_works_is_not_spoken_of() -> None:
    assert said(pipeline(GOOD), BUILD) == []


STEP = 'steps: [{name: t, image: "x:1", script: "true"}]'
BASE = f"""
tasks:
  - name: one
    taskSpec: {{results: [{{name: r}}], {STEP}}}
"""
# what the pipeline says → severity, rule and the line that it is said on
WRONG = {
    "a result of a task that is not there": (
        f"{BASE}  - name: two\n    taskSpec: {{params: [{{name: p}}], {STEP}}}\n"
        '    params:\n      - {name: p, value: "$(tasks.three.results.r)"}',
        [("error", "tekton-unresolved", 13)],
    ),
    "a result that its task does not have": (
        f"{BASE}  - name: two\n    taskSpec: {{params: [{{name: p}}], {STEP}}}\n"
        '    params:\n      - {name: p, value: "$(tasks.one.results.other)"}',
        [("error", "tekton-result", 13)],
    ),
    "a result that its task does not have, in a when": (
        f'{BASE}  - name: two\n    when:\n      - {{input: "$(tasks.one.results.x)", operator: in, values: [a]}}\n'
        f"    taskSpec: {{{STEP}}}",
        [("error", "tekton-result", 12)],
    ),
    "a result that its task does not have, in a matrix": (
        f"{BASE}  - name: two\n    taskSpec: {{params: [{{name: p}}], {STEP}}}\n    matrix:\n      params:\n"
        '        - {name: p, value: ["$(tasks.one.results.x)"]}',
        [("error", "tekton-result", 14)],
    ),
    "one result of a task with a matrix": (
        f"{BASE}    matrix: {{params: [{{name: p, value: [a, b]}}]}}\n"
        f"  - name: two\n    taskSpec: {{params: [{{name: p}}], {STEP}}}\n"
        '    params:\n      - {name: p, value: "$(tasks.one.results.r)"}',
        [("error", "tekton-result", 14)],
    ),
    "an order after a task that is not there": (
        f"{BASE}    runAfter:\n      - zero",
        [("error", "tekton-unresolved", 11)],
    ),
    "tasks that wait for each other": (
        f"{BASE}    runAfter: [two]\n  - name: two\n    taskSpec: {{params: [{{name: p}}], {STEP}}}\n"
        '    params: [{name: p, value: "$(tasks.one.results.r)"}]',
        [("error", "tekton-cycle", 8)],
    ),
    "a task that waits for itself": (f"{BASE}    runAfter: [one]", [("error", "tekton-cycle", 8)]),
    "two tasks of one name": (
        f"{BASE}finally:\n  - name: one\n    taskSpec: {{{STEP}}}",
        [("error", "tekton-task", 11)],
    ),
    "a task that runs nothing": ("tasks:\n  - name: one", [("error", "tekton-task", 8)]),
    "a task that runs two things": (
        f"{BASE}    taskRef: {{name: build}}",
        [("error", "tekton-task", 8)],
    ),
    "an order under finally": (
        f"{BASE}finally:\n  - name: last\n    runAfter: [one]\n    taskSpec: {{{STEP}}}",
        [("error", "tekton-finally", 12)],
    ),
    "a result of finally under finally": (
        f"{BASE}finally:\n  - name: a\n    taskSpec: {{results: [{{name: r}}], {STEP}}}\n  - name: b\n"
        f"    taskSpec: {{params: [{{name: p}}], {STEP}}}\n"
        '    params:\n      - {name: p, value: "$(tasks.a.results.r)"}',
        [("error", "tekton-finally", 16)],
    ),
    "the state of a task before finally": (
        f"{BASE}  - name: two\n    taskSpec: {{params: [{{name: p}}], {STEP}}}\n"
        '    params:\n      - {name: p, value: "$(tasks.one.status)"}',
        [("error", "tekton-finally", 13)],
    ),
    "the state of a task that is not there": (
        f"{BASE}finally:\n  - name: two\n    taskSpec: {{params: [{{name: p}}], {STEP}}}\n"
        '    params:\n      - {name: p, value: "$(tasks.none.status)"}',
        [("error", "tekton-unresolved", 14)],
    ),
    "finally without tasks": (f"finally:\n  - name: x\n    taskSpec: {{{STEP}}}", [("error", "tekton-finally", 7)]),
    "a param that is not declared": (
        f"{BASE}    params:\n      - {{name: p, value: $(params.tga)}}",
        [("error", "tekton-param", 11)],
    ),
    "a param of the embedded spec that nobody gives": (
        f"tasks:\n  - name: one\n    taskSpec: {{params: [{{name: p}}], {STEP}}}",
        [("error", "tekton-param", 8)],
    ),
    "a workspace that is not declared": (
        f"{BASE}    workspaces:\n      - {{name: x, workspace: y}}",
        # The spec within may get it by propagation, if it uses it.
        [("error", "tekton-workspace", 11), ("warning", "tekton-workspace", 11)],
    ),
    "a condition whose operator is none": (
        f"{BASE}    when:\n      - {{input: a, operator: equals, values: [a]}}",
        [("error", "tekton-task", 11)],
    ),
    "a condition without values": (
        f"{BASE}    when:\n      - {{input: a, operator: in, values: []}}",
        [("error", "tekton-task", 11)],
    ),
    "a result of the pipeline of a task that is not there": (
        f'{BASE}results:\n  - {{name: r, value: "$(tasks.none.results.r)"}}',
        [("error", "tekton-unresolved", 11)],
    ),
    "a result of the pipeline that is no result": (
        f"{BASE}results:\n  - {{name: r, value: fixed}}",
        [("error", "tekton-result", 11)],
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_tekton_would_refuse_is_an_error_on_its_line(what: str) -> None:
    text, expected = WRONG[what]
    assert short(pipeline(text)) == expected


USES = """
tasks:
  - name: build
    taskRef: {name: build}
    params:
      - {name: image, value: x}
    workspaces:
      - {name: source, workspace: shared}
"""
# what is replaced by what → what is said, with the line
MISUSES = [
    ("- {name: image, value: x}", "- {name: level, value: x}", [("error", "tekton-param", 10)]),
    ("- {name: image, value: x}", "- {name: image, value: [x]}", [("error", "tekton-param", 11)]),
    (
        "- {name: image, value: x}",
        "- {name: image, value: x}\n      - {name: flags, value: x}",
        [("error", "tekton-param", 12)],
    ),
    (
        "- {name: image, value: x}",
        '- {name: image, value: x}\n      - {name: flags, value: "$(params.list[*])"}',
        [],
    ),
    (
        "- {name: image, value: x}",
        "- {name: image, value: x}\n      - {name: repo, value: {ref: x}}",
        [],
    ),
    (
        "- {name: image, value: x}",
        "- {name: image, value: x}\n      - {name: imgae, value: x}",
        [("warning", "tekton-param", 12)],
    ),
    (
        "- {name: image, value: x}",
        "- {name: image, value: x}\n      - {name: image, value: y}",
        [("error", "tekton-param", 10)],
    ),
    ("- {name: source, workspace: shared}", "- {name: cache, workspace: shared}", [("error", "tekton-workspace", 12)]),
    ("- {name: source, workspace: shared}", "- {name: source, workspace: spare}", [("error", "tekton-workspace", 13)]),
    (
        "- {name: source, workspace: shared}",
        "- {name: source, workspace: shared}\n      - {name: extra, workspace: shared}",
        [("error", "tekton-workspace", 14)],
    ),
    (
        "    params:\n",
        "    matrix: {params: [{name: flags, value: [a, b]}]}\n    params:\n",
        [("error", "tekton-param", 11)],
    ),
    (
        "    params:\n",
        "    matrix: {params: [{name: image, value: [a, b]}]}\n    params:\n",
        [("error", "tekton-param", 12)],
    ),
    ("taskRef: {name: build}", "taskRef: {name: biuld}", [("warning", "tekton-not-seen", 9)]),
    ("taskRef: {name: build}", "taskRef: {name: build, kind: ClusterTask}", [("notice", "tekton-not-seen", 9)]),
    ("taskRef: {name: build}", "taskRef: {resolver: git}", [("notice", "tekton-not-seen", 7)]),
    (
        "taskRef: {name: build}",
        "taskRef: {apiVersion: example.dev/v1, kind: Wait, name: x}",
        [("notice", "tekton-not-seen", 7)],
    ),
    ("taskRef: {name: build}", "taskRef: {}", [("error", "tekton-task", 9)]),
]


@pytest.mark.parametrize(("old", "new", "expected"), MISUSES)
def test_a_task_is_used_as_it_asks_to_be(old: str, new: str, expected: list[tuple[str, str, int]]) -> None:
    assert old in USES
    assert short(pipeline(USES.replace(old, new)), BUILD) == expected


def test_a_key_that_a_param_of_the_pipeline_does_not_have_is_an_error() -> None:
    declared = "params: [{name: repo, type: object, properties: {url: {type: string}}}, {name: a.b}]"
    text = f"{BASE}    when: [{{input: $(params.repo.url), operator: in, values: [x]}}]"
    assert short(pipeline(text, declared)) == []
    assert short(pipeline(text.replace("repo.url", "repo.ref"), declared)) == [("error", "tekton-param", 10)]


def test_a_finding_says_object_field_cause_and_next_step() -> None:
    (finding,) = said(pipeline(USES.replace("name: image", "name: level")), BUILD)
    assert finding.message == (
        "Pipeline ci: spec.tasks[build].params: Task build needs the param image, which is not given and has no default"
    )
    assert finding.help == "give image a value here, or a default there"
    assert finding.resource is not None and finding.resource.namespace == "ci"


def test_a_name_that_is_nearly_right_is_guessed() -> None:
    (finding,) = said(pipeline(USES.replace("taskRef: {name: build}", "taskRef: {name: biuld}")), BUILD)
    assert finding.help == "did you mean build?"


def test_a_task_of_another_namespace_is_not_the_one_that_is_meant() -> None:
    elsewhere = BUILD.replace("{name: build}", "{name: build, namespace: other}", 1)
    assert short(pipeline(USES), elsewhere) == [("notice", "tekton-not-seen", 9)]


def test_a_task_that_the_change_takes_away_is_an_error() -> None:
    from objects import resources

    before = Catalogue([("plain:ci", r) for r in resources(BUILD)])
    (own,) = resources(pipeline(USES))
    (finding,) = judge("plain:ci", own, Catalogue([("plain:ci", own)], before=before))
    assert (finding.severity, finding.rule) == ("error", "tekton-unresolved")


def test_pipelines_of_v1beta1_are_held_to_the_same() -> None:
    text = pipeline(USES.replace("name: image", "name: level")).replace("tekton.dev/v1\n", "tekton.dev/v1beta1\n")
    assert short(text, BUILD.replace("tekton.dev/v1\n", "tekton.dev/v1beta1\n")) == [("error", "tekton-param", 10)]
