"""TriggerTemplates, TriggerBindings, Triggers and EventListeners."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from review_bot.core.lenient import mapping, text
from review_bot.core.model import Severity
from review_bot.core.tekton import binding, variables
from review_bot.core.tekton.catalogue import PIPELINES, Catalogue
from review_bot.core.tekton.declared import judge_unique
from review_bot.core.tekton.interface import interface
from review_bot.core.tekton.reading import At, items, texts
from review_bot.core.tekton.report import Report, Rule
from review_bot.core.tekton.runs import judge_pipeline_run, judge_task_run

# What Tekton Triggers installs itself.
CORE_INTERCEPTORS = frozenset(["cel", "github", "gitlab", "bitbucket", "slack"])
_RUNS: dict[str, Callable[[Report, Any, At, Catalogue], None]] = {
    "PipelineRun": judge_pipeline_run,
    "TaskRun": judge_task_run,
}


def judge_template(report: Report, spec: Any, at: At, catalogue: Catalogue) -> None:
    """A TriggerTemplate's spec: its parameters, and the runs that it makes."""
    spec = mapping(spec)
    judge_unique(report, spec.get("params"), at.key("params"), Rule.PARAM)
    declared = {text(p.get("name")) for p, _ in items(spec.get("params"), at)}
    made = list(items(spec.get("resourcetemplates"), at.key("resourcetemplates")))
    if not made:
        help = "a TriggerTemplate needs one resource that it creates"
        report.say(at, Rule.TRIGGER, "resourcetemplates is empty", help)
    for index, (resource, _) in enumerate(made):
        place = at.key("resourcetemplates").item(index)
        for field in ("apiVersion", "kind"):
            if not resource.get(field):
                report.say(place, Rule.TRIGGER, f"the resource has no {field}", "add it")
        undeclared: set[str] = set()
        for value, where in texts(resource, place):
            for variable in variables.trigger_params(value):
                if variable.name not in declared | undeclared:
                    undeclared.add(variable.name)
                    message = f"{variable.written} is not declared under spec.params"
                    report.say(where, Rule.PARAM, message, f"declare {variable.name}, or check its spelling")
        judge = _RUNS.get(text(resource.get("kind")))
        if judge and text(resource.get("apiVersion")).startswith(f"{PIPELINES}/"):
            judge(report, resource.get("spec"), place.key("spec"), catalogue)


def judge_binding(report: Report, spec: Any, at: At, catalogue: Catalogue) -> None:
    judge_unique(report, mapping(spec).get("params"), at.key("params"), Rule.PARAM)


def judge_trigger(report: Report, spec: Any, at: At, catalogue: Catalogue) -> None:
    """A Trigger's spec, or an item of an EventListener's triggers."""
    spec = mapping(spec)
    if text(spec.get("triggerRef")):
        binding.resolve(report, catalogue, "Trigger", text(spec.get("triggerRef")), at.key("triggerRef"))
        return
    given = _given(report, spec, at, catalogue)
    _interceptors(report, spec.get("interceptors"), at.key("interceptors"), catalogue)
    template = mapping(spec.get("template"))
    place = at.key("template")
    if isinstance(template.get("spec"), dict):
        judge_template(report, template["spec"], place.key("spec"), catalogue)
        asked = template["spec"]
    else:
        # Before v1beta1 the template was named by `name`.
        name = text(template.get("ref")) or text(template.get("name"))
        if not name:
            help = "name a TriggerTemplate under template.ref"
            report.say(at, Rule.TRIGGER, "nothing says what it creates", help)
            return
        found = binding.resolve(report, catalogue, "TriggerTemplate", name, place.key("ref"))
        if found is None:
            return
        asked = mapping(found.resource.manifest.get("spec"))
    for param in interface(asked).params.values():
        if given is not None and param.required and param.name not in given:
            message = f"no binding gives the param {param.name}, so $(tt.params.{param.name}) stays as it is written"
            help = "add it to a binding, or give it a default in the template"
            report.say(at.key("bindings"), Rule.PARAM, message, help, Severity.WARNING)


def judge_listener(report: Report, spec: Any, at: At, catalogue: Catalogue) -> None:
    """An EventListener's spec."""
    spec = mapping(spec)
    some = any(spec.get(key) for key in ("triggers", "triggerGroups", "namespaceSelector"))
    # An empty label selector is one: it selects all.
    if not some and spec.get("labelSelector") is None:
        report.say(at, Rule.TRIGGER, "it listens for nothing", "add triggers, triggerGroups or a selector")
    for trigger, place in items(spec.get("triggers"), at.key("triggers")):
        judge_trigger(report, trigger, place, catalogue)
    for group, place in items(spec.get("triggerGroups"), at.key("triggerGroups")):
        _interceptors(report, group.get("interceptors"), place.key("interceptors"), catalogue)


def _given(report: Report, spec: Mapping[str, Any], at: At, catalogue: Catalogue) -> set[str] | None:
    """The parameters that the bindings give, None if one of them is not seen."""
    given: set[str] = set()
    whole = True
    for one, place in items(spec.get("bindings"), at.key("bindings")):
        if one.get("value") is not None:
            given.add(text(one.get("name")))
            continue
        name = text(one.get("ref")) or text(one.get("name"))
        kind = text(one.get("kind")) or "TriggerBinding"
        held = one.get("spec")
        if not isinstance(held, dict):
            found = binding.resolve(report, catalogue, kind, name, place.key("ref"))
            held = found.resource.manifest.get("spec") if found else None
            whole = whole and found is not None
        given |= {text(p.get("name")) for p, _ in items(mapping(held).get("params"), At())}
    return given if whole else None


def _interceptors(report: Report, value: Any, at: At, catalogue: Catalogue) -> None:
    for one, place in items(value, at):
        ref = mapping(one.get("ref"))
        name, kind = text(ref.get("name")), text(ref.get("kind")) or "ClusterInterceptor"
        if kind == "NamespacedInterceptor":
            kind = "Interceptor"
        if name and not (kind == "ClusterInterceptor" and name in CORE_INTERCEPTORS):
            binding.resolve(report, catalogue, kind, name, place.key("ref"))
