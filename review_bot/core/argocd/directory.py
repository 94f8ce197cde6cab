"""Directory sources: which files of a folder Argo CD applies, jsonnet among them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from review_bot.core.argocd import patterns, values
from review_bot.core.argocd.application import Application, SourceSpec
from review_bot.core.argocd.place import Place
from review_bot.core.argocd.problems import Trouble
from review_bot.core.closure import folder_of, is_below, join, normal, outside
from review_bot.core.delivery import Surroundings, Variable
from review_bot.core.errors import InputError
from review_bot.core.model import RendererName, Target

SKIPPED = b"+argocd:skip-file-rendering"
MANIFESTS = (".yaml", ".yml", ".json")
JSONNET = ".jsonnet"
_IMPORT = re.compile(r"""\bimport(?:str|bin)?\s+@?(?:"([^"\n]*)"|'([^'\n]*)')""")


def part(source: SourceSpec, app: Application, place: Place, around: Surroundings) -> tuple[Target, frozenset[str]]:
    """The part that renders the folder's files, and all that was looked at. Raises Trouble."""
    options, at = source.mapping("directory"), (*source.at, "directory")
    found = _files(place, options, at, around)
    contents = around.files.tree.read_many([p for p in found if not p.endswith(JSONNET)])
    applied = {p for p, data in contents.items() if SKIPPED not in data}
    looked_at = set(found)
    for path in found:
        if path.endswith(JSONNET):
            made, read = _evaluated(path, source, app, place, around)
            applied.add(made)
            looked_at |= read
    entry = min(found, default=place.folder)
    target = Target(f"{app.id}/{source.number}", RendererName.PLAIN, place.folder, entry, frozenset(applied))
    return target, frozenset(looked_at)


def _files(place: Place, options: Mapping[str, Any], at: tuple[str | int, ...], around: Surroundings) -> list[str]:
    recurse = options.get("recurse") is True
    include, exclude = (values.text(options.get(k), f"directory.{k}", (*at, k)) for k in ("include", "exclude"))
    of_any_name = options.get("disableExtensionFilter") is True
    start = 0 if place.folder == "." else len(place.folder) + 1
    found = []
    for path in around.files.below(place.folder):
        inner = path[start:]
        if not (of_any_name or path.endswith((*MANIFESTS, JSONNET))) or ("/" in inner and not recurse):
            continue
        if _generated_beside(path, inner, around):
            continue
        if around.files.entries[path].mode == "120000":
            # Before anything is left out: Argo CD refuses it in any case.
            path = _followed(path, place, around)
        if (exclude and patterns.crossing(exclude, inner)) or (include and not patterns.crossing(include, inner)):
            continue
        if path in around.files.entries and path not in found:
            found.append(path)
    return found


def _generated_beside(path: str, inner: str, around: Surroundings) -> bool:
    """Does it stand in a copy of a folder that was made for somebody else?"""
    return "~" in inner.rpartition("/")[0] and around.graft.is_made(path)


def _followed(path: str, place: Place, around: Surroundings) -> str:
    to = around.files.through_links(path)[0]
    if not is_below(to, place.root):
        raise Trouble(
            f"{path} is a link that leaves the repository",
            path=path,
            rule="link-leaves",
            help="Argo CD refuses such links: commit the file itself",
        )
    return to


def _evaluated(
    path: str, source: SourceSpec, app: Application, place: Place, around: Surroundings
) -> tuple[str, set[str]]:
    """The file with the objects that a jsonnet file gives, and the files that it reads."""
    at = (*source.at, "directory", "jsonnet")
    options = values.mapping(source.mapping("directory").get("jsonnet"), "directory.jsonnet", at)
    libraries = [
        Place(place.root, place.root).inside(lib.lstrip("/"), "the library", (*at, "libs"))
        for lib in values.texts(options.get("libs"), "jsonnet.libs", (*at, "libs"))
    ]
    searched = [place.folder, *libraries]
    files = _imported(path, searched, around)
    names = app.environment(source)
    try:
        value = around.templating.jsonnet(
            path,
            {p: data.decode(errors="replace") for p, data in files.items()},
            searched,
            _variables(options.get("extVars"), "extVars", at, names),
            _variables(options.get("tlas"), "tlas", at, names),
        )
    except InputError as error:
        raise Trouble(error.message, path=path, rule="jsonnet", help="mend the jsonnet file") from error
    objects = value if isinstance(value, list) else [value]
    made = f".~{app.folder}/{source.number}/{path}.json"
    return around.write(made, values.documents(objects), around.graft.original(path)), set(files)


def _imported(path: str, libraries: list[str], around: Surroundings) -> Mapping[str, bytes]:
    """The file and all that it names, as far as that is there."""
    found: dict[str, bytes] = {}
    pending = [path]
    while pending:
        current = pending.pop()
        data = around.files.tree.read(current) if current in around.files.entries else None
        if data is None or current in found:
            continue
        found[current] = data
        for double, single in _IMPORT.findall(data.decode(errors="replace")):
            for folder in (folder_of(current), *libraries):
                named = normal(join(folder, double or single))
                if not outside(named):
                    pending.append(named)
    return found


def _variables(given: Any, key: str, at: tuple[str | int, ...], names: Mapping[str, str]) -> list[Variable]:
    rows = values.rows(given, f"jsonnet.{key}", (*at, key))
    return [
        Variable(str(row.get("name", "")), values.expanded(str(row.get("value", "")), names), row.get("code") is True)
        for row in rows
    ]
