"""Helmfiles as far as they need no templates: which releases there are, of which charts, with which values.

What only a template, a base or a remote helmfile could tell is named as not seen, and never guessed.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from review_bot.core.errors import YamlError
from review_bot.core.globs import matches
from review_bot.core.jenkins_x.layout import HELMFILE, VERSIONS
from review_bot.core.model import Severity, Source, Tree
from review_bot.core.yaml_reader import Document, parse

# Helmfiles that name each other end here.
MOST_FILES = 500
MOST_KEPT = 1 << 16
DEFAULT_NAMESPACE = "default"
# Value files that Jenkins X writes before it runs helmfile.
GENERATED = ("jx-values.yaml",)


@dataclass(frozen=True)
class Release:
    """A release: `chart` as it is written, `folder` where it is a chart of this repository; paths from its root.

    `on` is False where its condition or `installed` switches it off, None if that can't be seen. `unseen` says what
    else of it can't: then what it renders to is not known.
    """

    name: str
    namespace: str
    chart: str
    version: str
    source: Source
    folder: str | None = None
    values: tuple[str, ...] = ()
    on: bool | None = True
    condition: str = ""
    unseen: tuple[str, ...] = ()
    reads: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Problem:
    message: str
    help: str
    source: Source
    severity: Severity
    hides: bool = False


@dataclass
class Helmfiles:
    """What the helmfile of a tree leads to, and what of it can't be seen; a problem that `hides` may hide releases."""

    releases: list[Release] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not any(problem.hides for problem in self.problems)


