"""The chart of a HelmRelease: in this repository, or fetched; with the value files that replace its own values."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from review_bot.core import version_ranges
from review_bot.core.charts import with_dependencies
from review_bot.core.closure import join
from review_bot.core.delivery import Surroundings
from review_bot.core.errors import InputError, YamlError
from review_bot.core.flux.ignoring import Ignoring
from review_bot.core.flux.objects import Asking, Broken, NotSeen, held, words
from review_bot.core.flux.sources import Sources, artifact
from review_bot.core.lenient import mapping, text
from review_bot.core.model import FieldPath, RemoteKind
from review_bot.core.yaml_reader import load


@dataclass(frozen=True)
class Chart:
    """Its folder in the tree; value files are looked for below `root`.

    `packed` is what source-controller packs it by, anew only with another version; None for one that it does not pack.
    `archive` is the file of the tree that it was unpacked from.
    """

    folder: str
    root: str
    packed: Mapping[str, Any] | None = None
    archive: str | None = None


def chart_of(asking: Asking, around: Surroundings, sources: Sources) -> Chart:
    """Raises InputError."""
    reference = mapping(asking.spec.get("chartRef"))
    if reference:
        return _referred(reference, asking, around, sources)
    return _described(mapping(mapping(asking.spec.get("chart")).get("spec")), asking.namespace, asking, around, sources)


def _referred(reference: Mapping[str, Any], asking: Asking, around: Surroundings, sources: Sources) -> Chart:
    kind, name = text(reference.get("kind")), text(reference.get("name"))
    namespace = text(reference.get("namespace")) or asking.namespace
    if kind == "ExternalArtifact":
        found = sources.files(reference, asking.namespace, asking.told.resource.source).folder
        return _checked(Chart(found, found), around)
    if kind not in ("OCIRepository", "HelmChart"):
        raise Broken(
            f"chartRef names the kind {kind}", help="name an OCIRepository, a HelmChart or an ExternalArtifact"
        )
    told = sources.told(kind, namespace, name)
    spec = mapping(told.resource.manifest.get("spec"))
    if kind == "HelmChart":
        return _described(spec, namespace, asking, around, sources)
    folder = around.fetched(artifact(spec), told.resource.source)
    return _checked(Chart(folder, folder), around)


def _described(
    spec: Mapping[str, Any], namespace: str, asking: Asking, around: Surroundings, sources: Sources
) -> Chart:
    """As `chart.spec` of a HelmRelease does, or the spec of a HelmChart in that namespace."""
    reference, name = mapping(spec.get("sourceRef")), text(spec.get("chart"))
    if text(reference.get("kind")) == "HelmRepository":
        folder = _from_a_repository(spec, reference, name, namespace, around, sources)
        chart = _checked(Chart(folder, folder), around)
    else:
        root = sources.files(reference, namespace, asking.told.resource.source)
        place = Chart(posixpath.normpath(join(root.folder, held(name))), root.folder, spec)
        inside = _checked(_out_of_its_archive(place, root.ignoring, around), around)
        chart = _whole(_as_it_gets_to_flux(inside, root.ignoring, asking, around), around)
    return _with_values(chart, spec, asking, around)


def _out_of_its_archive(chart: Chart, ignoring: Ignoring, around: Surroundings) -> Chart:
    """The chart itself where the path names a file. Raises Broken."""
    path = chart.folder
    if path not in around.files.entries:
        return chart
    if ignoring.leaves_out(path):
        raise Broken(f"it needs {path}, and {ignoring.why(path)}", help="correct .sourceignore, or spec.ignore")
    try:
        return replace(chart, folder=around.unpacked(path), archive=path)
    except InputError as error:
        raise Broken(error.message, help=error.help) from error


def _whole(chart: Chart, around: Surroundings) -> Chart:
    """With the dependencies that source-controller would get for it. Raises NotSeen."""
    if chart.archive is not None:
        return chart
    try:
        place = around.graft.original(join(chart.folder, "Chart.yaml"))
        return replace(chart, folder=with_dependencies(chart.folder, place, around))
    except InputError as error:
        raise NotSeen(
            f"the chart {chart.folder} needs what is not in its charts/: {error.message}", help=error.help
        ) from error


def _as_it_gets_to_flux(chart: Chart, ignoring: Ignoring, asking: Asking, around: Surroundings) -> Chart:
    """Without the files that are not in the source's artifact; of a chart that is in it as a whole, the chart."""
    if not any(ignoring.leaves_out(path) for path in around.files.below(chart.folder)):
        return chart
    entry = join(chart.folder, "Chart.yaml")
    if ignoring.leaves_out(entry):
        raise Broken(f"it needs {entry}, and {ignoring.why(entry)}", help="correct .sourceignore, or spec.ignore")
    try:
        folder = around.shadow(chart.folder, f"{asking.shadow}.fetched", ignoring.leaves_out)
    except InputError as error:
        raise Broken(error.message, help=error.help) from error
    return replace(chart, folder=folder)


