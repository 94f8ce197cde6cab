"""Kustomize overlays, built by the real kustomize."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from review_bot.core import kustomization
from review_bot.core.closure import Files, join, normal
from review_bot.core.errors import InputError, YamlError
from review_bot.core.graft import Graft
from review_bot.core.model import Finding, Rendered, Resource, Source, Target
from review_bot.core.platform import Platform
from review_bot.core.repo_urls import without_secrets
from review_bot.core.resources import from_documents, identity
from review_bot.core.yaml_reader import parse
from review_bot.render import randomness
from review_bot.render.builds import Build, Builder
from review_bot.render.origins import Origins
from review_bot.render.problems import PLACE, did_you_mean, failed
from review_bot.render.sandbox import CHECKOUT
from review_bot.render.side import Side

ORIGIN = "config.kubernetes.io/origin"
TRANSFORMED = "alpha.config.kubernetes.io/transformations"
NOT_BY_FLUX = "Flux does not inflate", "deploy the chart by a HelmRelease"
NOT_ENABLED = (
    "need kustomize's --enable-helm",
    "set `kustomize: {enable_helm: true}` in .review-bot.yaml if your Argo CD has it, or commit what it renders",
)
METADATA = {ORIGIN: "originAnnotations", TRANSFORMED: "transformerAnnotations"}
_MISSING = re.compile(r"(?:open|stat|lstat|evalsymlink failure on) '?(/repo/[^:'\s]+)'?[^:]*: no such file")
_BY_HELM = re.compile(r".*?(Error: .+?|.+?): unable to run: '/[^ ]+ template ")
# The innermost folder of a chain of references is the one to mend.
_NOT_TAKEN = re.compile(
    r"(?:accumulating|merging) resources from '[^']+': ([^']+)': must build at directory: '([^']+)': file is not"
)
_MALFORMED = re.compile(r"MalformedYAMLError: .* in File: (\S+)")
_NESTED = re.compile(r"couldn't make target for path '([^']+)': ((?:(?!couldn't make target for path).)+)$")


async def render(target: Target, side: Side, builder: Builder, helm: Platform | None = None) -> Rendered:
    """Build the overlay; whatever kustomize would fetch or execute is refused before it runs.

    `helm` is what charts of helmCharts are told, None where they must not be inflated.
    """
    files = side.files
    inflated = [entry for entry in _entries(target) if kustomization.helm_charts(files.parsed(entry) or {})]
    # Flux never inflates charts, whatever others do.
    refused = tuple(_refusals(target, files, () if helm and not target.unrestricted else inflated))
    if refused:
        return Rendered(target, (), refused)
    content, added = _with_origins(target, files)
    build = Build(
        side.checkout, target.path, target.entry, content, target.unrestricted, helm=helm if inflated else None
    )
    outcome = await builder.build(build)
    if outcome.status != 0:
        return Rendered(target, (), (_explained(target, outcome.trouble or outcome.stderr, files),))
    try:
        resources, findings = _read(outcome.stdout, target)
        if inflated and randomness.in_charts(target, side.tree):
            again = await builder.build(build)
            resources = randomness.pinned(resources, _read(again.stdout, target)[0]) if again.status == 0 else resources
    except YamlError as error:
        return Rendered(target, (), (failed(target, f"its output can't be read: {error.message}"),))
    located = tuple(_located(r, target, side.origins, added) for r in resources)
    return Rendered(target, located, tuple(failed(target, f.message, help=f.help, rule=f.rule) for f in findings))


def _read(output: bytes, target: Target) -> tuple[Sequence[Resource], Sequence[Finding]]:
    return from_documents(parse(output, path=target.entry, strict=False), path=target.entry)


def _entries(target: Target) -> list[str]:
    """The kustomization files that it reads."""
    return [p for p in sorted(target.reads or ()) if posixpath.basename(p) in kustomization.NAMES]


def _with_origins(target: Target, files: Files) -> tuple[str | None, frozenset[str]]:
    """The entry file's text that asks kustomize to say where things come from, and the annotations that adds."""
    content = files.parsed(target.entry)
    if content is None:
        return None, frozenset()
    had = content.get("buildMetadata")
    had = had if isinstance(had, list) else []
    added = frozenset(a for a, name in METADATA.items() if name not in had)
    return json.dumps({**content, "buildMetadata": [*had, *(METADATA[a] for a in sorted(added))]}), added


