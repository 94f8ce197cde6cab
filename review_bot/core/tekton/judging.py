"""Which rules an object is held against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from review_bot.core.model import Finding, Resource
from review_bot.core.tekton.catalogue import Catalogue, is_tekton
from review_bot.core.tekton.pipeline import judge_pipeline
from review_bot.core.tekton.reading import At
from review_bot.core.tekton.report import Report
from review_bot.core.tekton.runs import judge_pipeline_run, judge_task_run
from review_bot.core.tekton.task import judge_step_action, judge_task
from review_bot.core.tekton.triggers import judge_binding, judge_listener, judge_template, judge_trigger

_JUDGES: dict[str, Callable[[Report, Any, At, Catalogue], None]] = {
    "Task": judge_task,
    "ClusterTask": judge_task,
    "StepAction": lambda report, spec, at, _: judge_step_action(report, spec, at),
    "Pipeline": judge_pipeline,
    "PipelineRun": judge_pipeline_run,
    "TaskRun": judge_task_run,
    "TriggerTemplate": judge_template,
    "TriggerBinding": judge_binding,
    "ClusterTriggerBinding": judge_binding,
    "Trigger": judge_trigger,
    "EventListener": judge_listener,
}


def judge(target: str, resource: Resource, catalogue: Catalogue) -> list[Finding]:
    """What is to be said of an object as it stands, none for what is not Tekton's."""
    found = _JUDGES.get(resource.id.kind) if is_tekton(resource.id) else None
    if found is None:
        return []
    report = Report(target, resource)
    found(report, resource.manifest.get("spec"), At(("spec",), "spec"), catalogue)
    return report.findings
