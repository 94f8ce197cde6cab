"""OWNERS and OWNERS_ALIASES, as Prow and Jenkins X read them; what they would skip is an error here."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.core.errors import InputError, YamlError
from review_bot.core.yaml_reader import parse

NAME = "OWNERS"
ALIASES = "OWNERS_ALIASES"
_KNOWN = frozenset(
    [
        "approvers",
        "reviewers",
        "required_reviewers",
        "labels",
        "options",
        "filters",
        "emeritus_approvers",
        "emeritus_reviewers",
        "minimum_approvers",
    ]
)
_NESTED = re.compile(r"\([^)]*[+*][^)]*\)[+*{]")
LONGEST_FILTER = 200


@dataclass(frozen=True)
class OwnersFile:
    """One folder's file; `filters` are (expression, approvers), None where the file has none."""

    path: str
    approvers: tuple[str, ...]
    filters: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]
    no_parent: bool
    minimum: int = 1

    def approvers_of(self, relative: str) -> tuple[str, ...]:
        """Who this file names for a path below its folder; none means that the parent is asked."""
        if self.approvers:
            return self.approvers
        found = [a for expression, names in self.filters if expression.search(relative) for a in names]
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class Owners:
    """All files of a tree by folder ("" for the root); `broken` holds what can't be read."""

    files: Mapping[str, OwnersFile]
    broken: Mapping[str, InputError]
    any_named: bool

    def approvers_of(self, path: str) -> tuple[tuple[str, ...], OwnersFile | None]:
        """Everyone who may approve the path, nearest first, and the nearest file that names one.

        Raises the InputError of a file on the way that can't be read.
        """
        found: list[str] = []
        source: OwnersFile | None = None
        for folder in _ancestors(path):
            if folder in self.broken and path != posixpath.join(folder, NAME):
                raise self.broken[folder]
            file = self.files.get(folder)
            if file is None:
                continue
            names = file.approvers_of(path[len(folder) + 1 :] if folder else path)
            if names and source is None:
                source = file
            found += names
            if file.no_parent and names:
                break
        return tuple(dict.fromkeys(found)), source


def read(tree: Mapping[str, str]) -> Owners:
    """Every OWNERS file of the base. Raises InputError only for broken aliases: they concern every file."""
    aliases = _aliases(tree.get(ALIASES))
    files: dict[str, OwnersFile] = {}
    broken: dict[str, InputError] = {}
    for path, text in tree.items():
        if posixpath.basename(path) == NAME:
            folder = posixpath.dirname(path)
            try:
                files[folder] = _file(text, path, aliases)
            except InputError as error:
                broken[folder] = error
    named = any(f.approvers or any(names for _, names in f.filters) for f in files.values())
    return Owners(files, broken, named or bool(broken))


def _ancestors(path: str) -> Iterator[str]:
    folder = posixpath.dirname(path)
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""


def _load(text: str, path: str) -> tuple[Mapping[str, Any], Any]:
    try:
        documents = parse(text.encode(), path=path)
    except YamlError as error:
        raise InputError(error.message, path=path, line=error.line, help="mend the YAML") from error
    if not documents:
        return {}, None
    if len(documents) > 1 or not isinstance(documents[0].value, dict):
        raise InputError("a mapping such as `approvers: [login]` is expected", path=path, line=1)
    return documents[0].value, documents[0]


def _aliases(text: str | None) -> Mapping[str, tuple[str, ...]]:
    if text is None:
        return {}
    content, document = _load(text, ALIASES)
    aliases = content.get("aliases") or {}
    if not isinstance(aliases, dict):
        raise InputError("`aliases` must be a mapping", path=ALIASES, line=1)
    return {name.lower(): _logins(aliases, name, ALIASES, document, ("aliases", name)) for name in aliases}


def _file(text: str, path: str, aliases: Mapping[str, tuple[str, ...]]) -> OwnersFile:
    content, document = _load(text, path)
    for key in content:
        if key not in _KNOWN:
            raise InputError(f"the key {key!r} is not known", path=path, line=_line(document, (key,)))
    options = content.get("options") or {}
    if not isinstance(options, dict) or not isinstance(options.get("no_parent_owners", False), bool):
        raise InputError("`options` must be a mapping with no_parent_owners: true or false", path=path)
    minimum = content.get("minimum_approvers", 1)
    if not isinstance(minimum, int) or isinstance(minimum, bool) or minimum < 1:
        raise InputError(
            "`minimum_approvers` must be 1 or more", path=path, line=_line(document, ("minimum_approvers",))
        )
    approvers = _expanded(_logins(content, "approvers", path, document, ("approvers",)), aliases)
    _logins(content, "reviewers", path, document, ("reviewers",))
    return OwnersFile(
        path,
        approvers,
        _filters(content.get("filters"), path, document, aliases),
        bool(options.get("no_parent_owners", False)),
        minimum,
    )


def _filters(
    value: Any, path: str, document: Any, aliases: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise InputError("`filters` must be a mapping of expressions", path=path, line=_line(document, ("filters",)))
    found = []
    for expression, content in value.items():
        line = _line(document, ("filters", expression))
        if not isinstance(content, dict):
            raise InputError(f"the filter {expression!r} must hold approvers", path=path, line=line)
        if len(expression) > LONGEST_FILTER or _NESTED.search(expression):
            raise InputError(f"the filter {expression!r} is too costly to match", path=path, line=line)
        try:
            compiled = re.compile(expression)
        except re.error as error:
            raise InputError(f"the filter {expression!r} is no expression: {error}", path=path, line=line) from error
        names = _logins(content, "approvers", path, document, ("filters", expression, "approvers"))
        found.append((compiled, _expanded(names, aliases)))
    return tuple(found)


def _logins(content: Mapping[str, Any], key: str, path: str, document: Any, place: tuple[str, ...]) -> tuple[str, ...]:
    value = content.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
        raise InputError(f"`{key}` must be a list of logins", path=path, line=_line(document, place))
    return tuple(v.removeprefix("@") for v in value)


def _expanded(names: tuple[str, ...], aliases: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Aliases are replaced once: an alias within an alias is a login."""
    found = [login for name in names for login in aliases.get(name.lower(), (name,))]
    return tuple(dict.fromkeys(found))


def _line(document: Any, place: tuple[str, ...]) -> int | None:
    return document.lines.get(place) if document is not None else None
