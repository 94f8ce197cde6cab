"""The two template languages of ApplicationSets, spoken for many sets of parameters at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from review_bot.core.argocd import values
from review_bot.core.argocd.problems import Trouble
from review_bot.core.delivery import Templating
from review_bot.core.errors import InputError
from review_bot.core.model import FieldPath

Parameters = Mapping[str, Any]
_TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
# A text is a template if a line of it holds a whole tag.
_TEMPLATE = re.compile(r"\{\{.*\}\}")
# How gitops-words is told of a mapping or list that holds nothing but texts.
_TEXTS = "\0texts"
# Characters, for one template and all its parameters.
MOST_WRITTEN = 64 << 20
# A text that an error quotes is cut there.
QUOTED = 200
# What Go's templates say of a parameter that is not there.
_NOT_THERE = ("map has no entry for key", "can't evaluate field")
# What tells one set of parameters from another for people.
_TELLING = ("path", "name", "cluster", "server", "url")


@dataclass(frozen=True)
class Memo:
    """Templates that were filled in, and what came of it."""

    templates: tuple[Any, ...]
    options: tuple[Any, ...]
    parameters: Sequence[Parameters]
    results: Sequence[Any]


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
        # Where there are no parameters at all Argo CD does not look at the template.
        told = [one for one in parameters if one]
        rendered = iter(self._rendered(template, told, at) if told else ())
        return [next(rendered) if one else template for one in parameters]

    def _rendered(self, template: Any, parameters: Sequence[Parameters], at: FieldPath) -> list[Any]:
        if not self.go:
            _refuse_open_tags(template, at)
            budget = Budget()
            return [replaced(template, one, budget) for one in parameters]
        try:
            return self.templating.go_templates(template, [typed(one) for one in parameters], self.options)
        except InputError as error:
            raise self._explained(error, template, parameters, at) from error

    def render_known(self, texts: Mapping[str, str], parameters: Sequence[Parameters]) -> list[dict[str, str]]:
        """Texts for each set of parameters; one that asks for a parameter which is not there stays as it is."""
        options = (*(o for o in self.options if not o.startswith("missingkey=")), "missingkey=error")
        strict = replace(self, options=options)
        columns = {key: strict._known(text, parameters) for key, text in texts.items()}
        return [{key: column[number] for key, column in columns.items()} for number in range(len(parameters))]

    def _known(self, text: str, parameters: Sequence[Parameters]) -> list[str]:
        try:
            return self.render(text, parameters, ())
        except Trouble as trouble:
            if not any(words in trouble.message for words in _NOT_THERE):
                raise
        if len(parameters) == 1:
            return [text]
        return [found for one in parameters for found in self._known(text, [one])]

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
        if not _TEMPLATE.search(value):
            return value
        return budget.spend(_TAG.sub(lambda match: budget.spend(_of_tag(match, parameters)), value))
    if isinstance(value, dict):
        return {replaced(k, parameters, budget): replaced(v, parameters, budget) for k, v in value.items()}
    if isinstance(value, list):
        return [replaced(item, parameters, budget) for item in value]
    return value


def _refuse_open_tags(template: Any, at: FieldPath) -> None:
    for field, text in _texts(template):
        if _TEMPLATE.search(text) and "{{" in _TAG.sub("", text):
            raise Trouble(
                f"the template fails: a {{{{ has no }}}}: {text[:QUOTED]}",
                at=(*at, *field),
                rule="template",
                help="close the tag",
            )


def typed(value: Any) -> Any:
    """Parameters as gitops-words reads them: what holds nothing but texts is marked."""
    if isinstance(value, values.Texts | values.TextList):
        return {_TEXTS: value}
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
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
