"""PipelineRuns and TaskRuns: what they refer to or hold, and what they give to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from review_bot.core.lenient import mapping, text
from review_bot.core.model import Severity
from review_bot.core.tekton import binding, declared
from review_bot.core.tekton.catalogue import PIPELINES, Catalogue
from review_bot.core.tekton.interface import Interface, interface
from review_bot.core.tekton.pipeline import judge_pipeline
from review_bot.core.tekton.reading import At, items, listed
from review_bot.core.tekton.report import Report, Rule
from review_bot.core.tekton.task import Around, judge_task


def judge_pipeline_run(report: Report, spec: Any, at: At, catalogue: Catalogue) -> None:
    _judge(report, mapping(spec), at, catalogue, "pipeline")


def judge_task_run(report: Report, spec: Any, at: At, catalogue: Catalogue) -> None:
    _judge(report, mapping(spec), at, catalogue, "task")


def _judge(report: Report, spec: Mapping[str, Any], at: At, catalogue: Catalogue, kind: str) -> None:
    ref, held = f"{kind}Ref", f"{kind}Spec"
    if (spec.get(ref) is None) == (spec.get(held) is None):
        message = f"{ref} and {held} exclude each other" if spec.get(ref) else f"there is neither {ref} nor {held}"
        report.say(at, Rule.TASK, message, "a run has one of them")
        return
    declared.judge_bindings(report, spec.get("workspaces"), at.key("workspaces"))
    if spec.get(held) is not None:
        names = _names(spec.get("params")) | (_propagated(spec[held]) if kind == "pipeline" else frozenset())
        around = Around(names, _names(spec.get("workspaces")), run=True)
        judge = judge_pipeline if kind == "pipeline" else judge_task
        judge(report, spec[held], at.key(held), catalogue, around)
        _given(report, spec, at, interface(spec[held]), f"the {held}")
        _settings(report, spec, at, spec[held])
        return
    used = mapping(spec[ref])
    group = text(used.get("apiVersion")).partition("/")[0]
    brought = binding.from_git(report, catalogue, kind.capitalize(), used, at.key(ref))
    if brought is None and (used.get("resolver") or used.get("bundle") or group not in ("", PIPELINES)):
        binding.elsewhere(report, used, at.key(ref), "what it runs")
        return
    wanted = text(used.get("kind")) or kind.capitalize()
    name = text(used.get("name")) or (brought.resource.id.name if brought else "")
    if not name:
        report.say(at.key(ref), Rule.TASK, f"{ref} names nothing", "add name, or a resolver")
        return
    found = brought or binding.resolve(report, catalogue, wanted, name, at.key(ref).key("name"))
    if found is not None:
        asked = interface(found.resource.manifest.get("spec"))
        # A run may bind more than its Pipeline declares; a Task is refused them.
        extra = Severity.ERROR if kind == "task" else None
        _given(report, spec, at, asked, f"{wanted} {name}", sure=found.sure, unknown=True, extra=extra)
        _settings(report, spec, at, found.resource.manifest.get("spec"), sure=found.sure)


def _given(
    report: Report,
    spec: Mapping[str, Any],
    at: At,
    asked: Interface,
    what: str,
    *,
    sure: bool = True,
    unknown: bool = False,
    extra: Severity | None = None,
) -> None:
    """`unknown`: are parameters too many spoken of; `extra`: how heavy are workspaces too many.

    What a run holds may use them without declaring them.
    """
    binding.params(report, spec.get("params"), at.key("params"), asked, what, sure=sure, unknown=unknown)
    bound = spec.get("workspaces")
    binding.workspaces(report, bound, at.key("workspaces"), asked, what, sure=sure, unknown=extra)


def _settings(report: Report, spec: Mapping[str, Any], at: At, pipeline: Any, *, sure: bool = True) -> None:
    """What a PipelineRun sets for single tasks of its Pipeline."""
    names = _names(mapping(pipeline).get("tasks")) | _names(mapping(pipeline).get("finally"))
    known = listed(names)
    for index, (one, _) in enumerate(items(spec.get("taskRunSpecs"), at)):
        name = text(one.get("pipelineTaskName"))
        if name not in names:
            place = at.key("taskRunSpecs").item(index)
            message = f"the pipeline has no task {name or 'without a name'}, for which something is set here"
            severity = Severity.ERROR if sure else Severity.WARNING
            report.say(place, Rule.UNRESOLVED, message, f"its tasks are: {known}", severity)


def _propagated(pipeline: Any) -> frozenset[str]:
    """The params that any task of an embedded pipeline gets or declares: the webhook takes them for known in all."""
    found: frozenset[str] = frozenset()
    for task, _ in items(mapping(pipeline).get("tasks"), At()):
        found |= _names(task.get("params")) | _names(mapping(task.get("taskSpec")).get("params"))
    return found


def _names(value: Any) -> frozenset[str]:
    return frozenset(text(item.get("name")) for item, _ in items(value, At()))