def _refusals(target: Target, files: Files, inflating: Sequence[str]) -> Iterator[Finding]:
    why_not = files.tree.refused if isinstance(files.tree, Graft) else {}
    for entry in _entries(target):
        content = files.parsed(entry) or {}
        for reference in kustomization.references(content):
            cause = why_not.get((entry, reference))
            if cause or kustomization.is_remote(reference):
                yield _remote_base(target, files, entry, reference, cause)
        if entry in inflating:
            why, help = NOT_BY_FLUX if target.unrestricted else NOT_ENABLED
            line = _line_of(files, entry, "helmCharts")
            text = f"{entry} uses helmCharts, which {why}"
            yield failed(target, text, path=entry, line=line, help=help, rule="helm-in-kustomize")
        else:
            yield from _not_there(target, files, entry, content, why_not)


def _remote_base(target: Target, files: Files, entry: str, reference: str, cause: InputError | None) -> Finding:
    said = f": {without_secrets(cause.message)}" if cause else ""
    vendor = "vendor it: commit what it holds, and refer to that folder"
    return failed(
        target,
        f"{entry} refers to {without_secrets(reference)}, which is not in this repository and is not fetched{said}",
        path=entry,
        line=_line_of(files, entry, reference),
        help=f"{cause.help}; or {vendor}" if cause and cause.help else vendor,
        rule="remote-base",
    )


def _not_there(
    target: Target,
    files: Files,
    entry: str,
    content: Mapping[str, Any],
    why_not: Mapping[tuple[str, str], InputError],
) -> Iterator[Finding]:
    """Charts that kustomize would pull."""
    for chart in kustomization.helm_charts(content):
        folder = normal(join(posixpath.dirname(entry) or ".", kustomization.chart_folder(content, chart)))
        name, version = str(chart["name"]), str(chart.get("version") or "")
        wanted, cause = f"{name} {version}".strip(), why_not.get((entry, name))
        if files.is_folder(folder) and not cause:
            continue
        source = without_secrets(str(chart.get("repo") or "nowhere"))
        pull = f"pull it into {posixpath.dirname(folder)}/ (`helm pull --untar`) and commit it"
        yield failed(
            target,
            f"{entry} needs the chart {wanted} from {source}, which is not in {folder}/"
            + (f": {cause.message}" if cause else ""),
            path=entry,
            line=_line_of(files, entry, name),
            help=f"{cause.help}; or {pull}" if cause and cause.help else pull,
            rule="missing-dependency",
        )


def _explained(target: Target, text: str, files: Files) -> Finding:
    # Advice about old fields stands before what is wrong.
    rows = [row for row in text.splitlines() if not row.startswith("# Warning: ")]
    text = " ".join(" ".join(rows).split()).removeprefix("error: ").removeprefix("Error: ")
    by_helm = _BY_HELM.match(text)
    if by_helm:
        return _of_helm(target, by_helm[1])
    missing = _MISSING.search(text)
    if missing:
        path = normal(missing.group(1).removeprefix(f"{CHECKOUT}/"))
        if path == target.path and target.entry not in files.entries:
            return failed(target, "there is no kustomization in this folder")
        naming, line = _who_names(target, files, path)
        hint = did_you_mean(path, files.entries)
        return failed(target, f"kustomize can't find {path} (named in {naming})", path=naming, line=line, help=hint)
    in_file = _in_a_file(target, text, files)
    if in_file is not None:
        return in_file
    nested = _NESTED.search(text)
    if nested:
        folder, cause = normal(nested.group(1).removeprefix(f"{CHECKOUT}/")), nested.group(2)
        help = "`patches` takes a list of `path: …`, not of names" if "types.Patch" in cause else ""
        return failed(target, f"{folder}: {cause[:400]}", path=files.kustomization_of(folder), help=help)
    content = files.tree.read(target.entry)
    try:
        if content is not None:
            parse(content, path=target.entry)
    except YamlError as error:
        return failed(target, f"{target.entry}: {error.message}", line=error.line, help=error.help)
    cause = text.replace(f"{CHECKOUT}/", "")
    return failed(target, cause[-600:] or "kustomize failed without a word")


