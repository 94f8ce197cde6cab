"""What a Terraform file refers to, found in its bytes: planning asks this of many files and parses none of them.

Which modules it calls is found exactly, since that decides what is a target. Of the files that it reads too many may be
found, never too few.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LOCAL = ("./", "../")
# Where a path starts: at the module's folder, or at the root module's, in which Terraform runs.
MODULE, ROOT = "module", "root"

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+)|(?P<comment>\#[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<heredoc><<-?(?P<mark>[A-Za-z][\w.-]*)\r?\n)
    |(?P<word>[A-Za-z_][\w-]*)|(?P<quote>")|(?P<open>[{\[(])|(?P<close>[}\])])|(?P<other>.)""",
    re.S | re.X,
)
_IN_STRING = re.compile(r"\\.|[$%]\{|\"|\{|\}", re.S)
_FILE_CALL = re.compile(
    r"\b(?P<name>file(?:base64|md5|exists|set|sha(?:1|256|512)|base64sha(?:256|512))?|templatefile)\s*\(\s*"
    r"""(?:\\?"(?P<path>[^"\\]*)\\?"\s*[,)])?"""
)
_PATH = re.compile(r"\$\{\s*path\.(?P<where>module|root|cwd)\s*\}/?")


@dataclass(frozen=True, slots=True)
class FileReference:
    """A file that is read, or with `all_below` a folder of which every file may be; `start` is MODULE or ROOT."""

    start: str
    path: str
    all_below: bool = False


@dataclass(frozen=True, slots=True)
class Scan:
    """`calls` are the sources of local modules as they are written; `unclear`: one of them is put together by parts."""

    calls: frozenset[str] = frozenset()
    files: frozenset[FileReference] = frozenset()
    unclear: bool = False


def scan(path: str, data: bytes) -> Scan:
    """What the file refers to; one that is broken refers to what can be made out."""
    text = data.decode(errors="replace")
    if not any(word in text for word in ("module", "file")):
        return Scan()
    found = _json_sources(text) if path.endswith(".json") else _sources(text)
    sources = [source for source in found if source.startswith(LOCAL)]
    calls = frozenset(source for source in sources if "${" not in source)
    return Scan(calls, frozenset(_file_references(text)), len(calls) < len(set(sources)))


def _file_references(text: str) -> Iterator[FileReference]:
    for match in _FILE_CALL.finditer(text):
        path = match["path"]
        if path is None:
            yield FileReference(MODULE, ".", all_below=True)
            continue
        where = _PATH.match(path)
        start = MODULE if where and where["where"] == "module" else ROOT
        rest = path[where.end() :] if where else path
        known, unknown, _ = rest.partition("${")
        if unknown:
            yield FileReference(start, known.rpartition("/")[0] or ".", all_below=True)
            # What is put together may lead anywhere in the module's own folder.
            yield FileReference(MODULE, ".", all_below=True)
        elif rest and not rest.startswith("/"):
            yield FileReference(start, rest, all_below=match["name"] == "fileset")
        elif not rest:
            yield FileReference(start, ".", all_below=True)


def _sources(text: str) -> Iterator[str]:
    """The sources of `module "…" { source = "…" }` at the top of a file."""
    depth, words, in_module = 0, list[str](), False
    for kind, value in _tokens(text):
        if kind == "open":
            if depth == 0:
                in_module = value == "{" and words[:1] == ["module"]
            depth += 1
            words = []
        elif kind == "close":
            depth = max(0, depth - 1)
            words = []
        elif kind == "string" and depth == 1 and in_module and words == ["source", "="]:
            yield value
            words = []
        elif kind == "line":
            words = []
        elif kind in ("word", "other", "string"):
            words.append(value)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return
        at, kind = match.end(), str(match.lastgroup)
        if match["heredoc"]:
            end = re.compile(rf"^[ \t]*{re.escape(match['mark'])}[ \t\r]*$", re.M).search(text, at)
            at = end.end() if end else len(text)
        elif kind == "quote":
            end_of_string = _string_end(text, at)
            yield "string", text[at : end_of_string - 1]
            at = end_of_string
        elif kind == "other" and match[0] == "\n":
            yield "line", ""
        elif kind not in ("space", "comment"):
            yield kind, match[0]


def _string_end(text: str, at: int) -> int:
    """The place behind a string that began before `at`; what is interpolated may hold strings of its own."""
    inside = ['"']
    for match in _IN_STRING.finditer(text, at):
        found = match[0]
        if found == '"':
            if inside[-1] == '"':
                inside.pop()
                if not inside:
                    return match.end()
            else:
                inside.append('"')
        elif found in ("${", "%{") or (found == "{" and inside[-1] == "{"):
            inside.append("{")
        elif found == "}" and inside[-1] == "{":
            inside.pop()
    return len(text) + 1


def _json_sources(text: str) -> Iterator[str]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    for module in _mappings(document.get("module") if isinstance(document, dict) else None):
        for body in module.values():
            for one in _mappings(body):
                if isinstance(one.get("source"), str):
                    yield one["source"]


def _mappings(value: Any) -> list[dict[str, Any]]:
    """JSON writes several blocks as a list, one as itself."""
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, dict)]
