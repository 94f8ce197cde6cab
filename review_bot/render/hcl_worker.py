"""Reads HCL in a process of its own: each line of stdin is a file's text as JSON, each line of stdout its blocks.

Run as a file, not as a module: it imports the parser and nothing of ours, which keeps it quick. It has a process of its
own since a file can be written so that a parser takes for ever over it, and a process can be ended.

A block is `{"type", "labels", "line", "body", "lines"}`. In a body, nested blocks are lists of bodies (with labels:
lists of mappings from the label), literals are what they mean, and every other expression is a text `${…}` that no
comment and no space tells from an equal one. `lines` are pairs of a path into the body and its line.
"""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import hcl2
from hcl2.rules.base import AttributeRule, BlockRule, BodyRule
from hcl2.rules.containers import ObjectRule, TupleRule
from hcl2.rules.expressions import ExprTermRule
from hcl2.utils import SerializationOptions
from lark.exceptions import LarkError, UnexpectedInput

VALUES = SerializationOptions(
    with_comments=False, explicit_blocks=False, preserve_heredocs=False, strip_string_quotes=True
)
Path = tuple[str | int, ...]
Lines = list[tuple[Path, int]]


class Refused(Exception):
    """The text is HCL by its grammar, and still no configuration."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def main() -> None:
    sys.setrecursionlimit(5000)
    for line in sys.stdin:
        print(json.dumps(read(json.loads(line))), flush=True)


def read(text: str) -> dict[str, Any]:
    """`{"blocks": […]}` (the file's own attributes are a block without a type), or `{"error", "line"}`."""
    try:
        body = hcl2.parses(text).body
        return {"blocks": [_own(body), *(_block(b) for b in body.children if isinstance(b, BlockRule))]}
    except Refused as refused:
        return {"error": str(refused), "line": refused.line}
    except UnexpectedInput as unexpected:
        return {"error": _cause(unexpected, text), "line": _line(unexpected, text)}
    except RecursionError:
        return {"error": "it is nested too deeply to be read", "line": 1}
    except (LarkError, ValueError, RuntimeError) as error:
        return {"error": str(error).partition("\n")[0], "line": 1}


def _own(body: Any) -> dict[str, Any]:
    lines: Lines = []
    return {"type": "", "labels": [], "line": 1, "body": _attributes(body, (), lines), "lines": lines}


def _block(block: Any) -> dict[str, Any]:
    name, *labels = [str(label.serialize(VALUES)) for label in block.labels]
    lines: Lines = [((), block._meta.line)]
    body = _body(block.body, (), lines)
    return {"type": name, "labels": labels, "line": block._meta.line, "body": body, "lines": lines}


def _body(body: BodyRule, path: Path, lines: Lines) -> dict[str, Any]:
    found = _attributes(body, path, lines)
    attributes = set(found)
    for child in body.children:
        if not isinstance(child, BlockRule):
            continue
        name, *labels = [str(label.serialize(VALUES)) for label in child.labels]
        line = child._meta.line
        if name in attributes:
            raise Refused(f"{name} is an argument and a block", line)
        same = found.setdefault(name, [])
        place: Path = (*path, name, len(same))
        lines.append((place, line))
        inner = _body(child.body, (*place, *labels), lines)
        for label in reversed(labels):
            inner = {label: inner}
        same.append(inner)
    return found


def _attributes(body: Any, path: Path, lines: Lines) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for child in body.children:
        if isinstance(child, AttributeRule):
            name = str(child.identifier.serialize(VALUES))
            line = child._meta.line
            if name in found:
                raise Refused(f"{name} is set twice", line)
            lines.append(((*path, name), line))
            found[name] = _value(child.expression, (*path, name), lines)
    return found


def _value(term: Any, path: Path, lines: Lines) -> Any:
    inner = term.expression if isinstance(term, ExprTermRule) and not term.parentheses else term
    if isinstance(inner, ObjectRule):
        found: dict[str, Any] = {}
        for element in inner.elements:
            name = str(element.key.serialize(VALUES))
            lines.append(((*path, name), element._meta.line))
            found[name] = _value(element.expression, (*path, name), lines)
        return found
    if isinstance(inner, TupleRule):
        items = []
        for index, item in enumerate(inner.elements):
            lines.append(((*path, index), item._meta.line))
            items.append(_value(item, (*path, index), lines))
        return items
    value = term.serialize(VALUES)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _line(unexpected: UnexpectedInput, text: str) -> int:
    last = text.count("\n") + 1
    return min(unexpected.line, last) if isinstance(unexpected.line, int) and unexpected.line > 0 else last


def _cause(unexpected: UnexpectedInput, text: str) -> str:
    position = unexpected.pos_in_stream
    if not isinstance(position, int) or position < 0 or position >= len(text.rstrip()):
        return "the file ends within a block or an expression"
    if text[position] in "\r\n":
        return "the line ends where more is expected"
    word = text[position:].split(maxsplit=1)[0][:20]
    return f"{word} is not expected here"


if __name__ == "__main__":
    main()