def _of_helm(target: Target, text: str) -> Finding:
    """What helm said when kustomize called it, on the template that it names."""
    text = text.removeprefix("Error: ").replace("Use --debug flag to render out invalid YAML", "").strip()
    place = PLACE.search(text)
    files = [p for p in sorted(target.reads or ()) if place and f"/{p}".endswith(f"/{place[1]}")]
    path, line = (files[0], int(place[2])) if place and files else (target.entry, None)
    return failed(target, text.replace(f"{CHECKOUT}/", "")[:800], path=path, line=line)


def _in_a_file(target: Target, text: str, files: Files) -> Finding | None:
    """What is wrong with a file that is to hold objects."""
    malformed = _MALFORMED.search(text)
    name = posixpath.basename(malformed[1]) if malformed else None
    for path in (p for p in sorted(target.reads or ()) if posixpath.basename(p) == name):
        try:
            parse(files.tree.read(path) or b"", path=path)
        except YamlError as error:
            return failed(target, f"{path}: {error.message}", path=path, line=error.line, help=error.help)
    refused = _NOT_TAKEN.search(text)
    if refused is None:
        return None
    cause, path = refused[1], normal(refused[2].removeprefix(f"{CHECKOUT}/"))
    twice = cause.partition("already registered id: ")[2]
    if twice:
        return failed(target, f"{path} holds {twice}, and so does another file", path=path, help="keep one of them")
    if cause.startswith("missing "):
        help = (
            "give each document apiVersion, kind and metadata.name; of a folder without kustomization all YAML is taken"
        )
        return failed(target, f"{path} holds something that is no object of Kubernetes: {cause}", path=path, help=help)
    return failed(target, f"{path}: {cause}", path=path)


def _who_names(target: Target, files: Files, path: str) -> tuple[str, int | None]:
    for entry in _entries(target):
        folder = posixpath.dirname(entry) or "."
        for reference in kustomization.references(files.parsed(entry) or {}):
            if normal(join(folder, reference)) == path:
                return entry, _line_of(files, entry, reference)
    return target.entry, None


def _line_of(files: Files, path: str, text: str) -> int | None:
    data = files.tree.read(path) or b""
    rows = data.decode(errors="replace").splitlines()
    return next((number for number, row in enumerate(rows, 1) if text in row), None)


def _located(resource: Resource, target: Target, origins: Origins, added: frozenset[str]) -> Resource:
    annotations = _annotations(resource.manifest)
    origin = _yaml(annotations.get(ORIGIN))
    patched = _patches(_yaml(annotations.get(TRANSFORMED)), target)
    manifest = _without(resource.manifest, added)
    id = identity(manifest) or resource.id
    plain = Resource(id, manifest, Source(target.entry), {}, patched)
    path = origin.get("path") if isinstance(origin, dict) else None
    if isinstance(path, str):
        return origins.located(plain, normal(join(target.path, path)))
    configured = origin.get("configuredIn") if isinstance(origin, dict) else None
    place = normal(join(target.path, configured)) if isinstance(configured, str) else target.entry
    return Resource(id, manifest, Source(place), {}, patched)


def _patches(transformations: Any, target: Target) -> tuple[str, ...]:
    found = []
    for row in transformations if isinstance(transformations, list) else []:
        path = row.get("path") or row.get("configuredIn") if isinstance(row, dict) else None
        if isinstance(path, str):
            found.append(normal(join(target.path, path)))
    return tuple(dict.fromkeys(found))


def _annotations(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = manifest.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return annotations if isinstance(annotations, dict) else {}


def _without(manifest: Mapping[str, Any], added: frozenset[str]) -> Mapping[str, Any]:
    """The manifest as it would be deployed: without the annotations that only we asked for."""
    annotations = _annotations(manifest)
    if not added & annotations.keys():
        return manifest
    kept = {k: v for k, v in annotations.items() if k not in added}
    metadata = {k: v for k, v in manifest["metadata"].items() if k != "annotations"}
    return {**manifest, "metadata": {**metadata, "annotations": kept} if kept else metadata}


def _yaml(text: Any) -> Any:
    return _annotation(str(text)) if text else None


# Overlays of one base say the same of what they take from it.
@lru_cache(maxsize=1024)
def _annotation(text: str) -> Any:
    try:
        documents = parse(text.encode(), path="annotation")
    except (YamlError, UnicodeEncodeError):
        return None
    return documents[0].value if documents else None
