"""Kustomize sources: the edits that Argo CD makes to a kustomization before it builds it."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from typing import Any

from review_bot.core import kustomization
from review_bot.core.argocd import patterns, values
from review_bot.core.argocd.application import Application, SourceSpec
from review_bot.core.argocd.place import Place
from review_bot.core.argocd.problems import Trouble
from review_bot.core.closure import folder_of, join, kustomize_reads, normal
from review_bot.core.delivery import Surroundings
from review_bot.core.lenient import items
from review_bot.core.model import FieldPath, RendererName, Target

# What changes the kustomization; other options concern the program.
EDITS = (
    *("namePrefix", "nameSuffix", "images", "replicas", "commonLabels", "commonAnnotations", "namespace", "patches"),
    "components",
)


def part(source: SourceSpec, app: Application, place: Place, around: Surroundings) -> tuple[Target, frozenset[str]]:
    """The part that builds the kustomization, edited in a copy of its folder, and the files of both. Raises Trouble."""
    options, at = source.mapping("kustomize"), (*source.at, "kustomize")
    entry = around.files.kustomization_of(place.folder) or join(place.folder, "kustomization.yaml")
    id, folder = f"{app.id}/{source.number}", place.folder
    originals = kustomize_reads(around.files, folder)
    if any(options.get(key) for key in EDITS) and entry in around.files.entries:
        before = around.files.parsed(entry)
        if before is None:
            raise Trouble("the kustomization is not YAML", path=entry, rule="render-failed")
        content = edited(before, options, at, app.environment(source), _existing(options, at, place, around))
        folder = around.shadow(place.folder, f"{app.folder}.{source.number}")
        entry = join(folder, entry.rpartition("/")[2])
        around.write(entry, json.dumps(content, sort_keys=True).encode(), app.resource.place(at))
    around.complete(folder, around.config.enable_helm)
    reads = kustomize_reads(around.files, folder)
    originals |= {_original(p, folder, place.folder) for p in reads}
    return Target(id, RendererName.KUSTOMIZE, folder, entry, reads), originals


def _original(path: str, shadow: str, folder: str) -> str:
    return join(folder, path[len(shadow) + 1 :]) if path.startswith(f"{shadow}/") and shadow != folder else path


def _existing(options: Mapping[str, Any], at: FieldPath, place: Place, around: Surroundings) -> list[str]:
    """The components to add, without those that may be missing and are; of a pattern the folders that match it."""
    named = values.texts(options.get("components"), "kustomize.components", (*at, "components"))
    if options.get("ignoreMissingComponents") is True:
        return [c for c in named if around.files.kustomization_of(normal(join(place.folder, c)))]
    return [found for c in named for found in (_matching(c, place, around) or [c])]


def _matching(pattern: str, place: Place, around: Surroundings) -> list[str]:
    if not patterns.has_wildcards(pattern):
        return []
    whole = normal(join(place.folder, pattern))
    folders = {folder_of(path) for path in around.files.entries if path.endswith(kustomization.NAMES)}
    found = sorted(f for f in folders if patterns.of_directories(whole, f) and not around.graft.is_made(f))
    return [posixpath.relpath(f, place.folder) for f in found]


def edited(
    before: Mapping[str, Any],
    options: Mapping[str, Any],
    at: FieldPath,
    names: Mapping[str, str],
    components: list[str],
) -> dict[str, Any]:
    """The kustomization as Argo CD would write it, edit by edit in its order. Raises Trouble."""
    content = dict(before)
    for key in ("namePrefix", "nameSuffix"):
        if options.get(key):
            content[key] = values.text(options[key], f"kustomize.{key}", (*at, key))
    _set_images(content, values.texts(options.get("images"), "kustomize.images", (*at, "images")), at, names)
    _set_replicas(content, values.rows(options.get("replicas"), "kustomize.replicas", (*at, "replicas")), at)
    _add_labels(content, options, at, names)
    _add_annotations(content, options, at, names)
    if options.get("namespace"):
        content["namespace"] = values.text(options["namespace"], "kustomize.namespace", (*at, "namespace"))
    patches = values.rows(options.get("patches"), "kustomize.patches", (*at, "patches"))
    if patches:
        content["patches"] = [*items(content.get("patches")), *patches]
    if components:
        known = items(content.get("components"))
        content["components"] = [*known, *(c for c in components if c not in known)]
    return content


def _set_images(content: dict[str, Any], images: list[str], at: FieldPath, names: Mapping[str, str]) -> None:
    new = [_image(values.expanded(text, names), (*at, "images", number)) for number, text in enumerate(images)]
    if not new:
        return
    known = _first_by_name(content.get("images"))
    for image in {image["name"]: image for image in new}.values():
        before = known.get(image["name"], {})
        # An asterisk stands for what the kustomization says already.
        kept = {k: before.get(k) if v == "*" and k != "name" else v for k, v in image.items()}
        known[image["name"]] = {k: v for k, v in kept.items() if v}
    content["images"] = [known[name] for name in sorted(known)]


def _first_by_name(rows: Any) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for row in items(rows):
        if isinstance(row, dict):
            found.setdefault(str(row.get("name")), row)
    return found


def _image(text: str, at: FieldPath) -> dict[str, str]:
    """`name=new:tag`, `name=new@digest`, `name=new:tag@digest`, `name=new`, `name:tag` or `name@digest`."""
    name, renamed, rest = text.partition("=")
    said = rest if renamed else text
    # A colon before the first slash is that of a port.
    start = max(said.find("/"), 0)
    before_digest, is_digest, digest = said[start:].partition("@")
    inner, is_tag, tag = before_digest.partition(":")
    if not (renamed or is_digest or is_tag):
        raise Trouble(
            f"{text!r} is not an image that kustomize can set",
            at=at,
            rule="kustomize-image",
            help="write name:tag, name@digest, name=new or name=new:tag",
        )
    new_name = said[:start] + inner
    found = {"name": name, "newName": new_name} if renamed else {"name": new_name}
    return found | ({"newTag": tag} if tag else {}) | ({"digest": digest} if digest else {})


def _set_replicas(content: dict[str, Any], rows: list[Mapping[str, Any]], at: FieldPath) -> None:
    known = _first_by_name(content.get("replicas"))
    for number, row in enumerate(rows):
        count = row.get("count")
        if isinstance(count, str) and re.fullmatch(r"[+-]?\d+", count):
            count = int(count)
        if not isinstance(count, int) or isinstance(count, bool):
            raise Trouble(
                f"the count of replicas {count!r} is no number", at=(*at, "replicas", number), rule="kustomize-edit"
            )
        known[str(row.get("name"))] = {"name": row.get("name"), "count": count}
    if rows:
        content["replicas"] = [known[name] for name in sorted(known)]


def _add_labels(content: dict[str, Any], options: Mapping[str, Any], at: FieldPath, names: Mapping[str, str]) -> None:
    new = _pairs(options, "commonLabels", at, names, expand=True)
    if not new:
        return
    with_templates, force = options.get("labelIncludeTemplates") is True, options.get("forceCommonLabels")
    place = (*at, "commonLabels")
    if options.get("labelWithoutSelector") is True:
        labels = list(items(content.get("labels")))
        number = next((n for n, row in enumerate(labels) if _is_alike(row, with_templates)), len(labels))
        known = values.mapping(labels[number].get("pairs"), "labels", place) if number < len(labels) else {}
        _refuse_known(known, new, force, place, "forceCommonLabels")
        labels[number:] = [{"pairs": {**known, **new}, "includeTemplates": with_templates}, *labels[number + 1 :]]
        content["labels"] = labels
        return
    if with_templates:
        raise Trouble(
            "kustomize.labelIncludeTemplates is for labels that leave selectors alone",
            at=(*at, "labelIncludeTemplates"),
            rule="kustomize-edit",
            help="set labelWithoutSelector: true too, or neither",
        )
    known = values.mapping(content.get("commonLabels"), "commonLabels", at)
    _refuse_known(known, new, force, place, "forceCommonLabels")
    content["commonLabels"] = {**known, **new}


def _is_alike(label: Any, with_templates: bool) -> bool:
    """Is it an entry of `labels` to which others of that form are added?"""
    if not isinstance(label, dict) or label.get("includeSelectors") is True:
        return False
    return (label.get("includeTemplates") is True) is with_templates


def _add_annotations(
    content: dict[str, Any], options: Mapping[str, Any], at: FieldPath, names: Mapping[str, str]
) -> None:
    expand = options.get("commonAnnotationsEnvsubst") is True
    new = _pairs(options, "commonAnnotations", at, names, expand=expand)
    if not new:
        return
    known = values.mapping(content.get("commonAnnotations"), "commonAnnotations", at)
    field = (*at, "commonAnnotations")
    _refuse_known(known, new, options.get("forceCommonAnnotations"), field, "forceCommonAnnotations")
    content["commonAnnotations"] = {**known, **new}


def _pairs(
    options: Mapping[str, Any], key: str, at: FieldPath, names: Mapping[str, str], *, expand: bool
) -> dict[str, str]:
    given = values.mapping(options.get(key), f"kustomize.{key}", (*at, key))
    texts = {str(k): values.text(v, f"{key}.{k}", (*at, key, k)) for k, v in given.items()}
    return {k: values.expanded(v, names) for k, v in texts.items()} if expand else texts


def _refuse_known(known: Mapping[str, Any], new: Mapping[str, str], force: Any, at: FieldPath, option: str) -> None:
    both = sorted(known.keys() & new.keys())
    if both and force is not True:
        raise Trouble(
            f"{both[0]} is set in the kustomization already",
            at=at,
            rule="kustomize-edit",
            help=f"set kustomize.{option}: true to replace it",
        )
