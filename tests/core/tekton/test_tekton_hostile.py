"""Whatever a pull request writes into Tekton's objects is judged, in time, and breaks nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from objects import pipeline, said, short

from review_bot.core.tekton import Catalogue, judge
from review_bot.core.tekton.graph import cycles

GRAPHS = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdefz"), max_size=4), max_size=6)


@given(GRAPHS)
@settings(deadline=None)
def test_a_circle_is_found_exactly_where_no_order_is_possible(waits: dict[str, list[str]]) -> None:
    left = {name: {w for w in others if w in waits} for name, others in waits.items()}
    while ready := [name for name, others in left.items() if not others & left.keys()]:
        for name in ready:
            del left[name]
    found = cycles(waits)
    assert bool(found) == bool(left)
    for circle in found:
        assert all(b in waits[a] for a, b in zip(circle, (*circle[1:], circle[0]), strict=True))


def test_thousands_of_tasks_that_wait_in_circles_are_judged_in_one_look() -> None:
    tasks = [f"  - {{name: t{i}, runAfter: [t{i + 1}, t0, x{i}], taskRef: {{name: n{i}}}}}" for i in range(3000)]
    found = said(pipeline("tasks:\n" + "\n".join(tasks)))
    assert 1 <= sum(f.rule == "tekton-cycle" for f in found) <= 20
    assert max(len(f.message) for f in found) < 1000


def test_what_is_no_name_is_no_task_to_run_after() -> None:
    task = "- name: one\n  runAfter: [{a: b}]\n  taskSpec: {steps: [{image: x}]}"
    assert short(pipeline(f"tasks:\n{task}")) == [("error", "tekton-unresolved", 9)]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "x", "$(tasks.a.results.b)", "$(params.x[*])"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "name tasks finally taskRef taskSpec params value values operator properties workspaces results "
                "steps matrix when runAfter script "
                "image args ref bindings template triggers resourcetemplates kind apiVersion spec pipelineSpec".split()
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=40,
)
KINDS = ["tekton.dev/v1 Pipeline", "tekton.dev/v1 Task", "tekton.dev/v1 PipelineRun", "tekton.dev/v1 TaskRun"]
KINDS += [f"triggers.tekton.dev/v1beta1 {k}" for k in ("Trigger", "TriggerTemplate", "EventListener", "TriggerBinding")]


@given(st.sampled_from(KINDS), JUNK)
@settings(deadline=None, max_examples=300)
def test_whatever_stands_there_is_judged_and_breaks_nothing(kind: str, spec: object) -> None:
    from review_bot.core.model import Resource, ResourceId, Source

    version, _, name = kind.partition(" ")
    one = Resource(ResourceId(version, name, None, "x"), {"spec": spec}, Source("x.yaml", 1))
    assert all(f.message and f.help and f.path == "x.yaml" for f in judge("t", one, Catalogue([("t", one)])))
