"""Read YAML as Kubernetes does, with the line of every field, under limits that hostile input can't pass.

PyYAML's C parser gives the events; the builder is ours, since the rules of scalars, keys and merges are those of
sigs.k8s.io/yaml and the lines are wanted in the same pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from review_bot.core.errors import YamlError
from review_bot.core.model import FieldPath
from review_bot.core.yaml_scalars import ScalarError, key_text, resolve, tagged

# The stubs call marks optional; the C parser always sets them.
Event = Any
MAX_BYTES = 32 * 1024 * 1024
MAX_NODES = 2_000_000
MAX_DEPTH = 200
MERGE_TAG = "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class Document:
    """One document: `value` as JSON would hold it, `line` its first, `lines` those of its fields, all 1-based."""

    value: Any
    line: int
    lines: Mapping[FieldPath, int]


def parse(data: bytes, *, path: str, strict: bool = True) -> tuple[Document, ...]:
    """Every document of a file that is not empty. `strict` refuses duplicate keys, else the last one wins.

    Raises YamlError with path and line.
    """
    if len(data) > MAX_BYTES:
        raise YamlError(f"the file is larger than {MAX_BYTES >> 20} MiB", path=path)
    return _Builder(_text(data, path), path, strict).documents()


def load(data: bytes, *, path: str) -> Any:
    """The value of a file that holds one document; None if it is empty. Raises YamlError, also for a second one."""
    documents = parse(data, path=path)
    if len(documents) > 1:
        raise YamlError("one document is expected, here a second one begins", path=path, line=documents[1].line)
    return documents[0].value if documents else None


def load_first(data: bytes, *, path: str) -> Any:
    """The value of a file's first document, as sigs.k8s.io/yaml's Unmarshal takes it: further ones are not looked at,
    and of a key that is there twice the last counts. None if the file is empty. Raises YamlError.
    """
    documents = parse(data, path=path, strict=False)
    return documents[0].value if documents else None


def _text(data: bytes, path: str) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise YamlError("the file is not UTF-8", path=path, line=line, help="save it as UTF-8") from error


@dataclass
class _Anchor:
    value: Any
    nodes: int
    lines: dict[FieldPath, int] = field(default_factory=dict)


class _Builder:
    """Turns events into values; one instance a file."""

    def __init__(self, text: str, path: str, strict: bool) -> None:
        self._path = path
        self._strict = strict
        self._last_line = max(1, len(text.splitlines()))
        self._nodes = 0
        self._anchors: dict[str, _Anchor] = {}
        self._lines: dict[FieldPath, int] = {}
        try:
            self._parser = CParser(text)
        except yaml.YAMLError as error:
            raise self._wrapped(error) from error
        self._next: Callable[[], Event] = self._parser.get_event

    def documents(self) -> tuple[Document, ...]:
        found = []
        try:
            while (event := self._next()) is not None:
                if isinstance(event, DocumentStartEvent):
                    document = self._document()
                    if document is not None:
                        found.append(document)
        except yaml.YAMLError as error:
            raise self._wrapped(error) from error
        return tuple(found)

    def _document(self) -> Document | None:
        self._anchors, self._lines = {}, {}
        event = self._next()
        line: int = event.start_mark.line + 1
        self._lines[()] = line
        value = self._node(event, (), 0)
        return None if value is None else Document(value, line, self._lines)

    def _node(self, event: Event, path: FieldPath, depth: int) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._error("the file expands to too many values (aliases of aliases?)", event)
        if isinstance(event, ScalarEvent):
            value = self._scalar(event)
            if event.anchor:
                self._anchors[event.anchor] = _Anchor(value, 1)
            return value
        if isinstance(event, AliasEvent):
            return self._alias(event)
        if depth >= MAX_DEPTH:
            raise self._error(f"values are nested deeper than {MAX_DEPTH} levels", event)
        before = self._nodes
        if isinstance(event, MappingStartEvent):
            value = self._mapping(event, path, depth)
        elif isinstance(event, SequenceStartEvent):
            value = self._sequence(path, depth)
        else:  # pragma: no cover - the parser gives no other event here
            raise self._error("a value is expected", event)
        if event.anchor:
            self._anchors[event.anchor] = _Anchor(value, self._nodes - before + 1)
        return value

    def _sequence(self, path: FieldPath, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            item = (*path, len(items))
            self._lines[item] = event.start_mark.line + 1
            items.append(self._node(event, item, depth + 1))
        return items

    def _mapping(self, start: Event, path: FieldPath, depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            if isinstance(event, ScalarEvent) and event.value == "<<" and (event.implicit[0] or event.tag == MERGE_TAG):
                self._merge(self._node(self._next(), (*path, "<<"), depth + 1), merged, event)
                continue
            key = self._key(event, depth)
            if key in value and self._strict:
                raise self._error(f"the key {key!r} stands twice in one mapping", event, "keep one of them")
            self._lines[(*path, key)] = event.start_mark.line + 1
            value[key] = self._node(self._next(), (*path, key), depth + 1)
        return {**merged, **value} if merged else value

    def _key(self, event: Event, depth: int) -> str:
        try:
            return key_text(self._node(event, (), depth + 1))
        except ScalarError as error:
            raise self._error(str(error), event) from error

    def _merge(self, source: Any, merged: dict[str, Any], event: Event) -> None:
        for mapping in source if isinstance(source, list) else [source]:
            if not isinstance(mapping, dict):
                raise self._error("<< takes a mapping or a list of mappings", event)
            for key, value in mapping.items():
                merged.setdefault(key, value)

    def _alias(self, event: Event) -> Any:
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            raise self._error(f"the alias *{event.anchor} names no anchor before it", event)
        self._nodes += anchor.nodes
        if self._nodes > MAX_NODES:
            raise self._error("the file expands to too many values (aliases of aliases?)", event)
        return anchor.value

    def _scalar(self, event: Event) -> Any:
        text: str = event.value
        try:
            if event.tag and event.tag != "!":
                return tagged(event.tag, text)
            return resolve(text) if event.implicit[0] and not event.tag else text
        except ScalarError as error:
            raise self._error(str(error), event) from error

    def _error(self, message: str, event: Event, help: str = "") -> YamlError:
        return YamlError(message, path=self._path, line=event.start_mark.line + 1, help=help)

    def _wrapped(self, error: yaml.YAMLError) -> YamlError:
        mark = getattr(error, "problem_mark", None)
        # What is missing at the end is told on the last line, not on one that does not exist.
        line = min(mark.line + 1, self._last_line) if mark else None
        parts = [str(p) for p in (getattr(error, "problem", None), getattr(error, "context", None)) if p]
        message = f"this is not YAML: {', '.join(parts) or ' '.join(str(error).split())}"
        return YamlError(message, path=self._path, line=line)
