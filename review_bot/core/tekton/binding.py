"""A use held against what is used: references, parameters and workspaces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from review_bot.core.lenient import mapping, text
from review_bot.core.model import Severity
from review_bot.core.tekton.catalogue import Catalogue, Found
from review_bot.core.tekton.interface import Interface, Param, type_of
from review_bot.core.tekton.reading import At, items, listed
from review_bot.core.tekton.report import Report, Rule
from review_bot.core.tekton.variables import has_any


def resolve(report: Report, catalogue: Catalogue, kind: str, name: str, at: At) -> Found | None:
    """What a reference by name means.

    One that was there before and is no longer is an error, and so is one that should be here; another is a notice.
    """
    if not name or has_any(name):
        return None
    found = catalogue.find(kind, name, report.namespace, report.target)
    if found is not None:
        return found
    if catalogue.taken_away(kind, name, report.namespace):
        message = f"this change takes the {kind} {name} away, which is still used here"
        report.say(at, Rule.UNRESOLVED, message, f"keep the {kind}, or change what uses it with it")
        return None
    near = catalogue.like(kind, name)
    spaces = catalogue.namespaces(kind, name)
    hint = f"there is one in the namespace {listed(spaces)}" if spaces else f"did you mean {near}?" if near else ""
    if catalogue.expects(kind, name):
        message = f"there is no {kind} {name}, and all others that are used here lie in this repository"
        help = hint or f"correct the name, commit the {kind}, or waive {Rule.UNRESOLVED} if the cluster brings it"
        report.say(at, Rule.UNRESOLVED, message, help)
        return None
    message = f"the {kind} {name} is not in this repository, so what it asks for is not checked"
    help = hint or f"see that the cluster has it, or commit the {kind}"
    report.say(at, Rule.NOT_SEEN, message, help, Severity.WARNING if near and not spaces else Severity.NOTICE)
    return None


def from_git(report: Report, catalogue: Catalogue, kind: str, ref: Mapping[str, Any], at: At) -> Found | None:
    """What a git resolver brings out of this repository; None where it names another, or nothing that is there."""
    given = {text(p.get("name")): text(p.get("value")) for p, _ in items(ref.get("params"), at)}
    path = given.get("pathInRepo", "")
    if ref.get("resolver") != "git" or not given.get("url") or not path or has_any("".join(given.values())):
        return None
    held = catalogue.in_git(given["url"], given.get("revision", ""), path)
    found = next((r for r in held or () if r.id.kind == kind), None)
    if held is not None and found is None:
        message = f"{path} of this repository {'holds no' if held else 'is not there, or holds no'} {kind}"
        report.say(at, Rule.UNRESOLVED, message, "correct pathInRepo, or add the file")
    return Found(found, True) if found is not None else None


def elsewhere(report: Report, ref: Mapping[str, Any], at: At, what: str) -> None:
    """What a resolver or a bundle brings is not seen, and that is said."""
    way = text(ref.get("resolver"))
    message = f"{what} is brought by {f'the resolver {way}' if way else 'a bundle'}, so it is not checked"
    help = "see that it takes the params and workspaces that it gets"
    report.say(at, Rule.NOT_SEEN, message, help, Severity.NOTICE)


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
        elif param.name not in spread and param.keys and not param.required:
            _keys(report, param, param.keys, at, what, severity)
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


def _type(report: Report, param: Param, given: Mapping[str, Any], at: At, what: str, severity: Severity) -> None:
    value = given.get("value")
    type = type_of(value)
    if type == "string" and param.type != "string" and has_any(str(value)):
        return  # `$(params.list[*])` is a text until it is replaced
    if type != param.type and param.type in ("string", "array", "object"):
        message = f"{what} takes {_named(param.type)} for {param.name}, here it gets {_named(type)}"
        report.say(at.key("value"), Rule.PARAM, message, f"write {_named(param.type)}", severity)
    elif type == "object" and (missing := param.keys - mapping(value).keys()):
        _keys(report, param, missing, at.key("value"), what, severity)


def _keys(report: Report, param: Param, missing: frozenset[str], at: At, what: str, severity: Severity) -> None:
    message = f"{what} needs the keys {listed(missing)} of the param {param.name}"
    report.say(at, Rule.PARAM, message, "add them, or give them a default there", severity)


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
    unknown: Severity | None = Severity.ERROR,
    optional: frozenset[str] | set[str] = frozenset(),
) -> None:
    """Workspaces as they are given, against those that `what` declares; `unknown`: how heavy is one too many.

    `optional` are workspaces of the giver that a run may leave away: then nothing is given.
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
            light = not sure or (text(workspace.get("workspace")) or name) in optional
            report.say(place, Rule.WORKSPACE, message, f"it has: {known}", Severity.WARNING if light else unknown)
