"""Helmfiles in one of their environments: which releases there are, of which charts, with which values.

Templates are followed where they only name a field (fields.py). What more of a template, or what lies elsewhere, could
tell is named as not seen, and never guessed.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from review_bot.core.errors import YamlError
from review_bot.core.globs import matches
from review_bot.core.jenkins_x import environments, values
from review_bot.core.jenkins_x.documents import HelmfileText
from review_bot.core.jenkins_x.environments import DEFAULT, Environment
from review_bot.core.jenkins_x.fields import Unseen, filled
from review_bot.core.jenkins_x.layout import ROOTS, VERSIONS
from review_bot.core.model import Severity, Source, Tree

# All is read in each of these; one that declares more is told.
MOST_ENVIRONMENTS = 50
# Helmfiles that name each other end here.
MOST_FILES = 500
DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True)
class Release:
    """A release: `chart` as it is written, `folder` where it is a chart of this repository; paths from its root.

    `on` is False where its condition or `installed` switches it off, None if that can't be seen. `unseen` says what
    else of it can't: then what it renders to is not known. `sets` are helm's own words, over the values.
    """

    name: str
    namespace: str
    chart: str
    version: str
    source: Source
    folder: str | None = None
    values: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
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
    # All helmfiles that were read, those that are left out in the environment too.
    files: set[str] = field(default_factory=set)

    @property
    def whole(self) -> bool:
        return not any(problem.hides for problem in self.problems)


def root_of(tree: Tree) -> str | None:
    """The helmfile that helmfile would take by itself."""
    entries = tree.entries()
    return next((root for root in ROOTS if root in entries), None)


def declared(tree: Tree) -> tuple[str, ...]:
    """The environments that the helmfile at the root declares, the default one where it declares none."""
    root = root_of(tree)
    return environments.declared(tree, root)[:MOST_ENVIRONMENTS] if root is not None else ()


def shown(tree: Tree) -> str:
    """The environment that is spoken of: the default one, or the first where that is not declared."""
    names = declared(tree)
    return names[0] if names and DEFAULT not in names else DEFAULT


def read_all(tree: Tree, environment: str | None = None) -> Helmfiles:
    """Every release that the helmfile at the root leads to in an environment; nothing where there is none."""
    found = Helmfiles()
    root = root_of(tree)
    if root is not None:
        name = environment or shown(tree)
        if len(environments.declared(tree, root)) > MOST_ENVIRONMENTS:
            message = f"{root} declares more than {MOST_ENVIRONMENTS} environments, and only so many are looked at"
            help = "split it into several repositories"
            found.problems.append(Problem(message, help, Source(root, 1), Severity.ERROR, hides=True))
        # The files still to be read, and whether they are given values by who names them.
        pending, seen = [(root, False)], {root}
        while pending and len(seen) <= MOST_FILES:
            path, handed = pending.pop(0)
            found.files.add(path)
            file = _read(tree, path, name, handed, found)
            if file is None:
                continue
            env = environments.environment(tree, file, name)
            if not env.known:
                continue  # helmfile leaves it out
            env = replace(env, whole=env.whole and not handed)
            found.releases += [_release(tree, file, env, i, r, found) for i, r in file.listed("releases")]
            for following, given in _following(tree, file, found):
                if following not in seen:
                    seen.add(following)
                    pending.append((following, given))
    return found


def _read(tree: Tree, path: str, name: str, handed: bool, found: Helmfiles) -> HelmfileText | None:
    try:
        file, whole = environments.read(tree, path, name)
        if file.templated and handed:
            raise Unseen("with values that it is given")
    except Unseen as unseen:
        help = "see what it leads to in config-root/, once that is generated again"
        message = f"{path} needs templating ({unseen}), so its releases are not seen"
        found.problems.append(Problem(message, help, Source(path), Severity.WARNING, hides=True))
        return None
    except YamlError as error:
        message = f"{path}: {error.message}"
        found.problems.append(Problem(message, "mend its YAML", Source(path, error.line), Severity.ERROR, hides=True))
        return None
    if not whole:
        message = f"the bases of {path} are not followed, so what they add to it is not seen"
        found.problems.append(
            Problem(message, "write it into the helmfile", file.at("bases"), Severity.NOTICE, hides=True)
        )
    return file


def _following(tree: Tree, file: HelmfileText, found: Helmfiles) -> Iterator[tuple[str, bool]]:
    """The helmfiles that it names, and whether it gives them values."""
    for index, entry in file.listed("helmfiles"):
        written = entry.get("path") if isinstance(entry, dict) else entry
        place = file.at("helmfiles", index)
        handed = isinstance(entry, dict) and bool(entry.get("values"))
        moved = isinstance(entry, dict) and bool(entry.get("environment"))
        if not isinstance(written, str) or moved or any(mark in written for mark in ("{{", "://", "::")):
            what = "is read in another environment" if moved else "lies elsewhere or needs templating"
            message = f"{written} {what}, so its releases are not seen"
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
        yield from ((one, handed) for one in known)


def _release(tree: Tree, file: HelmfileText, env: Environment, index: int, raw: Any, found: Helmfiles) -> Release:
    raw = raw if isinstance(raw, dict) else {}
    unseen: list[str] = []

    def word(key: str, value: Any, **more: Any) -> str:
        known = _filled(_text(value), env.fields(**more))
        if known is None:
            unseen.append(f"{{{{…}}}} in {key}")
        return _text(value) if known is None else known.strip()

    # The helmfile's namespace beats the release's own; templates in it are filled in before helmfile 1.0 only.
    common = _text(file.content.get("namespace"))
    unseen += ["{{…}} in the helmfile's namespace"] if "{{" in common else []
    namespace = common or word("namespace", raw.get("namespace"))
    own: dict[str, Any] = {"Name": _text(raw.get("name")), "Namespace": namespace}
    own["Name"] = name = word("name", raw.get("name"), Release=own)
    chart = word("chart", raw.get("chart"), Release=own)
    version = word("version", raw.get("version"), Release=own)
    given = values.given(tree, file, raw, env, own)
    on, asked = _switched(raw, env)
    folder = file.beside(chart)
    local = chart != "" and f"{folder}/Chart.yaml" in tree.entries()
    stream = [] if version or local else [f"{VERSIONS}/charts/{chart}/defaults.yaml"]
    files = {file.path, *file.bases, *(path for _, path in given.places)}
    # Where something needs a template, so may that which decides about it.
    by_values = file.templated or any("{{" in text for text in _texts(raw))
    release = Release(
        name=name,
        namespace=namespace or DEFAULT_NAMESPACE,
        chart=chart,
        version=version or "".join(values.pinned(tree, path) for path in stream),
        source=file.at("releases", index),
        folder=folder if local else None,
        values=given.files,
        sets=given.sets,
        on=on,
        condition=_text(raw.get("condition")),
        unseen=(*dict.fromkeys(unseen), *given.unseen),
        reads=frozenset({*files, *(env.asked if asked or by_values or given.sets else ()), *stream}),
    )
    if on is not False:
        found.problems += _missing(tree, file, index, raw, release, given)
    return release


def _missing(
    tree: Tree, file: HelmfileText, index: int, raw: Mapping[str, Any], release: Release, given: values.Given
) -> Iterator[Problem]:
    """Value files that are not there: helmfile stops at them, unless it is told not to."""
    for number, path in given.places:
        if path in tree.entries() or posixpath.basename(path) in values.GENERATED or values.may_miss(file, raw):
            continue
        message = f"release {release.name} takes values from {path}, which does not exist"
        place = file.at("releases", index, "values", number)
        yield Problem(message, "add it, or take it out of values", place, Severity.ERROR)


def _switched(raw: Mapping[str, Any], env: Environment) -> tuple[bool | None, bool]:
    """Is the release switched on, and do the environment's values say so?"""
    installed, condition = raw.get("installed", True), _text(raw.get("condition"))
    if installed is False:
        return False, False
    if not isinstance(installed, bool) or raw.get("installedTemplate") or raw.get("conditionTemplate"):
        return None, False
    if not condition:
        return True, False
    found: Any = env.values
    for step in condition.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return (found is True if env.whole and found is not None else None), True


def _filled(value: Any, fields: Mapping[str, Any]) -> str | None:
    """The text with its fields, None where it is none or needs more."""
    try:
        return filled(value, fields) if isinstance(value, str) else None
    except Unseen:
        return None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from _texts(item)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""
