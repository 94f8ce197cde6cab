"""ApplicationSets: the Applications that one generates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from review_bot.core.argocd import values
from review_bot.core.argocd.application import FINALIZERS, TOOL, ArgoObject, safe
from review_bot.core.argocd.generators import Generators, kinds_of
from review_bot.core.argocd.patching import PATCH, patched
from review_bot.core.argocd.problems import NotSeen, Trouble
from review_bot.core.argocd.reuse import Seen
from review_bot.core.argocd.templates import Memo, Parameters, Words
from review_bot.core.configuration import ArgoCluster
from review_bot.core.delivery import Surroundings
from review_bot.core.model import FieldPath, Manifest, Resource, ResourceId, Severity

METADATA = ("name", "namespace", "labels", "annotations", "finalizers")
TEMPLATE: FieldPath = ("spec", "template")


class ApplicationSet(ArgoObject):
    """An ApplicationSet. Reading its fields raises Trouble."""

    @property
    def id(self) -> str:
        return f"{TOOL}:applicationset/{self.full_name}"

    @property
    def folder(self) -> str:
        """Where what is generated for it goes."""
        return f"{TOOL}-set-{safe(self.full_name)}"

    @property
    def policy(self) -> Mapping[str, Any]:
        """spec.syncPolicy, {} where it can't be read."""
        return self.said("syncPolicy")


@dataclass(frozen=True)
class Generated:
    """The Applications by name, the files whose content decided about them, and what is to be said about the set."""

    applications: tuple[Resource, ...] = ()
    reads: frozenset[str] = frozenset()
    remarks: tuple[Trouble, ...] = ()

    @property
    def unseen(self) -> bool:
        """Is it not known what there is?"""
        return any(remark.rule == NotSeen.rule for remark in self.remarks)


def generated(
    owner: ApplicationSet, around: Surroundings, known: Sequence[ArgoCluster], seen: Seen, earlier: Seen
) -> Generated:
    """What the set generates; a generator that can't be seen is left out, with a remark. Raises Trouble.

    What was `seen` on the earlier side is not filled in again.
    """
    spec = owner.spec
    options = values.texts(spec.get("goTemplateOptions"), "goTemplateOptions", ("spec", "goTemplateOptions"))
    words = Words(spec.get("goTemplate") is True, tuple(options), around.templating)
    generators = Generators(owner.resource, words, around, known)
    found: list[Manifest] = []
    for number, row in enumerate(values.rows(spec.get("generators"), "spec.generators", ("spec", "generators"))):
        at: FieldPath = ("spec", "generators", number)
        for kind in kinds_of(row, at):
            try:
                parameters = generators.parameters(row, kind, at)
            except NotSeen as unseen:
                generators.remarks.append(unseen)
                continue
            if not parameters:
                generators.remarks.append(Nothing(at, kind))
            key = (around.realm, owner.id, number, kind)
            memo = _filled_in(owner, _template(owner, row, kind, at), parameters, words, earlier.rendered.get(key))
            seen.rendered[key] = memo
            found += memo.results
    applications = tuple(_objects(owner, sorted(found, key=_name)))
    _refuse_doubles(applications)
    return Generated(applications, frozenset(generators.reads), tuple(generators.remarks))


class Nothing(Trouble):
    """A generator that yields nothing: that may be meant, or a mistake in a pattern."""

    rule = "generates-nothing"
    severity = Severity.NOTICE

    def __init__(self, at: FieldPath, kind: str) -> None:
        super().__init__(
            f"its {kind} generator yields nothing, and so no Application",
            at=(*at, kind),
            help="look at its paths and selectors if that is not meant",
        )


def _template(owner: ApplicationSet, row: Mapping[str, Any], kind: str, at: FieldPath) -> Mapping[str, Any]:
    """The generator's own template, filled up by that of the set."""
    common = values.mapping(owner.spec.get("template"), "spec.template", TEMPLATE)
    place = (*at, kind, "template")
    own = values.mapping(values.mapping(row[kind], kind, (*at, kind)).get("template"), "template", place)
    template = values.filled(own, common) if own else common
    metadata = values.mapping(template.get("metadata"), "template.metadata", (*TEMPLATE, "metadata"))
    return {
        "metadata": {key: metadata[key] for key in METADATA if metadata.get(key)},
        "spec": values.without_nulls(values.mapping(template.get("spec"), "template.spec", (*TEMPLATE, "spec"))),
    }


def _filled_in(
    owner: ApplicationSet,
    template: Mapping[str, Any],
    parameters: Sequence[Parameters],
    words: Words,
    known: Memo | None,
) -> Memo:
    """The Applications of one template, those that are known if they are the same."""
    patch = values.text(owner.spec.get("templatePatch"), "templatePatch", PATCH)
    keeps_objects = owner.policy.get("preserveResourcesOnDeletion") is True
    templates = (template, patch)
    options = (words.go, words.options, keeps_objects, owner.namespace, owner.resource.id.api_version)
    if known is not None and (known.templates, known.options, known.parameters) == (templates, options, parameters):
        return known
    return Memo(templates, options, parameters, list(_rendered(owner, template, patch, parameters, words)))


def _rendered(
    owner: ApplicationSet, template: Mapping[str, Any], patch: str, parameters: Sequence[Parameters], words: Words
) -> Iterator[Manifest]:
    """The Applications of one template, all in one go."""
    applications = words.render(template, parameters, TEMPLATE)
    patches = words.render(patch, parameters, PATCH) if patch else [""] * len(parameters)
    keeps_objects = owner.policy.get("preserveResourcesOnDeletion") is True
    for one, given, change in zip(parameters, applications, patches, strict=True):
        metadata = dict(given["metadata"])
        if one and not keeps_objects and not metadata.get("finalizers"):
            metadata["finalizers"] = [FINALIZERS[0]]
        application = {"metadata": metadata, "spec": given["spec"]}
        if change:
            application = patched(application, change)
        # Whatever the template says: a set has no say outside of its own namespace.
        application["metadata"]["namespace"] = owner.namespace
        yield {"apiVersion": owner.resource.id.api_version, "kind": "Application", **application}


def _objects(owner: ApplicationSet, manifests: Sequence[Manifest]) -> Iterator[Resource]:
    """The Applications as objects, each field at the place of the template's."""
    own, length = owner.resource, len(TEMPLATE)
    lines = {path[length:]: line for path, line in own.lines.items() if path[:length] == TEMPLATE and path != TEMPLATE}
    for manifest in manifests:
        name = _name(manifest)
        if not name:
            raise Trouble("the template gives an Application without a name", at=TEMPLATE, rule="template")
        id = ResourceId(own.id.api_version, "Application", owner.namespace, name)
        yield Resource(id, manifest, own.source, lines)


def _refuse_doubles(applications: Sequence[Resource]) -> None:
    seen: set[tuple[str | None, str]] = set()
    for application in applications:
        key = (application.id.namespace, application.id.name)
        if key in seen:
            raise Trouble(
                f"it generates two Applications named {application.id.name}",
                at=(*TEMPLATE, "metadata", "name"),
                rule="same-name",
                help="use more of the parameters in the template's metadata.name",
            )
        seen.add(key)


def _name(manifest: Manifest) -> str:
    name = manifest["metadata"].get("name")
    return name if isinstance(name, str) else ""
