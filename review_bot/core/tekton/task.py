"""Tasks: their steps, and the variables in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.core.lenient import mapping, text
from review_bot.core.model import Severity
from review_bot.core.tekton import binding, variables
from review_bot.core.tekton.catalogue import Catalogue
from review_bot.core.tekton.interface import Interface, from_elsewhere, interface
from review_bot.core.tekton.reading import At, items, texts
from review_bot.core.tekton.report import Report, Rule

# The fields of a step in which the webhook looks for variables, and those where a list must stand by itself.
_CHECKED = frozenset(["name", "image", "workingDir", "script", "command", "args", "env", "volumeMounts", "onError"])
_LISTS = frozenset(["command", "args"])
_NOT_WITH_REF = ("image", "command", "args", "script", "workingDir", "env", "volumeMounts", "results")


@dataclass(frozen=True)
class Around:
    """What a Task may use without declaring it, from what it stands in; `strict`: the webhook refuses all else."""

    params: frozenset[str] = frozenset()
    workspaces: frozenset[str] = frozenset()
    strict: bool = True


NOTHING = Around()


def judge_task(report: Report, spec: Any, at: At, catalogue: Catalogue, around: Around = NOTHING) -> None:
    """A Task's spec, its own or one within a Pipeline or run."""
    spec = mapping(spec)
    if from_elsewhere(spec):
        message = "steps that are put in by Lighthouse (`uses:`) are not seen, so the Task is not checked"
        report.say(at.key("steps"), Rule.NOT_SEEN, message, "its pipeline catalogue has them", Severity.NOTICE)
        return
    steps = list(items(spec.get("steps"), at.key("steps")))
    if not steps:
        report.say(at, Rule.STEP, "there are no steps", "a Task needs one step at least")
    _unique(report, spec, at)
    template = mapping(spec.get("stepTemplate"))
    names: set[str] = set()
    for step, place in steps:
        _step(report, step, place, template, catalogue)
        name = text(step.get("name"))
        if name and name in names:
            report.say(place, Rule.STEP, f"two steps are named {name}", "give one of them another name")
        names.add(name)
    _variables(report, spec, at, around)


def judge_step_action(report: Report, spec: Any, at: At) -> None:
    """A StepAction: a step by itself. Its script can't be given parameters but by its environment."""
    spec = mapping(spec)
    for variable in variables.params(text(spec.get("script"))):
        message = f"{variable.written} is not replaced in the script of a StepAction, and refused"
        report.say(at.key("script"), Rule.PARAM, message, "give it to the script by env")
    declared = interface(spec)
    for name in _CHECKED - {"script"}:
        for value, place in texts(spec.get(name), at.key(name)):
            _params(report, value, place, declared, NOTHING, name)


def _unique(report: Report, spec: Mapping[str, Any], at: At) -> None:
    for field, rule in (("params", Rule.PARAM), ("workspaces", Rule.WORKSPACE), ("volumes", Rule.STEP)):
        names: set[str] = set()
        for item, place in items(spec.get(field), at.key(field)):
            name = text(item.get("name"))
            if name in names:
                report.say(place, rule, f"{name} is declared twice", "keep one of them")
            names.add(name)


def _step(report: Report, step: Mapping[str, Any], at: At, template: Mapping[str, Any], catalogue: Catalogue) -> None:
    ref = step.get("ref")
    if isinstance(ref, dict):
        for field in _NOT_WITH_REF:
            if step.get(field):
                report.say(at.key(field), Rule.STEP, f"{field} can't stand beside ref", "the StepAction brings its own")
        if not ref.get("resolver"):
            name = text(ref.get("name"))
            found = binding.resolve(report, catalogue, "StepAction", name, at.key("ref"))
            if found is not None:
                asked = interface(found.resource.manifest.get("spec"))
                what = f"StepAction {name}"
                binding.params(report, step.get("params"), at.key("params"), asked, what, sure=found.sure)
        return
    if not step.get("image") and not template.get("image"):
        report.say(at, Rule.STEP, "the step has no image", "name one here or in stepTemplate")
    if step.get("script") and (step.get("command") or template.get("command")):
        report.say(at.key("script"), Rule.STEP, "a step has either a script or a command", "remove one of them")


def _variables(report: Report, spec: Mapping[str, Any], at: At, around: Around) -> None:
    declared = interface(spec)
    for field, value, place, checked in _texts(spec, at):
        _params(report, value, place, declared, around, field if checked else "")
        _workspaces(report, value, place, declared, around)
    for step, place in items(spec.get("steps"), at.key("steps")):
        own = {text(r.get("name")) for r, _ in items(step.get("results"), place)}
        for variable in variables.own_results(text(step.get("script"))):
            if variable.among(declared.results.keys() | own) is None:
                message = f"{variable.written} writes a result that the Task does not declare"
                report.say(place.key("script"), Rule.RESULT, message, f"declare {variable.name} under results")
        for workspace, where in items(step.get("workspaces"), place.key("workspaces")):
            name = text(workspace.get("name"))
            if name not in declared.workspaces:
                message = f"the Task declares no workspace {name}"
                report.say(where, Rule.WORKSPACE, message, "declare it under workspaces")


def _texts(spec: Mapping[str, Any], at: At) -> Iterator[tuple[str, str, At, bool]]:
    """Each text with its step's field, and whether the webhook looks into it."""
    for step, place in items(spec.get("steps"), at.key("steps")):
        for field, value in step.items():
            for found, where in texts(value, place.key(field)):
                # Of the environment, the webhook looks at `value` alone.
                checked = field in _CHECKED and (field != "env" or "valueFrom" not in where.path[len(place.path) :])
                yield field, found, where, checked
    for part in ("stepTemplate", "sidecars", "volumes"):
        for found, where in texts(spec.get(part), at.key(part)):
            yield part, found, where, False


def _params(report: Report, value: str, at: At, declared: Interface, around: Around, field: str) -> None:
    """`field` is the step's, "" where the webhook does not look."""
    for variable in variables.params(value):
        if field:
            binding.key(report, at, variable, declared, around.strict)
        name = variable.among(declared.params)
        if name is None:
            if variable.among(around.params) is None:
                strict = around.strict and bool(field)
                message = f"{variable.written} names a param that is not declared"
                help = f"declare {variable.name} under params, or check its spelling"
                report.say(at, Rule.PARAM, message, help, Severity.ERROR if strict else Severity.WARNING)
        elif declared.params[name].type == "array" and field and variable.index in ("", "[*]"):
            _list(report, value, at, variable, field)
        elif declared.params[name].type == "object" and field and name == variable.name:
            message = f"{variable.written} is a whole mapping, of which only a key can stand here"
            report.say(at, Rule.PARAM, message, f"write $(params.{name}.KEY)")


def _list(report: Report, value: str, at: At, variable: variables.Variable, field: str) -> None:
    if field not in _LISTS:
        message = f"{variable.written} is a list, which can only stand in command and args"
        report.say(at, Rule.PARAM, message, f"take one item by $(params.{variable.name}[0]), or put it into args")
    elif value != variable.written:
        message = f"{variable.written} is a list and must stand by itself"
        report.say(at, Rule.PARAM, message, "make it an item of its own, without other text")


def _workspaces(report: Report, value: str, at: At, declared: Interface, around: Around) -> None:
    for variable in variables.workspaces(value):
        if variable.name not in declared.workspaces and variable.name not in around.workspaces:
            message = f"{variable.written} names a workspace that is not declared, so it stays as it is written"
            report.say(at, Rule.WORKSPACE, message, "declare it under workspaces", Severity.WARNING)
