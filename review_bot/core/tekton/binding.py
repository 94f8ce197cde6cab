"""A use held against what is used: references, parameters and workspaces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Any

from review_bot.core.lenient import mapping, text
from review_bot.core.model import Severity
from review_bot.core.tekton.catalogue import Catalogue, Found
from review_bot.core.tekton.interface import Interface, Param, type_of
from review_bot.core.tekton.reading import At, items, listed
from review_bot.core.tekton.report import Report, Rule
from review_bot.core.tekton.variables import Variable, has_any


def resolve(report: Report, catalogue: Catalogue, kind: str, name: str, at: At) -> Found | None:
    """What a reference by name means. One that was there before and is no longer is an error, one not seen a notice."""
    if not name or has_any(name):
        return None
    found = catalogue.find(kind, name, report.namespace, report.target)
    if found is not None:
        return found
    if catalogue.taken_away(kind, name, report.namespace, report.target):
        message = f"this change takes the {kind} {name} away, which is still used here"
        report.say(at, Rule.UNRESOLVED, message, f"keep the {kind}, or change what uses it with it")
        return None
    near = catalogue.like(kind, name)
    help = f"did you mean {near}?" if near else f"see that the cluster has it, or commit the {kind}"
    message = f"the {kind} {name} is not in this repository, so what it asks for is not checked"
    report.say(at, Rule.NOT_SEEN, message, help, Severity.NOTICE)
    return None


def params(
    report: Report,
    given: Any,
    at: At,
    asked: Interface,
    what: str,
    *,
    matrix: Any = None,
    sure: bool,
    unknown: bool = True,
) -> None:
    """Parameters as they are given to `what` (such as "Task build"), and those of a matrix, against those it has.

    `unknown`: is one too many spoken of?
    """
    severity = Severity.ERROR if sure else Severity.WARNING
    places = {text(p.get("name")): (p, place) for p, place in items(given, at)}
    spread = set(matrix_params(matrix))
    for name, count in Counter(text(p.get("name")) for p, _ in items(given, at)).items():
        if count > 1:
            report.say(at, Rule.PARAM, f"the param {name} is given {count} times", "keep one of them")
    for name in spread & places.keys():
        report.say(places[name][1], Rule.PARAM, f"{name} is given here and by the matrix", "keep one of them")
    if not asked.whole:
        return
    for param in asked.params.values():
        if param.name in places:
            _type(report, param, *places[param.name], what, severity)
        elif param.name in spread and param.type != "string":
            message = f"{what} takes {_named(param.type)} for {param.name}, and a matrix gives it one text at a time"
            report.say(at, Rule.PARAM, message, f"give {param.name} under params", severity)
        elif param.name not in spread and param.required:
            message = f"{what} needs the param {param.name}, which is not given and has no default"
            report.say(at, Rule.PARAM, message, f"give {param.name} a value here, or a default there", severity)
    known = listed(asked.params)
    for name, (_, place) in places.items():
        if unknown and name and name not in asked.params:
            message = f"{what} has no param {name}, so the value is not used"
            report.say(place, Rule.PARAM, message, f"it has: {known}", Severity.WARNING)


def matrix_params(matrix: Any) -> list[str]:
    """The names of the parameters that a matrix gives."""
    matrix = mapping(matrix)
    found = [text(p.get("name")) for p, _ in items(matrix.get("params"), At())]
    for include, _ in items(matrix.get("include"), At()):
        found += [text(p.get("name")) for p, _ in items(include.get("params"), At())]
    return found


def given_names(task: Mapping[str, Any]) -> frozenset[str]:
    """The names of the params that a task of a pipeline is given, one by one or by its matrix."""
    names = (text(p.get("name")) for p, _ in items(task.get("params"), At()))
    return frozenset([*names, *matrix_params(task.get("matrix"))])


def without(asked: Interface, given: frozenset[str]) -> Interface:
    """The interface of a spec that has these parameters anyway."""
    params = {n: replace(p, required=p.required and n not in given) for n, p in asked.params.items()}
    return replace(asked, params=params)


def key(report: Report, at: At, variable: Variable, declared: Interface, strict: bool) -> None:
    """Has the mapping that the variable names a key of it the key?"""
    name, _, inner = variable.name.partition(".")
    param = declared.params.get(name)
    if param is None or param.type != "object" or not inner or variable.name in declared.params:
        return
    if param.properties and inner not in param.properties:
        message = f"{variable.written} names a key that the param {name} does not have"
        severity = Severity.ERROR if strict else Severity.WARNING
        report.say(at, Rule.PARAM, message, f"its properties are: {listed(param.properties)}", severity)


def _type(report: Report, param: Param, given: Mapping[str, Any], at: At, what: str, severity: Severity) -> None:
    value = given.get("value")
    type = type_of(value)
    if type == "string" and param.type != "string" and has_any(text(value)):
        return  # `$(params.list[*])` is a text until it is replaced
    if type != param.type and param.type in ("string", "array", "object"):
        message = f"{what} takes {_named(param.type)} for {param.name}, here it gets {_named(type)}"
        report.say(at.key("value"), Rule.PARAM, message, f"write {_named(param.type)}", severity)
    elif type == "object" and (missing := param.keys - mapping(value).keys()):
        keys = ", ".join(sorted(missing))
        message = f"{what} needs the keys {keys} of the param {param.name}"
        report.say(at.key("value"), Rule.PARAM, message, "add them, or give them a default there", severity)


def _named(type: str) -> str:
    return {"array": "a list", "object": "a mapping"}.get(type, "a text")


def workspaces(
    report: Report,
    given: Any,
    at: At,
    asked: Interface,
    what: str,
    *,
    sure: bool,
    inherited: frozenset[str] = frozenset(),
    optional: Container[str] = (),
    unknown: Severity | None = Severity.ERROR,
) -> None:
    """Workspaces as they are given, against those that `what` declares; `unknown`: how heavy is one too many.

    `optional` are names of the giver's that may be bound to nothing, and then are not given on.
    """
    if not asked.whole:
        return
    severity = Severity.ERROR if sure else Severity.WARNING
    names = {text(w.get("name")) for w, _ in items(given, at)}
    for name, required in asked.workspaces.items():
        if required and name not in names and name not in inherited:
            message = f"{what} needs the workspace {name}, which is not given"
            report.say(at, Rule.WORKSPACE, message, f"bind {name} here, or make it optional there", severity)
    known = listed(asked.workspaces)
    for workspace, place in items(given, at):
        name = text(workspace.get("name"))
        if unknown is not None and name not in asked.workspaces and name not in inherited:
            message = f"{what} declares no workspace {name}"
            always = sure and (text(workspace.get("workspace")) or name) not in optional
            report.say(place, Rule.WORKSPACE, message, f"it has: {known}", unknown if always else Severity.WARNING)
