"""Pipelines: the tasks, what they are given, and what they take from each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from review_bot.core.lenient import mapping, text
from review_bot.core.model import Severity
from review_bot.core.tekton import binding, declared, variables
from review_bot.core.tekton.catalogue import PIPELINES, Catalogue
from review_bot.core.tekton.graph import cycles
from review_bot.core.tekton.interface import Interface, interface, without
from review_bot.core.tekton.param_uses import Known, judge_uses
from review_bot.core.tekton.pipeline_task import PipelineTask, slot_of
from review_bot.core.tekton.reading import MOST_NAMES, At, items, listed, texts
from review_bot.core.tekton.report import Report, Rule
from review_bot.core.tekton.task import NOTHING, Around, judge_task

# Where the webhook looks for variables in a task of a pipeline; results in them make one task wait for another too.
_CHECKED = ("params", "matrix", "when", "steps", "sidecars")
_STATES = ("params", "when")
_CONTEXTS = ("context.pipelineRun", "context.pipeline", "context.pipelineTask")


def judge_pipeline(report: Report, spec: Any, at: At, catalogue: Catalogue, around: Around = NOTHING) -> None:
    """A Pipeline's spec, its own or one within a run (then `around` has what the run gives)."""
    spec = mapping(spec)
    _Judge(report, spec, at, catalogue, around).run()


