"""Tasks: their steps and sidecars, and the variables in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.core.lenient import mapping, text
from review_bot.core.model import Severity
from review_bot.core.tekton import binding, declared, variables
from review_bot.core.tekton.catalogue import Catalogue
from review_bot.core.tekton.interface import Interface, from_elsewhere, interface
from review_bot.core.tekton.param_uses import Known, Slot, judge_uses
from review_bot.core.tekton.reading import At, items, texts
from review_bot.core.tekton.report import Report, Rule

# The fields of a step in which the webhook looks for variables: as a text, and where a list may be an item.
_TEXTS = ("name", "image", "workingDir", "script", "onError")
_LISTS = ("command", "args")
_NOT_WITH_REF = ("image", "command", "args", "script", "workingDir", "env", "volumeMounts", "results")
_CONTEXTS = ("context.taskRun", "context.task")


@dataclass(frozen=True)
class Around:
    """What a Task may use without declaring it, from what it stands in; `strict`: the webhook refuses all else.

    `given` are params that reach it when it runs, though the webhook does not see it. `run`: it stands in a run, which
    binds what it wants.
    """

    params: frozenset[str] = frozenset()
    workspaces: frozenset[str] = frozenset()
    strict: bool = True
    given: frozenset[str] = frozenset()
    run: bool = False


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
    declared.judge_params(report, spec.get("params"), at.key("params"), whole=around.strict)
    declared.judge_results(report, spec.get("results"), at.key("results"))
    _unique(report, spec, at)
    template = mapping(spec.get("stepTemplate"))
    names: set[str] = set()
    for step, place in steps:
        _step(report, step, place, template, catalogue)
        name = text(step.get("name"))
        if name and name in names:
            report.say(place, Rule.STEP, f"two steps are named {name}", "give one of them another name")
        names.add(name)
    for sidecar, place in items(spec.get("sidecars"), at.key("sidecars")):
        _runs(report, sidecar, place, {})
    _variables(report, spec, at, around)
    _results(report, spec, at)
    _used_workspaces(report, spec, at)


def judge_step_action(report: Report, spec: Any, at: At) -> None:
    """A StepAction: a step by itself. Its script can't be given parameters but by its environment."""
    spec = mapping(spec)
    for variable in variables.params(text(spec.get("script"))):
        message = f"{variable.written} is not replaced in the script of a StepAction, and refused"
        report.say(at.key("script"), Rule.PARAM, message, "give it to the script by env")
    declared.judge_params(report, spec.get("params"), at.key("params"), whole=True)
    declared.judge_results(report, spec.get("results"), at.key("results"))
    _runs(report, spec, at, {})
    own = {text(r.get("name")) for r, _ in items(spec.get("results"), at)}
    _written(report, spec, at, frozenset(), own)
    known = Known(interface(spec).params)
    for value, place, slot in _slots(spec, at):
        if place.path[-1] != "script":
            judge_uses(report, value, place, known, slot)


def _unique(report: Report, spec: Mapping[str, Any], at: At) -> None:
    for field, rule in (("workspaces", Rule.WORKSPACE), ("volumes", Rule.STEP)):
        declared.judge_unique(report, spec.get(field), at.key(field), rule)


def _step(report: Report, step: Mapping[str, Any], at: At, template: Mapping[str, Any], catalogue: Catalogue) -> None:
    name, ref = text(step.get("name")), step.get("ref")
    if name and not declared.is_label(name):
        help = "write small letters, digits and hyphens, at most 63"
        report.say(at, Rule.STEP, f"{name} can't be the name of a step", help)
    declared.judge_on_error(report, step.get("onError"), at.key("onError"))
    declared.judge_when(report, step.get("when"), at.key("when"))
    declared.judge_results(report, step.get("results"), at.key("results"))
    if isinstance(ref, dict):
        _action(report, step, ref, at, catalogue)
        return
    if step.get("params"):
        help = "name a StepAction under ref, or declare them under the Task's params"
        report.say(at.key("params"), Rule.STEP, "params of a step are for a StepAction, and there is no ref", help)
    _runs(report, step, at, template)
    for field in ("name", "image", "script", "workingDir"):
        for variable in variables.step_results(text(step.get(field))):
            message = f"{variable.written} can stand in env, command and args only"
            report.say(at.key(field), Rule.RESULT, message, "give it to the script by env")


def _action(report: Report, step: Mapping[str, Any], ref: Mapping[str, Any], at: At, catalogue: Catalogue) -> None:
    for field in _NOT_WITH_REF:
        if step.get(field):
            report.say(at.key(field), Rule.STEP, f"{field} can't stand beside ref", "the StepAction brings its own")
    if ref.get("resolver"):
        binding.elsewhere(report, ref, at.key("ref"), "the StepAction")
        return
    name = text(ref.get("name"))
    found = binding.resolve(report, catalogue, "StepAction", name, at.key("ref"))
    if found is not None:
        asked = interface(found.resource.manifest.get("spec"))
        what = f"StepAction {name}"
        binding.params(report, step.get("params"), at.key("params"), asked, what, sure=found.sure)


