"""The type of a source, and the parts that its application is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from review_bot.core.argocd import directory, helm, kustomize, values
from review_bot.core.argocd.application import Application, SourceSpec
from review_bot.core.argocd.place import Place, place_of
from review_bot.core.argocd.problems import NotSeen, Trouble
from review_bot.core.closure import join
from review_bot.core.delivery import Surroundings
from review_bot.core.errors import YamlError
from review_bot.core.model import Target
from review_bot.core.yaml_reader import load_first

TYPES = ("helm", "kustomize", "directory", "plugin")
OVERRIDES = ".argocd-source.yaml"


def parts(app: Application, around: Surroundings) -> tuple[tuple[Target, ...], frozenset[str], str]:
    """The parts, the files of the repository that decide about them, and the first part's folder. Raises Trouble."""
    found: list[Target] = []
    reads: set[str] = set()
    folder = ""
    for source in app.sources:
        if _is_only_a_reference(source):
            continue
        _refuse_incomplete(source)
        _refuse_plugins(source)
        place = place_of(source, app, around)
        merged, overrides = overridden(source, app, place, around)
        part, read = _part(merged, app, place, around)
        found.append(part)
        reads |= read | overrides
        folder = folder or place.folder
    return tuple(found), frozenset(reads), folder or "."


def _is_only_a_reference(source: SourceSpec) -> bool:
    """Only spec.sources may hold such."""
    referred = bool(source.text("ref")) and not source.text("path") and not source.text("chart")
    return referred and source.at[-2:-1] == ("sources",)


def _refuse_incomplete(source: SourceSpec) -> None:
    chart = source.text("chart")
    if not chart and not source.text("path"):
        raise Trouble(
            "its source names neither a path nor a chart",
            at=source.at,
            rule="no-source",
            help="add path (path: . is the repository's root), or chart",
        )
    if chart and not source.text("targetRevision"):
        raise Trouble(
            f"it says not which version of the chart {chart} it takes",
            at=source.at,
            rule="no-source",
            help="set targetRevision to one version",
        )


def overridden(
    source: SourceSpec, app: Application, place: Place, around: Surroundings
) -> tuple[SourceSpec, frozenset[str]]:
    """The source with what the folder's own files say of it, as merge patches, and those files' paths."""
    spec: Any = source.spec
    instance = app.name if app.namespace == "argocd" else f"{app.namespace}_{app.name}"
    paths = [join(place.folder, name) for name in (OVERRIDES, f".argocd-source-{instance}.yaml")]
    for path in paths:
        data = around.files.tree.read(path) if path in around.files.entries else None
        if data is not None:
            spec = values.merge_patched(spec, _patch(data, path))
    return SourceSpec(source.number, spec, source.at), frozenset(paths)


def _patch(data: bytes, path: str) -> Mapping[str, Any]:
    try:
        value = load_first(data, path=path)
    except YamlError as error:
        raise Trouble(error.message, path=path, line=error.line, rule="source-override") from error
    if value is not None and not isinstance(value, dict):
        raise Trouble("the file must be a mapping, as in spec.source", path=path, line=1, rule="source-override")
    # Where the source lies is not for it to say.
    return {k: v for k, v in (value or {}).items() if k in TYPES}


def type_of(source: SourceSpec, place: Place, around: Surroundings) -> str:
    """What the source says itself, else what lies in its folder. Raises Trouble for two types."""
    said = [name for name in TYPES if source.spec.get(name) is not None and not _is_left_over(name, source.spec[name])]
    if len(said) > 1:
        raise Trouble(
            f"it is said to be of several types: {', '.join(said)}",
            at=(*source.at, said[1]),
            rule="several-types",
            help="keep one of them",
        )
    if said:
        return said[0]
    if around.files.kustomization_of(place.folder):
        return "kustomize"
    return "helm" if join(place.folder, "Chart.yaml") in around.files.entries else "directory"


def _is_left_over(name: str, block: Any) -> bool:
    """Is it what Argo CD's own pages leave behind, and Argo CD drops: a directory block in which nothing is set?"""
    return name == "directory" and isinstance(block, dict) and bool(block) and not _set_in(block)


def _set_in(value: Any) -> bool:
    return any(map(_set_in, value.values())) if isinstance(value, dict) else bool(value)


def _part(source: SourceSpec, app: Application, place: Place, around: Surroundings) -> tuple[Target, frozenset[str]]:
    _refuse_plugins(source)
    kind = type_of(source, place, around)
    module = {"helm": helm.part, "kustomize": kustomize.part, "directory": directory.part}[kind]
    return module(source, app, place, around)


def _refuse_plugins(source: SourceSpec) -> None:
    if source.spec.get("plugin") is not None and not any(source.spec.get(name) is not None for name in TYPES[:-1]):
        raise NotSeen(
            "a plugin of Argo CD renders it, and plugins do not run here",
            at=(*source.at, "plugin"),
            help="what it deploys is not reviewed; commit what it renders to have it seen",
        )
