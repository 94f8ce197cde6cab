"""What Tekton takes does not block, however odd it looks."""

from __future__ import annotations

import pytest
from objects import BUILD, pipeline, said

from review_bot.core.model import Severity

STEP = 'steps: [{name: t, image: "x:1", script: "true"}]'
# Tekton's own validation (v1.6.0) takes each of these: the task two.
TAKEN = {
    "a combination named after what the matrix gives": (
        "{name: two, taskRef: {name: build}, params: [{name: image, value: x}], workspaces: [{name: source, workspace: "
        'shared}], matrix: {params: [{name: level, value: [a, b]}], include: [{name: "at $(params.level)", params: '
        "[{name: level, value: c}]}]}}"
    ),
    "CEL with a variable that stays as it is written": (
        "{name: two, taskSpec: {STEP}, when: [{cel: \"'$(params.tga)' == 'x'\"}]}"
    ),
    "one result of a matrix in a when": (
        '{name: two, taskSpec: {STEP}, when: [{input: "$(tasks.one.results.r)", operator: in, values: [a]}]}'
    ),
    "an optional workspace given without a name of the pipeline's": (
        "{name: two, taskSpec: {workspaces: [{name: spare}], STEP}, workspaces: [{name: spare}]}"
    ),
    "an optional workspace that the task does not have": (
        "{name: two, taskRef: {name: build}, params: [{name: image, value: x}], "
        "workspaces: [{name: source, workspace: shared}, {name: more, workspace: spare}]}"
    ),
    "a workspace of the spec within that whoever runs it may bind": (
        "{name: two, taskSpec: {workspaces: [{name: source}], STEP}}"
    ),
}


@pytest.mark.parametrize("what", TAKEN)
def test_what_tekton_takes_does_not_block(what: str) -> None:
    first = (
        "{name: one, matrix: {params: [{name: p, value: [a]}]}, "
        f"taskSpec: {{params: [{{name: p}}], results: [{{name: r}}], {STEP}}}}}"
    )
    text = pipeline(f"tasks:\n  - {first}\n  - {TAKEN[what].replace('STEP', STEP)}")
    assert [f for f in said(text, BUILD) if f.severity is Severity.ERROR] == []
