"""What an ArtifactGenerator (source-watcher) makes of other sources: files copied together into a new one."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from review_bot.core.closure import Files, folder_of, join, outside
from review_bot.core.delivery import Surroundings, Told
from review_bot.core.flux.objects import EXTENSIONS, Broken, Catalogue, safe, words
from review_bot.core.globs import matches
from review_bot.core.lenient import mapping, rows, text

_FOLDER = re.compile(r"\.~[\w.-]*flux/artifact/")


@dataclass(frozen=True)
class Copy:
    """Files below a folder of the tree that land below a folder `to` of the artifact."""

    paths: Sequence[str]
    folder: str
    to: str


def generator_of(catalogue: Catalogue, namespace: str, name: str) -> tuple[Told, Mapping[str, Any]] | None:
    """The ArtifactGenerator that makes the artifact, and its words on it."""
    for told in catalogue.of(EXTENSIONS, "ArtifactGenerator"):
        if (told.resource.id.namespace or "default") == namespace:
            for artifact in rows(mapping(told.resource.manifest.get("spec")).get("artifacts")):
                if artifact.get("name") == name:
                    return told, artifact
    return None


def sources_of(told: Told) -> list[Mapping[str, Any]]:
    """Its sources, each an `alias`, a kind and a name."""
    return rows(mapping(told.resource.manifest.get("spec")).get("sources"))


# The folder that is a source's root, and whether a file below it is left out of the source.
Roots = Mapping[str, tuple[str, Callable[[str], bool]]]


def copies(artifact: Mapping[str, Any], roots: Roots, files: Files) -> list[Copy]:
    """What is copied from the sources by alias, in order: a later copy replaces files of an earlier. Raises Broken."""
    return [_copy(row, roots, files) for row in rows(artifact.get("copy"))]


def with_names(text: str) -> str:
    """A message with `artifact:NAMESPACE/NAME` in the place of the bot's own folder for that artifact."""
    return _FOLDER.sub("artifact:", text)


def laid_out(around: Surroundings, told: Told, name: str, wanted: Sequence[Copy]) -> str:
    """The artifact as a folder of the tree. Raises Broken where the repository has one of that name."""
    folder = f".~flux/artifact/{safe(told.resource.id.namespace or 'default')}/{safe(name)}"
    if any(not around.graft.is_made(path) for path in around.files.below(around.own(folder))):
        raise Broken(f"{around.own(folder)} is a name that the bot keeps for itself", help="rename that folder")
    for copy in wanted:
        around.copy(copy.paths, copy.folder, posixpath.normpath(posixpath.join(folder, copy.to)))
    return around.own(folder)


def _copy(row: Mapping[str, Any], roots: Roots, files: Files) -> Copy:
    source, to = text(row.get("from")), text(row.get("to"))
    alias, _, pattern = source.removeprefix("@").partition("/")
    inside = to.removeprefix("@artifact").lstrip("/")
    if not source.startswith("@") or alias not in roots or not to.startswith("@artifact"):
        raise Broken(f"its copy from {source} to {to} names no source", help="write @ALIAS/path and @artifact/path")
    if outside(posixpath.normpath(pattern)) or outside(posixpath.normpath(inside or ".")):
        raise Broken(f"its copy from {source} to {to} leaves the artifact")
    root, lacks = roots[alias]
    excluded = [_place(root, p) for p in words(row.get("exclude"))]
    copy = _chosen(root, pattern, inside, files)
    paths = [p for p in copy.paths if not lacks(p) and not any(matches(e, p) for e in excluded)]
    return Copy(paths, copy.folder, copy.to)


def _chosen(root: str, pattern: str, inside: str, files: Files) -> Copy:
    """By the rules of `cp -r`; of a pattern that which lies below its part without wildcards."""
    path = _place(root, pattern)
    if any(mark in pattern for mark in "*?"):
        fixed = posixpath.dirname(pattern[: min(i for i in map(pattern.find, "*?") if i >= 0)])
        folder = _place(root, fixed)
        return Copy([p for p in files.below(folder) if matches(path, p)], folder, inside or ".")
    if path not in files.entries:
        to = join(inside.rstrip("/"), posixpath.basename(path)) if inside.endswith("/") else inside or "."
        return Copy(list(files.below(path)), path, to)
    if inside.endswith("/") or not inside:
        return Copy([path], folder_of(path), inside or ".")
    # The whole path is the folder that is copied, so that the file gets the new name.
    return Copy([path], path, inside)


def _place(root: str, path: str) -> str:
    return posixpath.normpath(join(root, path) if path else root)
