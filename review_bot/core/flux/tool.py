"""The delivery tool `flux`: each of its objects becomes a target, whatever is wrong with another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from review_bot.core.delivery import WORDS, Expansion, Surroundings
from review_bot.core.flux import dependencies, kustomizations, releases, resource_sets
from review_bot.core.flux.objects import EXTENSIONS, HELM, KUSTOMIZE, OPERATOR, SOURCE, Catalogue
from review_bot.core.flux.sources import Sources
from review_bot.core.model import Finding, Target

_KINDS = {
    KUSTOMIZE: ("Kustomization",),
    HELM: ("HelmRelease",),
    SOURCE: ("GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket", "ExternalArtifact"),
    EXTENSIONS: ("ArtifactGenerator",),
    OPERATOR: ("ResourceSet", "ResourceSetInputProvider"),
}


class Flux:
    """Is a core.delivery.DeliveryTool."""

    name = kustomizations.TOOL
    kinds = frozenset((group, kind) for group, kinds in _KINDS.items() for kind in kinds)

    def expand(self, around: Surroundings) -> Expansion:
        """See core.delivery.DeliveryTool."""
        catalogue = Catalogue(around.objects)
        sources = Sources(around, catalogue)
        targets: list[Target] = []
        findings: list[Finding] = []
        told = list(catalogue.of(KUSTOMIZE, "Kustomization"))
        for one in told:
            target, said = kustomizations.target(one, around, catalogue, sources)
            targets.append(target)
            findings += said
        findings += dependencies.findings([kustomizations.asking(one) for one in told])
        told = list(catalogue.of(HELM, "HelmRelease"))
        for one in told:
            target, said = releases.target(one, around, catalogue, sources)
            targets.append(target)
            findings += said
        findings += dependencies.findings([releases.asking(one) for one in told])
        for one in catalogue.of(OPERATOR, "ResourceSet"):
            target, said = resource_sets.target(one, around, catalogue)
            targets.append(target)
            findings += said
        wanted = _leading(targets, around) | _holding(catalogue.missing, targets, around)
        return Expansion(tuple(targets), tuple(findings), wanted)


def _leading(targets: Sequence[Target], around: Surroundings) -> frozenset[str]:
    """The targets in whose generated or fetched files objects of delivery tools stand."""
    graft = around.graft
    made = lambda path: graft.is_made(path) and graft.copied_from(path) is None  # noqa: E731
    return _speaking([word.encode() for word in WORDS], targets, around, made)


def _holding(names: Collection[str], targets: Sequence[Target], around: Surroundings) -> frozenset[str]:
    """The targets whose files speak of something that is missing among the objects: it may be there."""
    return _speaking([name.encode() for name in names if name], targets, around, lambda _: True)


def _speaking(
    words: Collection[bytes], targets: Sequence[Target], around: Surroundings, of: Callable[[str], bool]
) -> frozenset[str]:
    found = set()
    for target in targets if words else ():
        paths = [p for part in target.parts for p in part.reads or () if of(p)]
        if any(word in data for data in around.graft.read_many(paths).values() for word in words):
            found.add(target.id)
    return frozenset(found)
