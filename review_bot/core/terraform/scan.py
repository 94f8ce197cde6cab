"""What a Terraform file refers to, found in its bytes: planning asks this of many files and parses none of them.

Which modules it calls is found exactly, since that decides what is a target. Of the files that it reads too many may be
found, never too few.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

LOCAL = ("./", "../")
# Where a path starts: at the module's folder, or at the root module's, in which Terraform runs.
MODULE, ROOT = "module", "root"

_WORD = re.compile(
    r"""\#[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:[^"\\$%\n]|\\.|[$%](?!\{))*"
    |(?P<heredoc><<-?(?P<mark>[A-Za-z][\w.-]*)\r?\n)|(?P<quote>")|(?P<open>[{\[(])|(?P<close>[}\])])
    |(?P<word>(?<![\w.-])(?:module|source)(?![\w-]))""",
    re.S | re.X,
)
_SPACE = r"(?:\s|/\*.*?\*/)*"
_HEADER = re.compile(rf'module{_SPACE}(?:"[^"\n]*"|[\w-]+){_SPACE}\{{', re.S)
_SOURCE = re.compile(rf'source{_SPACE}=(?![=>]){_SPACE}"(?P<text>(?:[^"\\]|\\.)*)"', re.S)
_UNCLEAR = re.compile(rb"source[^\n]*(?:\$\{|\\)")
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


class Scan:
    """What one file refers to, each found when it is asked for; a broken file refers to what can be made out."""

    def __init__(self, path: str, data: bytes) -> None:
        self._data = data
        self._json = path.endswith(".json")

    @cached_property
    def calls(self) -> frozenset[str]:
        """The sources of local modules, as they are written."""
        return frozenset(source for source in self._local if not _in_parts(source))

    @property
    def may_be_unclear(self) -> bool:
        """A quick look that says no in nearly every case: does any source hold an expression or an escape?"""
        return _UNCLEAR.search(self._data) is not None

    @cached_property
    def unclear(self) -> bool:
        """Is a source put together by parts, so that it may be any module?"""
        return any(_in_parts(source) for source in self._local)

    @cached_property
    def files(self) -> frozenset[FileReference]:
        """The files that functions read."""
        return frozenset(_file_references(self._text())) if b"file" in self._data else frozenset()

    @cached_property
    def _local(self) -> frozenset[str]:
        if b"module" not in self._data or b"source" not in self._data:
            return frozenset()
        found = _json_sources(self._text()) if self._json else _sources(self._text())
        return frozenset(source for source in found if source.startswith(LOCAL) or "\\" in source)

    def _text(self) -> str:
        return self._data.decode(errors="replace")


def _in_parts(source: str) -> bool:
    return "${" in source or "\\" in source


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
    depth, in_module, at = 0, False, 0
    while match := _WORD.search(text, at):
        at, kind = match.end(), match.lastgroup
        if match["heredoc"]:
            end = re.compile(rf"^[ \t]*{re.escape(match['mark'])}[ \t\r]*$", re.M).search(text, at)
            at = end.end() if end else len(text)
        elif kind == "quote":
            at = _string_end(text, at)
        elif kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
        elif match["word"] == "module" and depth == 0:
            header = _HEADER.match(text, match.start())
            if header:
                depth, in_module, at = 1, True, header.end()
        elif match["word"] == "source" and depth == 1 and in_module:
            source = _SOURCE.match(text, match.start())
            if source:
                at = source.end()
                yield source["text"]
        in_module = in_module and depth > 0


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
    return len(text)


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
