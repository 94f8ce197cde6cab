"""Uses of parameters in texts, held against those that are declared: names, keys of objects, and lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from review_bot.core.model import Severity
from review_bot.core.tekton import variables
from review_bot.core.tekton.interface import Param
from review_bot.core.tekton.reading import At
from review_bot.core.tekton.report import Report, Rule
from review_bot.core.tekton.variables import Variable


class Slot(StrEnum):
    """What may stand in a field: a text; lists too, each an item of its own; or anything where nobody looks.

    A VALUE is given on: a whole list or mapping may stand in it by itself.
    """

    TEXT = "text"
    LIST = "list"
    VALUE = "value"
    LOOSE = "loose"


@dataclass(frozen=True)
class Known:
    """What may be used: the `declared`, and the names of those `around` that reach it anyway.

    `given` are names that reach it too, though Tekton's webhook does not see it. `strict`: all else is refused.
    """

    declared: Mapping[str, Param]
    around: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    strict: bool = True
    whose: str = ""


def judge_uses(report: Report, value: str, at: At, known: Known, slot: Slot) -> None:
    """Every use of a parameter in the text."""
    for variable in variables.params(value):
        checked = slot is not Slot.LOOSE and variable.section != "inputs"
        if checked and variable.dotted and variable.name.count(".") > 1:
            message = f"{variable.written} has more parts than a name and a key, which Tekton refuses"
            report.say(at, Rule.PARAM, message, f'write $(params["{variable.name}"]) if that is its name')
            continue
        name = variable.first if checked else variable.among(known.declared) or variable.first
        param = known.declared.get(name)
        if param is not None:
            if checked:
                _typed(report, value, at, variable, param, slot)
        elif variable.among(known.around) is None:
            _unknown(report, at, variable, known, checked)


def _unknown(report: Report, at: At, variable: Variable, known: Known, checked: bool) -> None:
    strict = checked and known.strict
    if not strict and variable.among(known.given) is not None:
        return
    message = f"{variable.written} names a param that {known.whose or 'is'} not declare{'' if known.whose else 'd'}"
    help = f"declare {variable.first} under params, or check its spelling"
    if variable.dotted and variable.name in known.declared:
        help = f'write $(params["{variable.name}"]): behind a dot, the first part alone is the name'
    report.say(at, Rule.PARAM, message, help, Severity.ERROR if strict else Severity.WARNING)


def _typed(report: Report, value: str, at: At, variable: Variable, param: Param, slot: Slot) -> None:
    whole = variable.index in ("", "[*]") and not variable.key
    alone = value == variable.written
    if param.type == "array" and whole:
        if slot is Slot.TEXT or (slot is Slot.VALUE and not (alone and variable.index)):
            message = f"{variable.written} is a list, which can't stand in a text"
            help = f"take one item by $(params.{param.name}[0]), or all, where a list is asked for, by [*]"
            report.say(at, Rule.PARAM, message, help)
        elif slot is Slot.LIST and not alone:
            message = f"{variable.written} is a list and must stand by itself"
            report.say(at, Rule.PARAM, message, "make it an item of its own, without other text")
    elif param.type == "object" and whole:
        if not (slot is Slot.VALUE and alone and variable.index):
            message = f"{variable.written} is a whole mapping, of which only a key can stand here"
            report.say(at, Rule.PARAM, message, f"write $(params.{param.name}.KEY)")
    elif param.type == "object" and param.properties is not None and variable.key not in param.properties:
        message = f"{variable.written} names a key that the param {param.name} does not have"
        keys = ", ".join(sorted(param.properties)) or "none"
        report.say(at, Rule.PARAM, message, f"its properties are: {keys}")
