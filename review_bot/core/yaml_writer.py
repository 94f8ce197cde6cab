"""Write manifests as YAML that YAML 1.1, YAML 1.2 and Kubernetes read alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import yaml

from review_bot.core.model import Manifest

# A plain text must start with a letter and look like nothing but text in every reader's eye.
_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*\Z")
LONGEST_KEY = 100
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"])


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _string(dumper: Any, text: str) -> Any:
    if _SAFE.match(text) and text.lower() not in _WORDS:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text)
    literal = "\n" in text and _literal(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if literal else '"')


def _literal(text: str) -> bool:
    """A literal block keeps these texts to the letter; the rest goes into double quotes."""
    lines = text.split("\n")
    plain = all(line == line.rstrip() and line.isprintable() and "\ufeff" not in line for line in lines)
    return plain and not lines[0].startswith(" ") and bool(lines[0])


_Dumper.add_representer(str, _string)


def dump(manifests: Iterable[Manifest]) -> str:
    """Documents divided by `---`, keys in the manifest's order; strings are quoted wherever a reader could differ."""
    return "---\n".join(one(manifest) for manifest in manifests)


def one(value: Mapping[str, Any]) -> str:
    """One document."""
    rows: list[str] = []
    try:
        _mapping(value, "", "", rows)
    except _Unusual:
        return _by_the_library(value)
    return "\n".join(rows) + "\n"


class _Unusual(Exception):
    """A value that only the library knows how to write."""


def _by_the_library(value: Any) -> str:
    text = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=False, sort_keys=False, allow_unicode=True, width=2**31 - 1
    )
    # It marks the end of a document whose last text ends in empty lines; a divider or the end tells as much.
    return str(text).removesuffix("...\n")


# Below: what the library would write for what manifests are made of, four times as fast. A test compares the two.


def _mapping(value: Mapping[str, Any], indent: str, first: str, rows: list[str]) -> None:
    """Write a block; `first` stands before its first row instead of the indent (the dash of a list's item)."""
    if not value:
        rows.append(f"{first or indent}{{}}")
        return
    lead = first or indent
    for key, item in value.items():
        text = _short_text(key)
        # Most values are texts, and asking whether something is a Mapping is slow.
        if type(item) is str:
            rows.append(f"{lead}{text}: {_string_in(item, indent)}")
        elif isinstance(item, Mapping) and item:
            rows.append(f"{lead}{text}:")
            _mapping(item, f"{indent}  ", "", rows)
        elif isinstance(item, list) and item:
            rows.append(f"{lead}{text}:")
            # A list in a mapping is not indented.
            _sequence(item, indent, "", rows)
        else:
            rows.append(f"{lead}{text}: {_scalar(item, indent)}")
        lead = indent


def _sequence(value: list[Any], indent: str, first: str, rows: list[str]) -> None:
    lead = first or indent
    for item in value:
        if isinstance(item, Mapping) and item:
            _mapping(item, f"{indent}  ", f"{lead}- ", rows)
        elif isinstance(item, list) and item:
            _sequence(item, f"{indent}  ", f"{lead}- ", rows)
        else:
            rows.append(f"{lead}- {_scalar(item, indent)}")
        lead = indent


def _scalar(value: Any, indent: str) -> str:
    kind = type(value)
    if kind is str:
        return _string_in(value, indent)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if value is None:
        return "null"
    if isinstance(value, Mapping | list) and not value:
        return "{}" if isinstance(value, Mapping) else "[]"
    raise _Unusual


def _string_in(text: str, indent: str) -> str:
    return _block(text, indent) if "\n" in text else _text(text)


def _text(text: str) -> str:
    if _SAFE.match(text) and text.lower() not in _WORDS:
        return text
    if text.isascii() and text.isprintable():
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"'
    raise _Unusual


# The same few keys stand in all manifests.
@lru_cache(maxsize=4096)
def _short_text(key: Any) -> str:
    # Longer keys are written in another form.
    if type(key) is not str or len(key) > LONGEST_KEY:
        raise _Unusual
    return _text(key)


def _block(text: str, indent: str) -> str:
    if not _literal(text):
        raise _Unusual
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    mark = "|-" if ends == 0 else "|" if ends == 1 else "|+"
    lines = [f"{indent}  {line}" if line else "" for line in body.split("\n")]
    return "\n".join([mark, *lines, *[""] * (ends - 1)])
