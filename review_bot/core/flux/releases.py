"""From a HelmRelease to the target that it deploys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from review_bot.core.closure import folder_of, helm_reads, join
from review_bot.core.delivery import Surroundings, Told
from review_bot.core.errors import InputError
from review_bot.core.flux.charts import Chart, chart_of
from review_bot.core.flux.kustomizations import TOOL, destination, home, reads
from review_bot.core.flux.objects import Asking, Broken, Catalogue
from review_bot.core.flux.sources import Sources
from review_bot.core.flux.values import Values, values_of
from review_bot.core.lenient import mapping, rows, text
from review_bot.core.model import Delivery, Finding, HelmOptions, RendererName, Target

LONGEST_NAME = 53
_HASH = 12


def asking(told: Told) -> Asking:
    return Asking(told, f"helmrelease:{told.resource.id.namespace or 'default'}/{told.resource.id.name}")


def target(told: Told, around: Surroundings, catalogue: Catalogue, sources: Sources) -> tuple[Target, list[Finding]]:
    """The target, without parts where its chart is not seen, and what is to be said of it."""
    wanted = asking(told)
    findings: list[Finding] = []
    parts: tuple[Target, ...] = ()
    path = None
    settings = _settings(wanted)
    values = Values()
    try:
        values_of(wanted, around, catalogue, values)
        chart = chart_of(wanted, around, sources)
        part = _part(wanted, chart, values, around)
        parts, path = (part,), folder_of(chart.archive) if chart.archive else home(part.path, around)
        entries, crds = around.graft.entries(), join(part.path, "crds")
        settings["crds"]["files"] = {p.removeprefix(f"{crds}/"): entries[p].blob for p in around.files.below(crds)}
        settings["chart"] = _about(chart, around)
    except InputError as error:
        field = "chartRef" if wanted.spec.get("chartRef") else "chart"
        findings.append(wanted.told_of(error, ("spec", field)))
        blobs = [around.graft.entries()[path].blob for path in values.files]
        settings["unseen"] = wanted.digest(error.message, blobs)
    findings += values.findings
    settings["opaque"] = values.opaque
    return Target(
        id=wanted.id,
        renderer=RendererName.HELM,
        path=path or folder_of(told.resource.source.path),
        entry=told.resource.source.path,
        reads=reads(parts, around),
        namespace=settings["targetNamespace"],
        delivery=Delivery(
            tool=TOOL,
            object=told.resource.id,
            parent=told.target.id,
            source=told.resource.source,
            destination=destination(wanted),
            settings=json.dumps(settings, sort_keys=True),
            suspended=wanted.spec.get("suspend") is True,
        ),
        parts=parts,
    ), findings


def release_name(asking: Asking) -> str:
    """Its own, else with the target namespace before it; a longer one than Helm allows ends in a hash."""
    namespace = text(asking.spec.get("targetNamespace"))
    name = text(asking.spec.get("releaseName")) or (f"{namespace}-{asking.name}" if namespace else asking.name)
    if len(name) <= LONGEST_NAME:
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
    return f"{name[: LONGEST_NAME - _HASH - 1]}-{mark}"


def _settings(asking: Asking) -> dict[str, Any]:
    spec = asking.spec
    install, upgrade = mapping(spec.get("install")), mapping(spec.get("upgrade"))
    skipped = install.get("skipCRDs") is True
    return {
        "release": release_name(asking),
        "targetNamespace": text(spec.get("targetNamespace")) or asking.namespace,
        "storageNamespace": text(spec.get("storageNamespace")) or asking.namespace,
        "crds": {
            "install": text(install.get("crds")) or ("Skip" if skipped else "Create"),
            "upgrade": text(upgrade.get("crds")) or "Skip",
        },
        "postRenderers": [_kustomization(mapping(row.get("kustomize"))) for row in rows(spec.get("postRenderers"))],
        "commonMetadata": mapping(spec.get("commonMetadata")),
        "renamedInPlace": upgrade.get("chartNameChangeStrategy") == "InPlaceUpdate",
        "withoutHooks": spec.get("postRenderStrategy") == "nohooks",
    }


def _kustomization(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a post-renderer asks of kustomize."""
    older = [{"patch": json.dumps(patch)} for patch in rows(row.get("patchesStrategicMerge"))]
    json6902 = [
        {"patch": json.dumps(patch.get("patch")), "target": mapping(patch.get("target"))}
        for patch in rows(row.get("patchesJson6902"))
    ]
    found = {"patches": [*rows(row.get("patches")), *older, *json6902], "images": rows(row.get("images"))}
    return {field: value for field, value in found.items() if value}


def _part(asking: Asking, chart: Chart, values: Values, around: Surroundings) -> Target:
    settings = _settings(asking)
    policies = settings["crds"]
    options = HelmOptions(
        release=settings["release"],
        namespace=settings["targetNamespace"],
        values=tuple(values.files),
        crds=any(policy != "Skip" for policy in policies.values()),
    )
    if not options.release or options.release.startswith("-"):
        raise Broken(f"{options.release!r} is no name for a release", help="correct spec.releaseName")
    closure = helm_reads(around.files, chart.folder, options.values)
    entry = join(chart.folder, "Chart.yaml")
    archive = {chart.archive} if chart.archive else frozenset()
    return Target(f"{asking.id}/0", RendererName.HELM, chart.folder, entry, closure | archive, helm=options)


def _about(chart: Chart, around: Surroundings) -> dict[str, Any]:
    """What source-controller asks of a chart to tell whether it has it already."""
    content = mapping(around.files.parsed(join(chart.folder, "Chart.yaml")))
    files = _digest(helm_reads(around.files, chart.folder), chart.folder, around)
    return {
        "name": text(content.get("name")),
        "version": str(content.get("version")),
        "files": files,
        "packed": json.dumps(chart.packed, sort_keys=True),
        "always": chart.packed is None or chart.packed.get("reconcileStrategy") == "Revision",
    }


def _digest(paths: Iterable[str], chart: str, around: Surroundings) -> str:
    """Of files of a chart, "" for none."""
    entries = around.graft.entries()
    rows = [f"{path.removeprefix(chart)} {entries[path].blob}" for path in sorted(paths) if path in entries]
    return hashlib.sha256("\n".join(rows).encode(errors="surrogateescape")).hexdigest() if rows else ""