class _Judge:
    def __init__(self, report: Report, spec: Mapping[str, Any], at: At, catalogue: Catalogue, around: Around) -> None:
        self._report = report
        self._spec = spec
        self._at = at
        self._catalogue = catalogue
        self._around = around
        self._own = interface(spec)
        # What reaches a spec within: that of the pipeline and of the run around it. Tekton before 0.60 asks it to be
        # declared there too.
        params = self._own.params.keys() | around.params
        spaces = frozenset(self._own.workspaces.keys() | around.workspaces)
        self._within = Around(frozenset(params), spaces, run=around.run)
        self._optional = {name for name, required in self._own.workspaces.items() if not required}
        self._tasks: dict[str, PipelineTask] = {}
        self._unseen: list[str] = []
        # The names of the tasks that run in order; those under finally are not among them.
        self._ordered: set[str] = set()

    def run(self) -> None:
        declared.judge_params(self._report, self._spec.get("params"), self._at.key("params"), whole=False)
        spaces = self._at.key("workspaces")
        declared.judge_unique(self._report, self._spec.get("workspaces"), spaces, Rule.WORKSPACE)
        for section in ("tasks", "finally"):
            for raw, place in items(self._spec.get(section), self._at.key(section)):
                self._enter(raw, place, section == "finally")
        self._say_unseen()
        self._known = listed(self._ordered)
        self._spaces = listed(self._within.workspaces)
        if self._spec.get("finally") and not self._spec.get("tasks"):
            self._report.say(self._at.key("finally"), Rule.FINALLY, "there are no tasks before it", "add tasks")
        for task in self._tasks.values():
            self._form(task)
            self._order(task)
            self._taken(task)
            self._given(task)
        self._cycles()
        self._results()

    def _say_unseen(self) -> None:
        if not self._unseen:
            return
        message = f"what {listed(self._unseen)} runs is brought by a resolver or a custom task, so it is not checked"
        help = "see that it takes the params and workspaces that it gets, and has the results that are used"
        self._report.say(self._at.key("tasks"), Rule.NOT_SEEN, message, help, Severity.NOTICE)

    def _enter(self, raw: Mapping[str, Any], at: At, final: bool) -> None:
        name = text(raw.get("name"))
        if name in self._tasks:
            help = "give one of them another name"
            self._report.say(at, Rule.TASK, f"two tasks are named {name or 'nothing'}", help)
            return
        task = PipelineTask(name, raw, at, final)
        found, sure = self._used(task)
        self._tasks[name] = replace(task, interface=found, sure=sure)
        if not final:
            self._ordered.add(name)

    def _used(self, task: PipelineTask) -> tuple[Interface | None, bool]:
        """What the task runs, None where that can't be seen; whether that is sure."""
        raw, at = task.raw, task.at
        ways = [key for key in ("taskRef", "taskSpec", "pipelineRef", "pipelineSpec") if raw.get(key) is not None]
        if len(ways) != 1:
            message = f"{' and '.join(ways)} exclude each other" if ways else "nothing says what it runs"
            self._report.say(at, Rule.TASK, message, "a task has either taskRef or taskSpec")
            return None, False
        way, value = ways[0], mapping(raw.get(ways[0]))
        if way == "taskSpec":
            return self._embedded(task, value)
        brought = (
            binding.from_git(self._report, self._catalogue, "Task", value, at.key(way)) if way == "taskRef" else None
        )
        if brought is not None:
            return interface(brought.resource.manifest.get("spec")), brought.sure
        if way != "taskRef" or _elsewhere(value):
            # Pipelines in pipelines are Tekton's to judge: their form is not settled.
            self._unseen.append(text(raw.get("name")))
            return None, False
        kind = text(value.get("kind")) or "Task"
        name = text(value.get("name"))
        if not name:
            self._report.say(at.key("taskRef"), Rule.TASK, "taskRef names nothing", "add name, or a resolver")
            return None, False
        found = binding.resolve(self._report, self._catalogue, kind, name, at.key("taskRef").key("name"))
        return (interface(found.resource.manifest.get("spec")), found.sure) if found else (None, False)

    def _embedded(self, task: PipelineTask, spec: Mapping[str, Any]) -> tuple[Interface | None, bool]:
        if spec.get("apiVersion") or (text(spec.get("kind")) not in ("", "Task") and not spec.get("steps")):
            self._unseen.append(task.name)
            return None, False
        around = replace(self._within, given=task.given, strict=self._strict(task))
        judge_task(self._report, spec, task.at.key("taskSpec"), self._catalogue, around)
        return interface(spec), True

    def _strict(self, task: PipelineTask) -> bool:
        """Does the webhook know all params that the task can use? Of a run's final tasks it looks at none."""
        return not (self._around.run and task.final)

    def _form(self, task: PipelineTask) -> None:
        """What the webhook asks of a task by itself."""
        raw, at = task.raw, task.at
        if not declared.is_label(task.name):
            help = "write small letters, digits and hyphens, at most 63"
            self._report.say(at, Rule.TASK, f"{task.name or 'a task without a name'} can't be the name of a task", help)
        declared.judge_on_error(self._report, raw.get("onError"), at.key("onError"))
        retries = raw.get("retries")
        if raw.get("onError") == "continue" and isinstance(retries, int) and retries > 0:
            help = "take one of them away"
            self._report.say(at.key("onError"), Rule.TASK, "onError: continue and retries exclude each other", help)
        declared.judge_when(self._report, raw.get("when"), at.key("when"))
        declared.judge_matrix(self._report, raw.get("matrix"), at.key("matrix"))

    def _order(self, task: PipelineTask) -> None:
        after = task.raw.get("runAfter")
        for index, name in enumerate(after if isinstance(after, list) else ()):
            place = task.at.key("runAfter").item(index)
            if task.final:
                message = f"a task under finally can't run after {name}"
                self._report.say(place, Rule.FINALLY, message, "remove runAfter: all of finally begins at once")
                return
            if not isinstance(name, str) or name not in self._ordered:
                self._missing(place, Rule.UNRESOLVED, f"runs after the task {name}, which the pipeline does not have")

    def _missing(self, at: At, rule: Rule, message: str, severity: Severity = Severity.ERROR) -> None:
        self._report.say(at, rule, message, f"its tasks are: {self._known}", severity)

    def _taken(self, task: PipelineTask) -> None:
        """What the task takes from others, and from the pipeline."""
        whose = "the pipeline does"
        around = self._around.params
        known = Known(self._own.params, around, task.given, self._strict(task), whose)
        for value, place, field in task.texts():
            if field in _STATES and not {"value", "input", "values"} & set(place.path):
                continue
            for variable in variables.statuses(value):
                self._state(variable, place, task, Severity.ERROR if field in _STATES else Severity.WARNING)
            judge_uses(self._report, value, place, known, slot_of(task, field, value, place, self._own))
            if field in _CHECKED:
                # The webhook looks at the last task only; the others run with what stands there.
                declared.judge_contexts(self._report, value, place, _CONTEXTS, Severity.WARNING)
        for variable, place, field in task.results_used():
            self._result(variable, place, task, field)

    def _state(self, variable: variables.Variable, at: At, task: PipelineTask, severity: Severity) -> None:
        if not task.final:
            message = f"{variable.written} is known only under finally"
            self._report.say(at, Rule.FINALLY, message, "move the task under finally, or use a result", severity)
        elif variable.name and variable.name not in self._ordered:
            message = f"{variable.written} names a task that the pipeline does not have"
            self._missing(at, Rule.UNRESOLVED, message, severity)

    def _result(self, variable: variables.Variable, at: At, task: PipelineTask, field: str) -> None:
        severity = Severity.ERROR if field in _CHECKED else Severity.WARNING
        giver = self._tasks.get(variable.task)
        if giver is None:
            message = f"{variable.written} names a task that the pipeline does not have"
            self._missing(at, Rule.UNRESOLVED, message, severity)
        elif giver.final and task.final:
            message = f"{variable.written} is a result of finally, whose tasks run at the same time"
            self._report.say(at, Rule.FINALLY, message, "take it from a task under tasks", severity)
        elif giver.final:
            message = f"{variable.written} is a result of finally, which runs after all tasks"
            self._report.say(at, Rule.FINALLY, message, "take it from a task under tasks", severity)
        else:
            self._declared(variable, at, giver, severity)
            if giver.matrixed and variable.index != "[*]":
                message = f"{variable.written}: the task {giver.name} has a matrix, so it has a list of results"
                # Tekton looks at params alone.
                light = severity if field == "params" else Severity.WARNING
                self._report.say(at, Rule.RESULT, message, "take all of them by [*]", light)

    def _declared(self, variable: variables.Variable, at: At, giver: PipelineTask, severity: Severity) -> None:
        """Has the task, where it is seen, a result of that name?"""
        if giver.interface is None or not giver.interface.whole or variable.among(giver.interface.results):
            return
        message = f"{variable.written} names a result that the task {giver.name} does not have"
        self._report.say(
            at, Rule.RESULT, message, f"it has: {giver.results}", severity if giver.sure else Severity.WARNING
        )

    def _given(self, task: PipelineTask) -> None:
        """What the task is given, against what it asks for."""
        raw, at, around = task.raw, task.at, self._within
        for workspace, place in items(raw.get("workspaces"), at.key("workspaces")):
            name = text(workspace.get("workspace")) or text(workspace.get("name"))
            if name not in around.workspaces:
                message = f"the pipeline declares no workspace {name}"
                help = f"declare it under workspaces; it has: {self._spaces}"
                severity = Severity.WARNING if around.run else Severity.ERROR
                self._report.say(place, Rule.WORKSPACE, message, help, severity)
            elif (
                name in self._optional and task.interface and task.interface.workspaces.get(text(workspace.get("name")))
            ):
                message = f"the workspace {name} is optional in the pipeline, and this task needs it"
                # Tekton looks only where the pipeline's workspace is named.
                named = task.sure and text(workspace.get("workspace"))
                severity = Severity.ERROR if named else Severity.WARNING
                self._report.say(place, Rule.WORKSPACE, message, "make both optional, or neither", severity)
        if task.interface is None:
            return
        embedded = raw.get("taskSpec") is not None
        named = text(mapping(raw.get("taskRef")).get("name"))
        what = "the taskSpec" if embedded else f"Task {named}" if named else f"the Task of {task.name}"
        # Within an embedded spec, parameters and workspaces of the run and of the pipeline are there by themselves.
        asked = without(task.interface, around.params) if embedded else task.interface
        inherited = around.workspaces if embedded else frozenset()
        matrix, place, extra = raw.get("matrix"), at.key("params"), not embedded
        # What a spec within does not declare reaches it all the same.
        binding.params(
            self._report, raw.get("params"), place, asked, what, matrix=matrix, sure=task.sure, unknown=extra
        )
        # Whoever runs the pipeline may bind what it does not declare, and that reaches a spec within.
        bound = task.sure and not (embedded and not around.run)
        place, optional, spaces = at.key("workspaces"), self._optional, raw.get("workspaces")
        binding.workspaces(self._report, spaces, place, asked, what, sure=bound, inherited=inherited, optional=optional)

    def _cycles(self) -> None:
        waits = {t.name: self._waits_for(t) for t in self._tasks.values() if not t.final}
        for cycle in cycles(waits):
            place = self._tasks[cycle[0]].at
            shown = [*cycle[:MOST_NAMES], *(["…"] if len(cycle) > MOST_NAMES else []), cycle[0]]
            message = f"the tasks wait for each other: {' → '.join(shown)}"
            self._report.say(place, Rule.CYCLE, message, "take a runAfter or a result out of the circle")

    def _waits_for(self, task: PipelineTask) -> list[str]:
        after = task.raw.get("runAfter")
        names = [n for n in after if isinstance(n, str)] if isinstance(after, list) else []
        names += [v.task for v, _, field in task.results_used() if field in _CHECKED]
        return [n for n in dict.fromkeys(names) if n in self._ordered]

    def _results(self) -> None:
        """The results of the pipeline itself."""
        for result, place in items(self._spec.get("results"), self._at.key("results")):
            found = False
            for value, where in texts(result.get("value"), place.key("value")):
                for variable in variables.results(value):
                    found = True
                    giver = self._tasks.get(variable.task)
                    if giver is None or giver.final != (variable.section == "finally"):
                        message = f"{variable.written} names a task that is not under {variable.section}"
                        self._missing(where, Rule.UNRESOLVED, message)
                    else:
                        self._declared(variable, where, giver, Severity.ERROR)
            if not found:
                message = "a result of a pipeline is one of its tasks'"
                self._report.say(place, Rule.RESULT, message, "write $(tasks.NAME.results.RESULT)")


def _elsewhere(ref: Mapping[str, Any]) -> bool:
    """Does the reference lead out of the cluster's Tasks: to a resolver, a bundle, or a custom task's controller?"""
    if ref.get("resolver") or ref.get("bundle") or text(ref.get("kind")) not in ("", "Task", "ClusterTask"):
        return True
    return text(ref.get("apiVersion")).partition("/")[0] not in ("", PIPELINES)
