"""The git generator: parameters from the directories and from the files of a repository."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice, takewhile
from typing import Any

from review_bot.core.argocd import patterns, values
from review_bot.core.argocd.place import is_copied
from review_bot.core.argocd.problems import Trouble
from review_bot.core.closure import join
from review_bot.core.delivery import Surroundings
from review_bot.core.errors import YamlError
from review_bot.core.graft import folders_of
from review_bot.core.model import FieldPath
from review_bot.core.yaml_reader import load_first


def directories(root: str, wanted: list[Mapping[str, Any]], around: Surroundings, at: FieldPath) -> list[str]:
    """The folders that a pattern matches and none excludes, by their path in the repository, sorted."""
    chosen, excluded = _patterns(wanted, at)
    known = folders(root, around)
    found = {folder for pattern in chosen for folder in _matching(pattern, known)}
    return sorted(found.difference(*(_matching(pattern, known) for pattern in excluded)))


def _matching(pattern: str, known: Sequence[str]) -> list[str]:
    """The folders that match, looked for only among those that begin as the pattern does."""
    fixed = patterns.fixed(pattern)
    start = bisect_left(known, fixed)
    return [
        folder
        for folder in takewhile(lambda folder: folder.startswith(fixed), islice(known, start, None))
        if patterns.of_directories(pattern, folder)
    ]


def folders(root: str, around: Surroundings) -> list[str]:
    """Every folder of the repository of which no part begins with a dot, sorted; the root is none."""
    found = around.graft.folders if root == "." else folders_of(_own(root, around))
    return [f for f in found if not f.startswith(".") and "/." not in f]


def files(root: str, wanted: list[Mapping[str, Any]], around: Surroundings, at: FieldPath) -> list[str]:
    """The files that a pattern matches and none excludes, by their path in the repository, sorted."""
    chosen, excluded = _patterns(wanted, at)
    return sorted(
        path
        for path in _own(root, around)
        if any(patterns.of_files(p, path) for p in chosen) and not any(patterns.of_files(p, path) for p in excluded)
    )


def contents(root: str, paths: list[str], around: Surroundings) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Every mapping in the files, with the file's path in the repository. Raises Trouble."""
    data = around.files.tree.read_many([join(root, path) for path in paths])
    for path in paths:
        try:
            rows = _mappings(data.get(join(root, path), b""))
        except YamlError as error:
            raise Trouble(error.message, path=join(root, path), line=error.line, rule="parameter-file") from error
        if rows is None:
            raise Trouble(
                "a mapping of parameters is expected, or a list of such",
                path=join(root, path),
                line=1,
                rule="parameter-file",
            )
        for row in rows:
            yield path, row


@lru_cache(maxsize=4096)
def _mappings(data: bytes) -> tuple[Mapping[str, Any], ...] | None:
    value = load_first(data, path="parameters")
    rows = value if isinstance(value, list) else [{} if value is None else value]
    return tuple(rows) if all(isinstance(row, dict) for row in rows) else None


def path_of_directory(path: str, go: bool, prefix: str) -> dict[str, Any]:
    """The parameters that tell of a folder."""
    name = posixpath.basename(path)
    about = {"path": path, "basename": name, "basenameNormalized": values.normalized(name)}
    return _nested(about, prefix) if go else _flat(about, prefix)


def path_of_file(path: str, go: bool, prefix: str) -> dict[str, Any]:
    """The parameters that tell of a file."""
    folder, name = posixpath.dirname(path) or ".", posixpath.basename(path)
    about = {
        "path": folder,
        "basename": posixpath.basename(folder),
        "filename": name,
        "basenameNormalized": values.normalized(posixpath.basename(folder)),
        "filenameNormalized": values.normalized(name),
    }
    return _nested(about, prefix) if go else _flat(about, prefix)


def _nested(about: Mapping[str, str], prefix: str) -> dict[str, Any]:
    path = {**about, "segments": values.TextList(about["path"].split("/"))}
    return {prefix: {"path": path}} if prefix else {"path": path}


def _flat(about: Mapping[str, str], prefix: str) -> dict[str, Any]:
    name = f"{prefix}.path" if prefix else "path"
    found: dict[str, Any] = {f"{name}.{key}": value for key, value in about.items() if key != "path"}
    segments = {f"{name}[{i}]": part for i, part in enumerate(about["path"].split("/")) if part}
    return {name: about["path"]} | found | segments


def _patterns(wanted: list[Mapping[str, Any]], at: FieldPath) -> tuple[list[str], list[str]]:
    chosen: list[str] = []
    excluded: list[str] = []
    for number, row in enumerate(wanted):
        pattern = values.text(row.get("path"), "path", (*at, number, "path"))
        (excluded if row.get("exclude") is True else chosen).append(pattern)
    return chosen, excluded


def _own(root: str, around: Surroundings) -> Iterable[str]:
    """The repository's files, without what was generated or fetched beside them."""
    if root == ".":
        return around.graft.own
    start = len(root) + 1
    return (path[start:] for path in around.files.below(root) if not is_copied(path, root, around.graft))
