"""The two template languages of ApplicationSets, spoken for many sets of parameters at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from review_bot.core.argocd import values
from review_bot.core.argocd.problems import Trouble
from review_bot.core.delivery import Templating
from review_bot.core.errors import InputError
from review_bot.core.model import FieldPath

Parameters = Mapping[str, Any]
_TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
# Characters, for one template and all its parameters.
MOST_WRITTEN = 64 << 20
# A text that an error quotes is cut there.
QUOTED = 200
# What tells one set of parameters from another for people.
_TELLING = ("path", "name", "cluster", "server", "url")


@dataclass(frozen=True)
class Words:
    """How one ApplicationSet writes its templates: in Go's language with these options, or in the plain one."""

    go: bool
    options: tuple[str, ...]
    templating: Templating

    def render(self, template: Any, parameters: Sequence[Parameters], at: FieldPath) -> list[Any]:
        """The template for each set of parameters. Raises Trouble with the field and the parameters."""
        if not has_tags(template):
            return [template] * len(parameters)
        if not self.go:
            budget = Budget()
            return [replaced(template, one, budget) for one in parameters]
        try:
            return self.templating.go_templates(template, parameters, self.options)
        except InputError as error:
            raise self._explained(error, template, parameters, at) from error

    def _explained(self, error: InputError, template: Any, parameters: Sequence[Parameters], at: FieldPath) -> Trouble:
        """Which field and which set of parameters it is; that is only asked when something is wrong."""
        field = next((path for path, text in _texts(template) if error.message.endswith(text[:QUOTED])), ())
        guilty = ""
        for one in parameters:
            try:
                self.templating.go_templates(template, [one], self.options)
            except InputError:
                guilty = f", with the parameters of {label(one)}"
                break
        return Trouble(
            f"the template fails: {error.message}{guilty}",
            at=(*at, *field),
            rule="template",
            help="correct the template, or give all generators the parameters that it asks for",
        )


def has_tags(value: Any) -> bool:
    """Is there anything to replace?"""
    return any("{{" in text for _, text in _texts(value))


class Budget:
    """How much the templates of one set may write: small texts can ask for very much."""

    def __init__(self) -> None:
        self._left = MOST_WRITTEN

    def spend(self, text: str) -> str:
        """The text. Raises Trouble where it is too much."""
        self._left -= len(text)
        if self._left < 0:
            raise Trouble(f"its templates write more than {MOST_WRITTEN >> 20} MiB", at=("spec",), rule="template")
        return text


def replaced(value: Any, parameters: Parameters, budget: Budget) -> Any:
    """`{{tag}}` in texts and keys replaced where the tag is a parameter that is a text; others stay as they are."""
    if isinstance(value, str):
        if "{{" not in value:
            return value
        return budget.spend(_TAG.sub(lambda match: budget.spend(_of_tag(match, parameters)), value))
    if isinstance(value, dict):
        return {replaced(k, parameters, budget): replaced(v, parameters, budget) for k, v in value.items()}
    if isinstance(value, list):
        return [replaced(item, parameters, budget) for item in value]
    return value


def label(parameters: Parameters) -> str:
    """What people know a set of parameters by."""
    flat = dict(values.flattened(dict(parameters)))
    for key in _TELLING:
        for name in (key, f"{key}.path"):
            if flat.get(name):
                return flat[name][:100]
    return next(iter(flat.values()), "nothing")[:100]


def _of_tag(match: re.Match[str], parameters: Parameters) -> str:
    found = parameters.get(match[1].strip())
    return found if isinstance(found, str) else match[0]


def _texts(value: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield path, key
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