@dataclass(frozen=True)
class _File:
    """A helmfile: its documents put together, the later one winning, and where a field stands."""

    path: str
    content: Mapping[str, Any]
    documents: tuple[Document, ...]

    def at(self, *path: str | int) -> Source:
        for document in reversed(self.documents):
            if path in document.lines:
                return Source(self.path, document.lines[path])
        return Source(self.path, 1)

    def beside(self, reference: str) -> str:
        """The path from the repository's root of what the file names."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.path), reference))


def read_all(tree: Tree, root: str = HELMFILE) -> Helmfiles:
    """Every release that the helmfile at `root` leads to; nothing where there is none."""
    found = Helmfiles()
    if root in tree.entries():
        pending, seen = [root], {root}
        while pending and len(seen) <= MOST_FILES:
            path = pending.pop(0)
            file = _read(tree, path, found)
            if file is None:
                continue
            found.releases += [_release(tree, file, i, r, found) for i, r in _listed(file, "releases")]
            for following in _following(tree, file, found):
                if following not in seen:
                    seen.add(following)
                    pending.append(following)
    return found


def _read(tree: Tree, path: str, found: Helmfiles) -> _File | None:
    data = tree.read(path) or b""
    try:
        file = _parsed(data, path)
    except YamlError as error:
        place = Source(path, error.line)
        if b"{{" in data:
            help = "see what it leads to in config-root/, once that is generated again"
            message = f"{path} needs templating, so its releases are not seen"
            found.problems.append(Problem(message, help, place, Severity.WARNING, hides=True))
        else:
            message = f"{path}: {error.message}"
            found.problems.append(Problem(message, "mend its YAML", place, Severity.ERROR, hides=True))
        return None
    if file.content.get("bases"):
        message = f"the bases of {path} are not followed, so what they add to it is not seen"
        found.problems.append(
            Problem(message, "write it into the helmfile", file.at("bases"), Severity.NOTICE, hides=True)
        )
    return file


def _parsed(data: bytes, path: str) -> _File:
    # Read again and again, by planning and by what follows; what is large is not worth keeping.
    return _remembered(data, path) if len(data) < MOST_KEPT else _put_together(data, path)


@lru_cache(maxsize=256)
def _remembered(data: bytes, path: str) -> _File:
    return _put_together(data, path)


def _put_together(data: bytes, path: str) -> _File:
    documents = parse(data, path=path)
    content: dict[str, Any] = {}
    for document in documents:
        if isinstance(document.value, dict):
            content |= document.value
    return _File(path, content, documents)


def _listed(file: _File, key: str) -> Iterator[tuple[int, Any]]:
    value = file.content.get(key)
    yield from enumerate(value if isinstance(value, list) else ())


def _following(tree: Tree, file: _File, found: Helmfiles) -> Iterator[str]:
    for index, entry in _listed(file, "helmfiles"):
        written = entry.get("path") if isinstance(entry, dict) else entry
        place = file.at("helmfiles", index)
        if not isinstance(written, str) or "{{" in written or "://" in written or "::" in written:
            message = f"{written} lies elsewhere or needs templating, so its releases are not seen"
            found.problems.append(Problem(message, "keep it in this repository", place, Severity.NOTICE, hides=True))
            continue
        path = file.beside(written)
        start = path.partition("*")[0]
        inside = [p for p in tree.entries() if p.startswith(start) and matches(path, p)] if "*" in path else [path]
        known = sorted(p for p in inside if p in tree.entries())
        if not known:
            message = f"there is no helmfile {path}"
            help = "add it, or take the entry away"
            found.problems.append(Problem(message, help, place, Severity.ERROR, hides=True))
        for one in known:
            if one.endswith(".gotmpl"):
                message = f"{one} needs templating, so its releases are not seen"
                found.problems.append(Problem(message, "see config-root/", place, Severity.WARNING, hides=True))
            else:
                yield one


def _release(tree: Tree, file: _File, index: int, raw: Any, found: Helmfiles) -> Release:
    raw = raw if isinstance(raw, dict) else {}
    chart, version = _text(raw.get("chart")), _text(raw.get("version"))
    values, unseen = _values(file, raw)
    on, asked = _switched(tree, file, raw)
    folder = file.beside(chart)
    local = chart != "" and f"{folder}/Chart.yaml" in tree.entries()
    stream = f"{VERSIONS}/charts/{chart}/defaults.yaml"
    release = Release(
        name=_text(raw.get("name")),
        # The helmfile's namespace beats the release's own.
        namespace=_text(file.content.get("namespace")) or _text(raw.get("namespace")) or DEFAULT_NAMESPACE,
        chart=chart,
        version=version or ("" if local else _pinned(tree, stream)),
        source=file.at("releases", index),
        folder=folder if local else None,
        values=values,
        on=on,
        condition=_text(raw.get("condition")),
        unseen=tuple(unseen),
        reads=frozenset({file.path, *values, *asked, *([] if version or local else [stream])}),
    )
    if on is not False:
        found.problems += _missing(tree, file, index, raw, release)
    return release


def _missing(tree: Tree, file: _File, index: int, raw: Mapping[str, Any], release: Release) -> Iterator[Problem]:
    """Value files that are not there: helmfile stops at them, unless it is told not to."""
    handlers = [raw.get("missingFileHandler"), file.content.get("missingFileHandler")]
    listed = raw.get("values")
    for number, value in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(value, str) or any(c in value for c in "*{:") or posixpath.basename(value) in GENERATED:
            continue
        path = file.beside(value)
        if path not in tree.entries() and not any(h not in (None, "Error") for h in handlers):
            message = f"release {release.name} takes values from {path}, which does not exist"
            place = file.at("releases", index, "values", number)
            yield Problem(message, "add it, or take it out of values", place, Severity.ERROR)


def _pinned(tree: Tree, path: str) -> str:
    """The version that a file of the version stream has for its chart."""
    data = tree.read(path)
    if not data:
        return ""
    try:
        return _text(_parsed(data, path).content.get("version"))
    except YamlError:
        return ""


def _values(file: _File, raw: Mapping[str, Any]) -> tuple[tuple[str, ...], list[str]]:
    """The value files, and what changes values in ways that are not followed."""
    found, unseen = [], []
    listed = raw.get("values")
    for value in listed if isinstance(listed, list) else ():
        if isinstance(value, str) and not value.endswith(".gotmpl") and not any(c in value for c in "*{:"):
            found.append(file.beside(value))
        else:
            unseen.append(value if isinstance(value, str) else "values within the helmfile")
    unseen += [key for key in ("set", "setString", "secrets", "valuesTemplate", "inherit", "hooks") if raw.get(key)]
    unseen += [f"{{{{…}}}} in {key}" for key in ("name", "chart", "version") if "{{" in _text(raw.get(key))]
    return tuple(found), list(dict.fromkeys(unseen))


def _switched(tree: Tree, file: _File, raw: Mapping[str, Any]) -> tuple[bool | None, set[str]]:
    """Is the release switched on, and which files say so?"""
    installed, condition = raw.get("installed", True), _text(raw.get("condition"))
    if installed is False:
        return False, set()
    if not isinstance(installed, bool):
        return None, set()
    if not condition:
        return True, set()
    values, asked, whole = _environment(tree, file)
    found: Any = values
    for step in condition.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return (found is True if whole and found is not None else None), asked


def _environment(tree: Tree, file: _File) -> tuple[dict[str, Any], set[str], bool]:
    """The values of the default environment, from which files, and whether that is all of them."""
    environments = file.content.get("environments")
    default = environments.get("default") if isinstance(environments, dict) else None
    listed = default.get("values") if isinstance(default, dict) else None
    values: dict[str, Any] = {}
    asked: set[str] = set()
    whole = True
    for value in listed if isinstance(listed, list) else ():
        if isinstance(value, dict):
            values |= value
            continue
        path = file.beside(str(value))
        asked.add(path)
        try:
            values |= _parsed(tree.read(path) or b"", path).content
            whole = whole and not path.endswith(".gotmpl")
        except YamlError:
            whole = False
    return values, asked, whole


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""
