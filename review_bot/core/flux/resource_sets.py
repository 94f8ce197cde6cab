"""From a ResourceSet of flux-operator to the objects that it generates, where its inputs stand in git."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from review_bot.core.closure import folder_of
from review_bot.core.delivery import Surroundings, Told
from review_bot.core.errors import InputError
from review_bot.core.flux.kustomizations import TOOL
from review_bot.core.flux.objects import OPERATOR, Asking, Broken, Catalogue, NotSeen
from review_bot.core.lenient import mapping, rows, text
from review_bot.core.model import Delivery, Finding, Manifest, RendererName, ResourceId, Target
from review_bot.core.resources import identity

RECONCILE = "fluxcd.controlplane.io/reconcile"
PROVIDER = "ResourceSetInputProvider"


def asking(told: Told) -> Asking:
    return Asking(told, f"resourceset:{told.resource.id.namespace or 'default'}/{told.resource.id.name}")


def target(told: Told, around: Surroundings, catalogue: Catalogue) -> tuple[Target, list[Finding]]:
    """The target, without parts where its inputs are not seen, and what is to be said of it."""
    wanted = asking(told)
    findings: list[Finding] = []
    parts: tuple[Target, ...] = ()
    settings: dict[str, Any] = {"commonMetadata": mapping(wanted.spec.get("commonMetadata"))}
    try:
        parts = (_part(wanted, _generated(wanted, around, catalogue), around),)
    except InputError as error:
        findings.append(wanted.told_of(error, ("spec",)))
        settings["unseen"] = wanted.digest(error.message)
    annotations = mapping(mapping(told.resource.manifest.get("metadata")).get("annotations"))
    return Target(
        id=wanted.id,
        renderer=RendererName.PLAIN,
        path=folder_of(told.resource.source.path),
        entry=told.resource.source.path,
        reads=frozenset().union(*(part.reads or frozenset() for part in parts)),
        delivery=Delivery(
            tool=TOOL,
            object=told.resource.id,
            parent=told.target.id,
            source=told.resource.source,
            settings=json.dumps(settings, sort_keys=True),
            suspended=annotations.get(RECONCILE) == "disabled",
        ),
        parts=parts,
    ), findings


def _generated(asking: Asking, around: Surroundings, catalogue: Catalogue) -> list[Manifest]:
    """Each object once, though several inputs may give it. Raises InputError."""
    spec = asking.spec
    templates: list[Any] = [*rows(spec.get("resources"))]
    if text(spec.get("resourcesTemplate")):
        templates.append(spec["resourcesTemplate"])
    try:
        documents = around.templating.resource_set(templates, _inputs(asking, catalogue))
    except NotSeen:
        raise
    except InputError as error:
        number, _, cause = error.message.partition(": ")
        where = f"resources[{number}]" if number.isdigit() and int(number) < len(rows(spec.get("resources"))) else ""
        raise Broken(
            f"{where or 'its template'}: {cause or number}", help="correct the template or its inputs"
        ) from error
    found: dict[ResourceId, Manifest] = {}
    for document in documents:
        id = identity(document) if isinstance(document, dict) else None
        if id is None:
            raise Broken(
                "its template gives something that is no object", help="each needs apiVersion, kind and a name"
            )
        found.setdefault(id, document)
    return list(found.values())


def _inputs(asking: Asking, catalogue: Catalogue) -> list[Mapping[str, Any]]:
    spec = asking.spec
    if mapping(spec.get("inputStrategy")).get("name") == "Permute":
        raise NotSeen("its inputs are permuted, which the bot does not follow")
    found: list[Mapping[str, Any]] = [{**row, "provider": _about(asking)} for row in rows(spec.get("inputs"))]
    sources = rows(spec.get("inputsFrom"))
    for row in sources:
        found.append(_provided(asking, text(row.get("name")), catalogue))
    # Without any inputs it is rendered once.
    return found or ([] if sources else [{"provider": _about(asking)}])


def _provided(asking: Asking, name: str, catalogue: Catalogue) -> dict[str, Any]:
    """The inputs of a provider that stand in git. Raises NotSeen for all others."""
    told = catalogue.get(OPERATOR, PROVIDER, asking.namespace, name) if name else None
    if told is None:
        raise NotSeen(f"the {PROVIDER} {name or 'that a selector picks'} is not in this repository")
    spec = mapping(told.resource.manifest.get("spec"))
    if spec.get("type") != "Static":
        raise NotSeen(f"what the {PROVIDER} {name} gives is not in git", help="its inputs are found at run time")
    return {**mapping(spec.get("defaultValues")), "provider": _about(Asking(told, asking.id))}


def _about(asking: Asking) -> dict[str, str]:
    id = asking.told.resource.id
    return {"apiVersion": id.api_version, "kind": id.kind, "name": id.name, "namespace": asking.namespace}


def _part(asking: Asking, manifests: list[Manifest], around: Surroundings) -> Target:
    data = "\n---\n".join(json.dumps(manifest, sort_keys=True) for manifest in manifests).encode()
    path = around.write(f"{asking.folder}/resources.yaml", data, asking.told.resource.source)
    return Target(f"{asking.id}/0", RendererName.PLAIN, folder_of(path), path, frozenset([path]))
