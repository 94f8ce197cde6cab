"""From a ResourceSet of flux-operator to the objects that it generates, where its inputs stand in git."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from review_bot.core.closure import folder_of
from review_bot.core.delivery import Surroundings, Told
from review_bot.core.errors import InputError
from review_bot.core.flux.kustomizations import TOOL
from review_bot.core.flux.objects import Asking, Broken, Catalogue
from review_bot.core.flux.set_inputs import Inputs, inputs_of
from review_bot.core.lenient import mapping, rows, text
from review_bot.core.model import Delivery, Finding, Manifest, RendererName, ResourceId, Severity, Target
from review_bot.core.resources import identity

RECONCILE = "fluxcd.controlplane.io/reconcile"
COPIED = "fluxcd.controlplane.io/copyFrom"
Object = tuple[ResourceId, Manifest]


def asking(told: Told) -> Asking:
    return Asking(told, f"resourceset:{told.resource.id.namespace or 'default'}/{told.resource.id.name}")


def target(told: Told, around: Surroundings, catalogue: Catalogue) -> tuple[Target, list[Finding]]:
    """The target, without parts where its inputs are not seen, and what is to be said of it."""
    wanted = asking(told)
    findings: list[Finding] = []
    parts: tuple[Target, ...] = ()
    settings: dict[str, Any] = {"commonMetadata": mapping(wanted.spec.get("commonMetadata"))}
    try:
        objects = _generated(wanted, around, catalogue)
        parts = (_part(wanted, [manifest for _, manifest in objects], around),)
        findings += _copied(wanted, objects)
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


def _copied(asking: Asking, objects: Sequence[Object]) -> list[Finding]:
    """What gets its data from another object of the cluster."""
    sources = {id: text(mapping(manifest, "metadata", "annotations").get(COPIED)) for id, manifest in objects}
    return [
        asking.finding(
            "not-seen",
            Severity.WARNING,
            f"the data of {id.kind} {id.name} is copied from {source} in the cluster; it is shown without",
            ("spec",),
        )
        for id, source in sources.items()
        if source
    ]


def _generated(asking: Asking, around: Surroundings, catalogue: Catalogue) -> list[Object]:
    """Each object once, though several inputs may give it. Raises InputError."""
    spec, steps = asking.spec, rows(asking.spec.get("steps"))
    if steps and (spec.get("resources") or spec.get("resourcesTemplate")):
        raise Broken("it has both steps and resources of its own", help="move the resources into a step")
    inputs = inputs_of(asking, catalogue)
    if not inputs and spec.get("inputsFrom"):
        return []
    # By what an object is in a cluster, whatever its version.
    found: dict[tuple[str, str, str | None, str], tuple[str, Object]] = {}
    for step in steps or [spec]:
        name = text(step.get("name")) if steps else ""
        if not step.get("resources") and not step.get("resourcesTemplate"):
            raise Broken(f"{f'its step {name}' if name else 'it'} has no resources", help="add some, or take it out")
        for id, manifest in _rendered(step, name, inputs, around):
            before, _ = found.setdefault((id.group, id.kind, id.namespace, id.name), (name, (id, manifest)))
            if before != name:
                raise Broken(
                    f"{id.kind} {id.name} is in the step {before} and in the step {name}", help="keep it in one of them"
                )
    return [one for _, one in found.values()]


def _rendered(step: Mapping[str, Any], name: str, inputs: Sequence[Inputs], around: Surroundings) -> list[Object]:
    """What the templates of a step, or of a set without any, give with all inputs, once without. Raises Broken."""
    templates: list[Any] = [*rows(step.get("resources"))]
    listed = len(templates)
    templates += [step["resourcesTemplate"]] if text(step.get("resourcesTemplate")) else []
    try:
        documents = around.templating.resource_set(templates, inputs or [None])
    except InputError as error:
        number, _, cause = error.message.partition(": ")
        where = f"resources[{number}]" if number.isdigit() and int(number) < listed else "its template"
        of_step = f"step {name}: " if name else ""
        raise Broken(f"{of_step}{where}: {cause or number}", help="correct the template or its inputs") from error
    found = []
    for manifest in itertools.chain.from_iterable(_flat(document) for document in documents):
        id = identity(manifest)
        if id is None:
            raise Broken(
                "its template gives something that is no object", help="each needs apiVersion, kind and a name"
            )
        if mapping(manifest, "metadata", "annotations").get(RECONCILE) != "disabled":
            found.append((id, manifest))
    return found


def _flat(document: Any) -> list[Manifest]:
    """The object, or those of a list."""
    if not isinstance(document, dict):
        return [{}]
    return rows(document["items"]) if isinstance(document.get("items"), list) else [document]


def _part(asking: Asking, manifests: list[Manifest], around: Surroundings) -> Target:
    data = "\n---\n".join(json.dumps(manifest, sort_keys=True) for manifest in manifests).encode()
    path = around.write(f"{asking.folder}/resources.yaml", data, asking.told.resource.source)
    return Target(f"{asking.id}/0", RendererName.PLAIN, folder_of(path), path, frozenset([path]))
