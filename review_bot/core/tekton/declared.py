"""What a spec declares, held to the forms that Tekton's webhook asks for: parameters, results, conditions, names."""

from __future__ import annotations

import re
from typing import Any

from review_bot.core.lenient import mapping, text
from review_bot.core.model import Severity
from review_bot.core.tekton.interface import type_of
from review_bot.core.tekton.reading import At, items
from review_bot.core.tekton.report import Report, Rule
from review_bot.core.tekton.variables import contexts, has_any

TYPES = ("string", "array", "object")
VOLUMES = ("persistentVolumeClaim", "volumeClaimTemplate", "emptyDir", "configMap", "secret", "projected", "csi")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_PARAM = re.compile(r"[_a-zA-Z][_a-zA-Z0-9.-]*\Z")
_RESULT = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\Z")
_CONTEXTS = {
    "context.taskRun": ("name", "namespace", "uid"),
    "context.task": ("name", "retry-count"),
    "context.pipelineRun": ("name", "namespace", "uid"),
    "context.pipeline": ("name",),
    "context.pipelineTask": ("retries",),
}


def is_label(name: str) -> bool:
    """May it be the name of a step or a task of a pipeline?"""
    return _LABEL.match(name) is not None


def judge_params(report: Report, value: Any, at: At, *, whole: bool) -> None:
    """Declared parameters; `whole`: does the webhook look at their names, and must objects tell their properties?"""
    judge_unique(report, value, at, Rule.PARAM)
    for raw, place in items(value, at):
        name, default = text(raw.get("name")), raw.get("default")
        type = text(raw.get("type")) or ("object" if isinstance(raw.get("properties"), dict) else "")
        if not _PARAM.match(name):
            message = f"{name or 'a param without a name'} can't be the name of a param"
            help = "begin it with a letter; after that letters, digits, hyphens, underscores and dots may stand"
            report.say(place, Rule.PARAM, message, help, Severity.ERROR if whole else Severity.WARNING)
        if type and type not in TYPES:
            message = f"{type} is no type of a param"
            report.say(place.key("type"), Rule.PARAM, message, f"write one of {', '.join(TYPES)}")
        elif type and default is not None and type_of(default) != type:
            message = f"the param {name} is of type {type}, and its default of type {type_of(default)}"
            report.say(place.key("default"), Rule.PARAM, message, "let both be of one type")
        if type == "object" and whole and raw.get("properties") is None:
            report.say(place, Rule.PARAM, f"the object {name} has no properties", "list its keys under properties")


def judge_unique(report: Report, value: Any, at: At, rule: Rule) -> None:
    """No name may stand twice."""
    names: set[str] = set()
    for raw, place in items(value, at):
        name = text(raw.get("name"))
        if name in names:
            report.say(place, rule, f"{name} is declared twice", "keep one of them")
        names.add(name)


def judge_results(report: Report, value: Any, at: At) -> None:
    """Declared results of a Task or a step."""
    for raw, place in items(value, at):
        name, type = text(raw.get("name")), text(raw.get("type"))
        if not _RESULT.match(name):
            message = f"{name or 'a result without a name'} can't be the name of a result"
            help = "write letters, digits, hyphens, underscores and dots, and a letter or digit at both ends"
            report.say(place, Rule.RESULT, message, help)
        elif type and type not in TYPES:
            message = f"{type} is no type of a result"
            report.say(place.key("type"), Rule.RESULT, message, f"write one of {', '.join(TYPES)}")
        elif type == "object" and raw.get("properties") is None:
            report.say(place, Rule.RESULT, f"the object {name} has no properties", "list its keys under properties")


def judge_when(report: Report, value: Any, at: At) -> None:
    """The conditions of a task or a step."""
    for raw, place in items(value, at):
        # Go reads keys of either case; old objects write `Input`.
        fields = {key.lower(): item for key, item in raw.items() if isinstance(key, str)}
        plain = [key for key in ("input", "operator", "values") if fields.get(key)]
        if fields.get("cel"):
            if plain:
                report.say(place, Rule.TASK, f"cel and {plain[0]} exclude each other", "write one of the two forms")
        elif fields.get("operator") not in ("in", "notin"):
            message = f"a condition compares by in or notin, not by {text(fields.get('operator')) or 'nothing'}"
            report.say(place, Rule.TASK, message, "set operator to one of them")
        elif not fields.get("values"):
            report.say(place, Rule.TASK, "a condition without values is refused", "add one value at least")


def judge_matrix(report: Report, value: Any, at: At) -> None:
    """What a matrix spreads: lists, and under include texts."""
    matrix = mapping(value)
    judge_unique(report, matrix.get("params"), at.key("params"), Rule.PARAM)
    for raw, place in items(matrix.get("params"), at.key("params")):
        given = raw.get("value")
        if type_of(given) != "array" and not has_any(text(given)):
            message = f"a matrix spreads lists, and {text(raw.get('name'))} is none"
            report.say(place.key("value"), Rule.PARAM, message, "write a list, or give it under params")
    for include, place in items(matrix.get("include"), at.key("include")):
        judge_unique(report, include.get("params"), place.key("params"), Rule.PARAM)
        for raw, where in items(include.get("params"), place.key("params")):
            if type_of(raw.get("value")) != "string":
                message = f"include gives one text at a time, and {text(raw.get('name'))} is none"
                report.say(where.key("value"), Rule.PARAM, message, "write a text")


def judge_bindings(report: Report, value: Any, at: At) -> None:
    """Workspaces as a run binds them: each once, to one volume."""
    judge_unique(report, value, at, Rule.WORKSPACE)
    for raw, place in items(value, at):
        found = [name for name in VOLUMES if raw.get(name) is not None]
        if len(found) != 1:
            message = f"{' and '.join(found)} exclude each other" if found else "it is bound to no volume"
            report.say(place, Rule.WORKSPACE, message, f"write one of {', '.join(VOLUMES)}")


def judge_on_error(report: Report, value: Any, at: At) -> None:
    """What a failure leads to, of a step or of a task."""
    if isinstance(value, str) and value not in ("", "continue", "stopAndFail") and not has_any(value):
        report.say(at, Rule.TASK, f"{value} is no way to go on after an error", "write continue or stopAndFail")


def judge_contexts(report: Report, value: str, at: At, sections: tuple[str, ...], severity: Severity) -> None:
    """Variables of the sections that Tekton does not know."""
    for variable in contexts(value):
        known = _CONTEXTS.get(variable.section, ())
        if variable.section in sections and variable.name not in known:
            message = f"{variable.written} is nothing that Tekton knows of a run"
            report.say(at, Rule.TASK, message, f"{variable.section} has: {', '.join(known)}", severity)