def _runs(report: Report, container: Mapping[str, Any], at: At, template: Mapping[str, Any]) -> None:
    """A step or sidecar has an image, and runs one thing."""
    if not container.get("image") and not template.get("image"):
        help = "name one here or in stepTemplate" if at.path[-2:-1] == ("steps",) else "name one"
        report.say(at, Rule.STEP, "there is no image", help)
    if container.get("script") and (container.get("command") or template.get("command")):
        report.say(at.key("script"), Rule.STEP, "a script and a command exclude each other", "remove one of them")


def _variables(report: Report, spec: Mapping[str, Any], at: At, around: Around) -> None:
    asked = interface(spec)
    known = Known(asked.params, around.params, around.given, around.strict)
    for step, place in items(spec.get("steps"), at.key("steps")):
        for value, where, slot in _slots(step, place):
            judge_uses(report, value, where, known, slot)
            _workspaces(report, value, where, asked, around)
            if slot is not Slot.LOOSE:
                declared.judge_contexts(report, value, where, _CONTEXTS, Severity.ERROR)
    template = mapping(spec.get("stepTemplate"))
    for value, where, slot in _slots(template, at.key("stepTemplate")):
        # Steps inherit it, and are looked at as they are then, where they have no such field of their own.
        field = str(where.path[len(at.path) + 1])
        taken = field in ("env", "volumeMounts") or any(not s.get(field) for s, _ in items(spec.get("steps"), at))
        judge_uses(report, value, where, known, slot if taken else Slot.LOOSE)
    for part in ("sidecars", "volumes"):
        for value, where in texts(spec.get(part), at.key(part)):
            judge_uses(report, value, where, known, Slot.LOOSE)
            _workspaces(report, value, where, asked, around)


def _slots(step: Mapping[str, Any], at: At) -> Iterator[tuple[str, At, Slot]]:
    """Each text of a step with what may stand there."""
    for field, value in step.items():
        for found, where in texts(value, at.key(field)):
            if field in _TEXTS or (field in ("env", "volumeMounts") and _looked_at(field, where)):
                yield found, where, Slot.TEXT
            else:
                yield found, where, Slot.LIST if field in _LISTS else Slot.LOOSE


def _looked_at(field: str, where: At) -> bool:
    return where.path[-1] in (("value",) if field == "env" else ("name", "mountPath", "subPath"))


def _results(report: Report, spec: Mapping[str, Any], at: At) -> None:
    """Results that scripts write."""
    names = interface(spec).results
    for step, place in items(spec.get("steps"), at.key("steps")):
        own = {text(r.get("name")) for r, _ in items(step.get("results"), place)}
        _written(report, step, place, frozenset(names), own)


def _written(report: Report, step: Mapping[str, Any], at: At, names: frozenset[str], own: set[str]) -> None:
    for variable in variables.own_results(text(step.get("script"))):
        there = own if variable.section else names | own
        # A name and a key, of which `path` is one.
        if variable.dotted and variable.written.count(".") - bool(variable.section) > 2:
            message = f"{variable.written} has more parts than a name, which Tekton refuses"
            help = f"write $(results['{variable.name}'].path)"
            report.say(at.key("script"), Rule.RESULT, message, help)
        elif variable.among(there) is None:
            whose = "step" if variable.section else "Task"
            # What stands in brackets Tekton does not look at, and leaves as it is.
            severity = Severity.ERROR if variable.dotted and (own or not variable.section) else Severity.WARNING
            message = f"{variable.written} writes a result that the {whose} does not declare"
            report.say(at.key("script"), Rule.RESULT, message, f"declare {variable.name} under results", severity)


def _used_workspaces(report: Report, spec: Mapping[str, Any], at: At) -> None:
    """Workspaces that only some steps and sidecars get."""
    names = interface(spec).workspaces
    for part in ("steps", "sidecars"):
        for one, place in items(spec.get(part), at.key(part)):
            for workspace, where in items(one.get("workspaces"), place.key("workspaces")):
                if text(workspace.get("name")) not in names:
                    message = f"the Task declares no workspace {text(workspace.get('name'))}"
                    report.say(where, Rule.WORKSPACE, message, "declare it under workspaces")


def _workspaces(report: Report, value: str, at: At, asked: Interface, around: Around) -> None:
    for variable in variables.workspaces(value):
        if variable.name not in asked.workspaces and variable.name not in around.workspaces:
            message = f"{variable.written} names a workspace that is not declared, so it stays as it is written"
            report.say(at, Rule.WORKSPACE, message, "declare it under workspaces", Severity.WARNING)
