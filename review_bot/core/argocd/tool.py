"""Argo CD as a delivery tool: Applications, and ApplicationSets which generate them."""

from __future__ import annotations

from collections.abc import Hashable
from weakref import WeakKeyDictionary

from review_bot.core.argocd import sources
from review_bot.core.argocd.application import GROUP, TOOL, Application
from review_bot.core.argocd.problems import Trouble, finding
from review_bot.core.delivery import Expansion, Surroundings, Told
from review_bot.core.graft import Graft
from review_bot.core.model import Finding, RendererName, Resource, Target


class ArgoCD:
    """Is a core.delivery.DeliveryTool. One instance serves any number of reviews."""

    name = TOOL
    kinds = frozenset({(GROUP, "Application"), (GROUP, "ApplicationSet")})

    def __init__(self) -> None:
        # What an object asks for stays the same in every round of a side; the object is kept lest another gets its id.
        self._known: WeakKeyDictionary[Graft, dict[Hashable, tuple[Resource, Expansion]]] = WeakKeyDictionary()

    def expand(self, around: Surroundings) -> Expansion:
        """The targets of all Applications, written and generated ones. See core.delivery.DeliveryTool."""
        found: dict[str, Target] = {}
        findings: list[Finding] = []
        for told in around.of(GROUP, ["Application"]):
            expansion = self._application(told, around)
            for target in expansion.targets:
                if target.id not in found:
                    found[target.id] = target
                    findings += expansion.findings
        return Expansion(tuple(found.values()), tuple(findings))

    def _application(self, told: Told, around: Surroundings) -> Expansion:
        known = self._known.setdefault(around.graft, {})
        key = (id(told.resource), told.target.id, around.realm)
        if key not in known:
            known[key] = (told.resource, expanded(Application(told.resource, told.target.id), around))
        return known[key][1]


def expanded(app: Application, around: Surroundings) -> Expansion:
    """The target of one Application; one without parts and a finding where its content can't be seen."""
    findings = []
    parts: tuple[Target, ...] = ()
    reads: frozenset[str] = frozenset()
    path, entry = ".", app.resource.source.path
    try:
        app.check()
        parts, reads, path = sources.parts(app, around)
    except Trouble as trouble:
        findings.append(finding(app.resource, trouble, app.id, app.subject))
    target = Target(
        id=app.id,
        renderer=parts[0].renderer if parts else RendererName.PLAIN,
        path=path,
        entry=entry,
        reads=reads,
        name=app.name,
        namespace=app.target_namespace or None,
        delivery=app.delivery(),
        parts=parts,
    )
    return Expansion((target,), tuple(findings))
