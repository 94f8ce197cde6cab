"""A YAML file of settings, checked by its JSON Schema; what is wrong is told with its line and what was expected."""

from __future__ import annotations

import difflib
from typing import Any

from review_bot.core.errors import UsageError, YamlError
from review_bot.core.model import FieldPath
from review_bot.core.yaml_reader import Document, parse


def read(text: bytes, *, path: str, schema: dict[str, Any], help: str) -> Document:
    """The one document of the file, valid by the schema. Raises UsageError with path, line and `help`."""
    try:
        documents = parse(text, path=path)
    except YamlError as error:
        raise UsageError(error.message, path=path, line=error.line, help=error.help or help) from error
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise UsageError("one mapping that begins with `version: 1` is expected", path=path, line=1, help=help)
    import jsonschema_rs

    if not jsonschema_rs.Draft202012Validator(schema).is_valid(documents[0].value):
        _explain(documents[0], path, schema, help)
    return documents[0]


def line_of(document: Document, place: FieldPath) -> int:
    """The line of a field, else that of its nearest known parent."""
    for end in range(len(place), -1, -1):
        if place[:end] in document.lines:
            return document.lines[place[:end]]
    return document.line


def dotted(place: FieldPath) -> str:
    """A field's path as people write it."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in place).removeprefix(".")


def _explain(document: Document, path: str, schema: dict[str, Any], help: str) -> None:
    # The slower library, loaded only here, says which branch of a choice was meant.
    import jsonschema

    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(document.value))
    if error is None:  # pragma: no cover - the two libraries agree on our schemas
        raise UsageError("the file does not match its schema", path=path, help=help)
    place: FieldPath = tuple(error.absolute_path)
    message, culprit = _words(error)
    line = line_of(document, (*place, culprit) if culprit else place)
    where = f"{dotted(place)}: " if place else ""
    raise UsageError(f"{where}{message}", path=path, line=line, help=help)


def _words(error: Any) -> tuple[str, str | None]:
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = next(key for key in error.instance if key not in known)
        near = difflib.get_close_matches(unknown, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        return f"the key {unknown!r} is not known here; {hint}", unknown
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"the key {missing!r} is missing", None
    if error.validator in ("enum", "const"):
        allowed = error.validator_value if error.validator == "enum" else [error.validator_value]
        return f"{error.instance!r} is not one of {', '.join(repr(a) for a in allowed)}", None
    if error.validator == "type":
        return f"{error.instance!r} is not of the type {error.validator_value}", None
    if error.validator == "oneOf":
        return f"exactly one of {_choices(error)} is expected", None
    return str(error.message), None


def _choices(error: Any) -> str:
    """What a choice asks for, where its branches differ by the key that they require."""
    *keys, last = [key for branch in error.validator_value for key in branch.get("required", ())]
    return f"{', '.join(keys)} and {last}"
