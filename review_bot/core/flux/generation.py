"""The kustomization that is built: the folder's own or a generated one, with the fields of the Kustomization in it.

Follows fluxcd/pkg/kustomize (Generator).
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.core.closure import Files, folder_of, join, outside
from review_bot.core.delivery import Surroundings
from review_bot.core.errors import InputError
from review_bot.core.flux.ignoring import Ignoring
from review_bot.core.flux.objects import Asking, Broken, words
from review_bot.core.graft import is_shadowed
from review_bot.core.lenient import mapping, rows, text

# Fields of the object that replace those of the kustomization.
_REPLACED = {"targetNamespace": "namespace", "namePrefix": "namePrefix", "nameSuffix": "nameSuffix"}
_GET_IT_IN = "correct .sourceignore or spec.ignore of the source, or commit a plain file"
EMPTY = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}


@dataclass(frozen=True)
class Built:
    """The folder to build, which may be a copy of the one that is meant, and its kustomization file.

    `edited` is the one that was changed for it, None if none was.
    """

    folder: str
    entry: str
    edited: str | None = None


def built(asking: Asking, folder: str, ignoring: Ignoring, around: Surroundings) -> Built:
    """Raises Broken."""
    files, spec = around.files, asking.spec
    if not files.is_folder(folder):
        raise Broken(f"the folder {folder} does not exist", help="correct spec.path, or add the folder")
    if all(ignoring.leaves_out(path) for path in files.below(folder)):
        why = ignoring.why(next(files.below(folder)))
        raise Broken(f"nothing of the folder {folder} gets to Flux: {why}", help=_GET_IT_IN)
    entry = files.kustomization_of(folder)
    content = files.parsed(entry) if entry is not None else generated(files, folder, ignoring, around)
    if entry is not None and (content is None or not _changes(spec)):
        # Of a file that can't be read kustomize says what is wrong.
        return Built(folder, entry)
    try:
        shadow = around.shadow(folder, asking.shadow)
    except InputError as error:
        raise Broken(error.message, help=error.help) from error
    name = posixpath.basename(entry) if entry is not None else "kustomization.yaml"
    data = json.dumps(merged(content or {}, spec, files, folder), sort_keys=True).encode()
    return Built(shadow, around.write(join(shadow, name), data, asking.told.resource.source), entry)


def check_presence(reads: Iterable[str], ignoring: Ignoring, around: Surroundings) -> None:
    """Raises Broken for a file that is needed and that Flux does not get."""
    for path in sorted(reads):
        origin = around.graft.copied_from(path) or path
        why = ignoring.why(origin) if path in around.files.entries else ""
        if why:
            raise Broken(f"it needs {origin}, and {why}", help=_GET_IT_IN)


def generated(files: Files, folder: str, ignoring: Ignoring, around: Surroundings) -> Mapping[str, Any]:
    """A folder without a kustomization: a subfolder that has one is taken as a whole, of the rest every YAML file."""
    resources: dict[str, None] = {}
    paths = (p for p in files.below(folder) if not is_shadowed(around.graft, p, folder))
    for path in sorted(paths, key=lambda p: p.split("/")):
        if ignoring.leaves_out(path):
            continue
        whole = _kustomized(files, folder_of(path), folder)
        if whole is not None:
            resources[_below(whole, folder)] = None
        elif path.endswith((".yaml", ".yml")):
            resources[_below(path, folder)] = None
    return {**EMPTY, "resources": list(resources)}


def merged(content: Mapping[str, Any], spec: Mapping[str, Any], files: Files, folder: str) -> dict[str, Any]:
    """The kustomization with the object's fields. Raises Broken."""
    found = dict(content)
    for field, name in _REPLACED.items():
        if text(spec.get(field)):
            found[name] = spec[field]
    patches = [*rows(spec.get("patches")), *_older_patches(spec)]
    if patches:
        found["patches"] = [*rows(found.get("patches")), *({**_patch(row)} for row in patches)]
    components = words(spec.get("components"))
    if components:
        found["components"] = [*words(found.get("components")), *_components(components, spec, files, folder)]
    if rows(spec.get("images")):
        found["images"] = with_images(rows(found.get("images")), rows(spec.get("images")))
    return found


def with_images(own: list[Mapping[str, Any]], wanted: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """An image of the object goes into that of the same name, field by field; tag and digest are one."""
    images = list(own)
    for image in wanted:
        known = next((n for n, row in enumerate(images) if row.get("name") == image.get("name")), None)
        given = {field: image[field] for field in ("newName", "newTag", "digest") if image.get(field)}
        if known is None:
            images.append({"name": image.get("name"), **given})
            continue
        versioned = given.keys() & {"newTag", "digest"}
        kept = {k: v for k, v in images[known].items() if not (versioned and k in ("newTag", "digest"))}
        images[known] = {**kept, **given}
    return images


def _changes(spec: Mapping[str, Any]) -> bool:
    fields = (*_REPLACED, "patches", "patchesStrategicMerge", "patchesJson6902", "components", "images")
    return any(spec.get(field) for field in fields)


def _patch(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: row[k] for k in ("patch", "target") if row.get(k)}


def _older_patches(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Fields of older API versions."""
    strategic = [{"patch": json.dumps(row)} for row in rows(spec.get("patchesStrategicMerge"))]
    json6902 = [
        {"patch": json.dumps(row.get("patch")), "target": mapping(row.get("target"))}
        for row in rows(spec.get("patchesJson6902"))
    ]
    return [*strategic, *json6902]


def _components(wanted: list[str], spec: Mapping[str, Any], files: Files, folder: str) -> list[str]:
    found = []
    for component in wanted:
        path = posixpath.normpath(join(folder, component))
        if "://" in component or component.startswith("/") or outside(path):
            raise Broken(
                f"the component {component} must be a relative path within the source", at=("spec", "components")
            )
        if not files.is_folder(path):
            if spec.get("ignoreMissingComponents") is True:
                continue
            raise Broken(
                f"the component {component} does not exist: there is no folder {path}",
                help="correct spec.components, or set ignoreMissingComponents",
                at=("spec", "components"),
            )
        found.append(component)
    return found


def _kustomized(files: Files, at: str, top: str) -> str | None:
    """The highest folder below `top`, down to `at`, that has a kustomization."""
    found = None
    while at not in (top, "."):
        if files.kustomization_of(at) is not None:
            found = at
        at = folder_of(at)
    return found


def _below(path: str, folder: str) -> str:
    return path if folder == "." else path[len(folder) + 1 :]