def _from_a_repository(
    spec: Mapping[str, Any],
    reference: Mapping[str, Any],
    name: str,
    namespace: str,
    around: Surroundings,
    sources: Sources,
) -> str:
    told = sources.told("HelmRepository", text(reference.get("namespace")) or namespace, text(reference.get("name")))
    repository = mapping(told.resource.manifest.get("spec"))
    url, version = text(repository.get("url")), text(spec.get("version")) or "*"
    if repository.get("type") == "oci" or url.startswith("oci://"):
        remote = version_ranges.chart(RemoteKind.OCI, f"{url.rstrip('/')}/{name}", "", version)
    else:
        remote = version_ranges.chart(RemoteKind.HELM, url, name, version)
    return around.fetched(remote, told.resource.source)


def _checked(chart: Chart, around: Surroundings) -> Chart:
    if join(chart.folder, "Chart.yaml") in around.files.entries:
        return chart
    where = chart.archive or chart.folder
    raise Broken(f"there is no chart in {where}", help="correct the path, or add its Chart.yaml")


def _with_values(chart: Chart, spec: Mapping[str, Any], asking: Asking, around: Surroundings) -> Chart:
    """With `valuesFiles` the chart's own values.yaml counts only if it is one of them."""
    files = words(spec.get("valuesFiles"))
    if not files:
        return chart
    merged: Mapping[str, Any] = {}
    for name in files:
        path = posixpath.normpath(join(chart.root, held(name)))
        data = around.files.tree.read(path) if path in around.files.entries else None
        if data is None:
            if spec.get("ignoreMissingValuesFiles") is True:
                continue
            raise Broken(f"the value file {path} does not exist", help="correct chart.spec.valuesFiles, or add it")
        merged = with_merged(merged, values(data, path, ("spec", "chart", "spec", "valuesFiles")))
    try:
        folder = around.shadow(chart.folder, asking.shadow)
    except InputError as error:
        raise Broken(error.message, help=error.help) from error
    written = json.dumps(merged, sort_keys=True).encode()
    around.write(join(folder, "values.yaml"), written, asking.told.resource.source)
    return replace(chart, folder=folder)


def values(data: bytes, what: str, at: FieldPath) -> Mapping[str, Any]:
    """A file of Helm values, `what` in words; `at` is the field that names it. Raises Broken."""
    try:
        found = load(data, path=what)
    except YamlError as error:
        raise Broken(f"the values of {what}: {error.message}", help=error.help or "correct them", at=at) from error
    if found is not None and not isinstance(found, dict):
        raise Broken(f"{what} holds no values", help="write a mapping there: key: value", at=at)
    return found or {}


def with_merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Maps are merged, anything else is replaced (fluxcd/pkg/chartutil, MergeMaps)."""
    found = dict(one)
    for key, value in other.items():
        known = found.get(key)
        both = isinstance(value, Mapping) and isinstance(known, Mapping)
        found[key] = with_merged(mapping(known), value) if both else value
    return found
