"""The delivery tool `flux`: each of its objects becomes a target, whatever is wrong with another."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from review_bot.core.delivery import Expansion, Surroundings
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
        told = list(catalogue.of(OPERATOR, "ResourceSet"))
        for one in told:
            target, said = resource_sets.target(one, around, catalogue)
            targets.append(target)
            findings += said
        findings += dependencies.findings([resource_sets.asking(one) for one in told])
        return Expansion(tuple(targets), tuple(findings), _holding(catalogue.missing, targets, around))


def _holding(names: Collection[str], targets: Sequence[Target], around: Surroundings) -> frozenset[str]:
    """The targets whose files speak of something that is missing among the objects: it may be there."""
    sought = [name.encode(errors="surrogatepass") for name in names if name]
    found = set()
    for target in targets if sought else ():
        paths = [p for part in target.parts for p in part.reads or ()]
        if any(name in data for data in around.graft.read_many(paths).values() for name in sought):
            found.add(target.id)
    return frozenset(found)
