"""Pipelines: the tasks, what they are given, and what they take from each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from review_bot.core.lenient import mapping, text
from review_bot.core.model import Severity
from review_bot.core.tekton import binding, variables
from review_bot.core.tekton.catalogue import PIPELINES, Catalogue
from review_bot.core.tekton.graph import cycles
from review_bot.core.tekton.interface import Interface, interface
from review_bot.core.tekton.reading import MOST_NAMES, At, items, listed, texts
from review_bot.core.tekton.report import Report, Rule
from review_bot.core.tekton.task import NOTHING, Around, judge_task
from review_bot.core.tekton.when import judge_when

# Where the webhook looks for variables in a task of a pipeline; they make one task wait for another too.
_CHECKED = ("params", "matrix", "when")
_SPECS = ("taskSpec", "pipelineSpec")


@dataclass(frozen=True)
class _Task:
    """A task of the pipeline; `interface` is None where what it runs is not seen, `sure` as in Found."""

    name: str
    raw: Mapping[str, Any]
    at: At
    final: bool
    interface: Interface | None = None
    sure: bool = True

    @cached_property
    def results(self) -> str:
        """The results that it has, in words."""
        return listed(self.interface.results if self.interface else ())

    @property
    def matrixed(self) -> bool:
        matrix = mapping(self.raw.get("matrix"))
        return bool(matrix.get("params") or matrix.get("include"))

    def texts(self) -> Iterator[tuple[str, At, bool]]:
        """Its texts but for those of a spec within, and whether the webhook looks into them."""
        start = len(self.at.path)
        for key, value in self.raw.items():
            if key not in _SPECS:
                for found, place in texts(value, self.at.key(key)):
                    way = place.path[start:]
                    # Names of params and of a matrix's combinations are only shown.
                    name = way[-1] == "name" and "value" not in way
                    yield found, place, key in _CHECKED and not name


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
        self._within = Around(
            frozenset(params), frozenset(self._own.workspaces.keys() | around.workspaces), around.strict
        )
        self._optional = {name for name, required in self._own.workspaces.items() if not required}
        self._tasks: dict[str, _Task] = {}
        self._unseen: list[str] = []
        # The names of the tasks that run in order; those under finally are not among them.
        self._ordered: set[str] = set()

    def run(self) -> None:
        for section in ("tasks", "finally"):
            for raw, place in items(self._spec.get(section), self._at.key(section)):
                self._enter(raw, place, section == "finally")
        if self._unseen:
            message = (
                f"what {listed(self._unseen)} runs is brought by a resolver or a custom task, so it is not checked"
            )
            help = "see that it takes the params and workspaces that it gets, and has the results that are used"
            self._report.say(self._at.key("tasks"), Rule.NOT_SEEN, message, help, Severity.NOTICE)
        self._known = listed(self._ordered)
        self._spaces = listed(self._within.workspaces)
        if self._spec.get("finally") and not self._spec.get("tasks"):
            self._report.say(self._at.key("finally"), Rule.FINALLY, "there are no tasks before it", "add tasks")
        for task in self._tasks.values():
            judge_when(self._report, task.raw.get("when"), task.at.key("when"))
            self._order(task)
            self._taken(task)
            self._given(task)
        self._cycles()
        self._results()

    def _enter(self, raw: Mapping[str, Any], at: At, final: bool) -> None:
        name = text(raw.get("name"))
        if name in self._tasks:
            help = "give one of them another name"
            self._report.say(at, Rule.TASK, f"two tasks are named {name or 'nothing'}", help)
            return
        found, sure = self._used(raw, at)
        self._tasks[name] = _Task(name, raw, at, final, found, sure)
        if not final:
            self._ordered.add(name)

    def _used(self, raw: Mapping[str, Any], at: At) -> tuple[Interface | None, bool]:
        """What the task runs, None where that can't be seen; whether that is sure."""
        ways = [key for key in ("taskRef", "taskSpec", "pipelineRef", "pipelineSpec") if raw.get(key) is not None]
        if len(ways) != 1:
            message = f"{' and '.join(ways)} exclude each other" if ways else "nothing says what it runs"
            self._report.say(at, Rule.TASK, message, "a task has either taskRef or taskSpec")
            return None, False
        way, value = ways[0], mapping(raw.get(ways[0]))
        if way == "taskSpec":
            return self._embedded(raw, value, at)
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

    def _embedded(self, raw: Mapping[str, Any], spec: Mapping[str, Any], at: At) -> tuple[Interface | None, bool]:
        if spec.get("apiVersion") or (text(spec.get("kind")) not in ("", "Task") and not spec.get("steps")):
            self._unseen.append(text(raw.get("name")))
            return None, False
        within = self._within
        if not within.strict:
            within = replace(within, params=within.params | binding.given_names(raw))
        judge_task(self._report, spec, at.key("taskSpec"), self._catalogue, within)
        return interface(spec), True

    def _order(self, task: _Task) -> None:
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

    def _taken(self, task: _Task) -> None:
        """What the task takes from others, and from the pipeline."""
        for value, place, checked in task.texts():
            severity = Severity.ERROR if checked else Severity.WARNING
            for variable in variables.results(value):
                self._result(variable, place, task, severity)
            for variable in variables.statuses(value):
                if not task.final and checked:
                    message = f"{variable.written} is known only under finally"
                    self._report.say(place, Rule.FINALLY, message, "move the task under finally, or use a result")
                elif task.final and variable.name and variable.name not in self._ordered:
                    message = f"{variable.written} names a task that the pipeline does not have"
                    self._missing(place, Rule.UNRESOLVED, message, severity)
            # What a matrix gives may be shown in names. CEL is compiled, and its variables stay as they are written.
            params = self._within.params if checked else self._within.params | binding.given_names(task.raw)
            for variable in variables.params(value):
                if checked:
                    binding.key(self._report, place, variable, self._own, self._around.strict)
                if variable.among(params) is None:
                    strict = checked and self._around.strict and place.path[-1] != "cel"
                    message = f"{variable.written} names a param that the pipeline does not declare"
                    help = f"declare {variable.name} under params, or check its spelling"
                    self._report.say(place, Rule.PARAM, message, help, Severity.ERROR if strict else Severity.WARNING)

    def _result(self, variable: variables.Variable, at: At, task: _Task, severity: Severity) -> None:
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
                # The webhook looks for that among the params of tasks in order only.
                refused = not task.final and at.path[len(task.at.path)] == "params"
                heavy = severity if refused else Severity.WARNING
                self._report.say(at, Rule.RESULT, message, "take all of them by [*]", heavy)

    def _declared(self, variable: variables.Variable, at: At, giver: _Task, severity: Severity) -> None:
        """Has the task, where it is seen, a result of that name?"""
        if giver.interface is None or not giver.interface.whole or variable.among(giver.interface.results):
            return
        message = f"{variable.written} names a result that the task {giver.name} does not have"
        self._report.say(
            at, Rule.RESULT, message, f"it has: {giver.results}", severity if giver.sure else Severity.WARNING
        )

    def _given(self, task: _Task) -> None:
        """What the task is given, against what it asks for."""
        raw, at, around = task.raw, task.at, self._within
        for workspace, place in items(raw.get("workspaces"), at.key("workspaces")):
            name = text(workspace.get("workspace")) or text(workspace.get("name"))
            if name not in around.workspaces:
                message = f"the pipeline declares no workspace {name}"
                help = f"declare it under workspaces; it has: {self._spaces}"
                severity = Severity.ERROR if around.strict else Severity.WARNING
                self._report.say(place, Rule.WORKSPACE, message, help, severity)
            elif (
                name in self._optional and task.interface and task.interface.workspaces.get(text(workspace.get("name")))
            ):
                message = f"the workspace {name} is optional in the pipeline, and this task needs it"
                # Where the pipeline's name is left out, the controller does not look.
                sure = task.sure and text(workspace.get("workspace")) != ""
                severity = Severity.ERROR if sure else Severity.WARNING
                self._report.say(place, Rule.WORKSPACE, message, "make both optional, or neither", severity)
        if task.interface is None:
            return
        embedded = raw.get("taskSpec") is not None
        # Whoever runs the pipeline may bind what it does not declare, and that reaches a spec within.
        bound = task.sure and not (embedded and around.strict)
        what = "the taskSpec" if embedded else f"Task {text(mapping(raw.get('taskRef')).get('name'))}"
        # Within an embedded spec, parameters and workspaces of the run and of the pipeline are there by themselves.
        asked = binding.without(task.interface, around.params) if embedded else task.interface
        inherited = around.workspaces if embedded else frozenset()
        matrix = raw.get("matrix")
        # In a run, what a task is given reaches the spec within, declared or not.
        extra = not (embedded and not around.strict)
        report, params, spaces = self._report, raw.get("params"), raw.get("workspaces")
        binding.params(report, params, at.key("params"), asked, what, matrix=matrix, sure=task.sure, unknown=extra)
        place, optional = at.key("workspaces"), self._optional
        binding.workspaces(report, spaces, place, asked, what, sure=bound, inherited=inherited, optional=optional)

    def _cycles(self) -> None:
        waits = {t.name: self._waits_for(t) for t in self._tasks.values() if not t.final}
        for cycle in cycles(waits):
            place = self._tasks[cycle[0]].at
            shown = [*cycle[:MOST_NAMES], *(["…"] if len(cycle) > MOST_NAMES else []), cycle[0]]
            message = f"the tasks wait for each other: {' → '.join(shown)}"
            self._report.say(place, Rule.CYCLE, message, "take a runAfter or a result out of the circle")

    def _waits_for(self, task: _Task) -> list[str]:
        after = task.raw.get("runAfter")
        names = [n for n in after if isinstance(n, str)] if isinstance(after, list) else []
        names += [v.task for value, _, checked in task.texts() if checked for v in variables.results(value)]
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
