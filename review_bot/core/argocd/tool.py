"""Argo CD as a delivery tool: Applications, and ApplicationSets which generate them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from weakref import WeakKeyDictionary

from review_bot.core.argocd import clusters, projects, sources, values
from review_bot.core.argocd.application import GROUP, HOME, TOOL, Application
from review_bot.core.argocd.cycles import circle
from review_bot.core.argocd.problems import finding, said
from review_bot.core.argocd.reuse import Seen, known_before
from review_bot.core.argocd.sets import ApplicationSet, Generated, generated
from review_bot.core.closure import folder_of
from review_bot.core.configuration import ArgoCluster
from review_bot.core.delivery import Expansion, Surroundings, Told
from review_bot.core.errors import InputError
from review_bot.core.graft import Graft
from review_bot.core.model import (
    CheckName,
    Delivery,
    Finding,
    RendererName,
    Resource,
    ResourceId,
    Severity,
    Target,
)

# What an ApplicationSet's policy keeps from reaching Applications that are there already.
HELD_BACK = {
    "create-only": "changed or deleted",
    "create-update": "deleted",
    "create-delete": "changed",
}


class ArgoCD:
    """Is a core.delivery.DeliveryTool. One instance serves any number of reviews."""

    name = TOOL
    kinds = frozenset({(GROUP, "Application"), (GROUP, "ApplicationSet")})

    def __init__(self) -> None:
        self._seen: WeakKeyDictionary[Graft, Seen] = WeakKeyDictionary()

    def expand(self, around: Surroundings) -> Expansion:
        """The targets of all Applications, written and generated ones, and of ApplicationSets.

        See core.delivery.DeliveryTool.
        """
        found: dict[str, Target] = {}
        findings: list[Finding] = []
        told: list[Target] = []
        for expansion in self._expansions(around):
            told += expansion.targets
            new = [target for target in expansion.targets if target.id not in found]
            found |= {target.id: target for target in new}
            findings += [f for f in expansion.findings if f.target in {t.id for t in new}]
            findings += [_doubled(t, found[t.id]) for t in expansion.targets if _differ(t, found[t.id])]
        findings += circle(told, found)
        findings += self._refused(around, found)
        return Expansion(tuple(found.values()), tuple(findings))

    def _refused(self, around: Surroundings, found: Mapping[str, Target]) -> Iterator[Finding]:
        """What the projects that are known here forbid."""
        known, seen = projects.known(around), self._seen[around.graft]
        if not known:
            return
        registered = seen.clusters = clusters.known(around)
        for key, project in known.items():
            of_name = seen.projects.setdefault(key, [])
            of_name += [] if project in of_name else [project]
        for (realm, _), (resource, expansion) in seen.applications.items():
            for target in expansion.targets:
                if realm == around.realm and found.get(target.id) is target:
                    app = Application(resource, target.delivery.parent if target.delivery else "")
                    with contextlib.suppress(InputError):  # it is said already
                        for trouble in projects.refusals(app, known, registered):
                            yield finding(resource, trouble, target.id, app.subject)

    def forbidden(self, graft: Graft, target: Target, resources: Sequence[Resource]) -> list[Finding]:
        """What of the rendered objects an Application's project does not let it deploy; one finding a kind.

        Where several clusters of the repository have a project of one name, it is not known which counts.
        """
        delivery, seen = target.delivery, self._seen.get(graft)
        if delivery is None or seen is None or delivery.object.kind != "Application":
            return []
        settings = json.loads(delivery.settings)
        known = [
            p for at in (HOME, delivery.object.namespace) for p in seen.projects.get((str(at), settings["project"]), ())
        ]
        if len(set(map(id, known))) != 1:
            return []
        found: dict[tuple[str, str], Finding] = {}
        for resource in resources:
            kind = (resource.id.group, resource.id.kind)
            with contextlib.suppress(InputError):  # the project's own trouble
                why = projects.forbidden(known[0], settings["destination"], resource, seen.clusters)
                if why and kind not in found:
                    found[kind] = _not_let(target, resource, known[0], why)
        return list(found.values())

    def _expansions(self, around: Surroundings) -> Iterator[Expansion]:
        seen = self._seen.setdefault(around.graft, Seen())
        earlier = self._seen.get(around.before.graft, Seen()) if around.before is not None else Seen()
        registered = clusters.known(around)
        for told in around.of(GROUP, ["Application", "ApplicationSet"]):
            if _is_generated(told):
                continue
            is_set = told.resource.id.kind == "ApplicationSet"
            key = (id(told.resource), told.target.id, around.realm, repr(registered) if is_set else "")
            if key not in seen.expansions:
                expansion = (
                    _of_set(ApplicationSet(told.resource, told.target.id), around, registered, seen, earlier)
                    if is_set
                    else of_application(Application(told.resource, told.target.id), around, seen, earlier)
                )
                seen.expansions[key] = (told.resource, expansion)
            yield seen.expansions[key][1]


def of_application(app: Application, around: Surroundings, seen: Seen, earlier: Seen) -> Expansion:
    """The target of one Application; one without parts and a finding where its content can't be seen."""
    key = (around.realm, f"{app.parent} {app.id}")
    expansion = known_before(app.resource, key, around, earlier) or _worked_out(app, around)
    seen.applications[key] = (app.resource, expansion)
    return expansion


def _worked_out(app: Application, around: Surroundings) -> Expansion:
    findings = []
    parts: tuple[Target, ...] = ()
    reads: frozenset[str] = frozenset()
    path, unseen = ".", ""
    try:
        app.check()
        parts, reads, path = sources.parts(app, around)
    except InputError as error:
        unseen = error.message
        findings.append(finding(app.resource, error, app.id, app.subject))
    target = Target(
        id=app.id,
        renderer=parts[0].renderer if parts else RendererName.PLAIN,
        path=path,
        entry=app.resource.source.path,
        reads=reads,
        name=app.name,
        namespace=app.target_namespace or None,
        delivery=app.delivery(unseen),
        parts=parts,
    )
    return Expansion((target,), tuple(findings))


def _of_set(
    owner: ApplicationSet, around: Surroundings, known: tuple[ArgoCluster, ...], seen: Seen, earlier: Seen
) -> Expansion:
    """The target of the Applications themselves, and the target of each."""
    try:
        found = generated(owner, around, known, seen, earlier)
    except InputError as error:
        said_of_it = finding(owner.resource, error, owner.id, owner.subject)
        return Expansion((_target_of(owner, Generated(), ()),), (said_of_it,))
    findings = [finding(owner.resource, trouble, owner.id, owner.subject) for trouble in found.remarks]
    findings += _held_back(owner)
    parts: tuple[Target, ...] = ()
    if found.applications or not found.unseen:
        parts = (_shown(owner, found, around),)
    targets = [_target_of(owner, found, parts)]
    _read_together(found.applications, around)
    for resource in found.applications:
        expansion = of_application(Application(resource, owner.id), around, seen, earlier)
        targets += expansion.targets
        findings += expansion.findings
    return Expansion(tuple(targets), tuple(findings))


def _read_together(applications: Sequence[Resource], around: Surroundings) -> None:
    """The kustomizations of many Applications in one go."""
    folders = {str((Application(one, "").said("source")).get("path")).strip("/") for one in applications}
    entries = (around.files.kustomization_of(folder) for folder in folders)
    around.files.preload([entry for entry in entries if entry is not None])


def _target_of(owner: ApplicationSet, found: Generated, parts: tuple[Target, ...]) -> Target:
    id = owner.resource.id
    delivery = Delivery(
        tool=TOOL,
        object=ResourceId(id.api_version, id.kind, owner.namespace, id.name),
        parent=owner.parent,
        source=owner.resource.source,
        prune=owner.policy.get("applicationsSync", "sync") in ("sync", "create-delete"),
    )
    return Target(
        id=owner.id,
        renderer=RendererName.PLAIN,
        path=folder_of(owner.resource.source.path),
        entry=owner.resource.source.path,
        reads=found.reads,
        name=owner.name,
        namespace=owner.namespace,
        delivery=delivery,
        parts=parts,
    )


def _shown(owner: ApplicationSet, found: Generated, around: Surroundings) -> Target:
    """The generated Applications as a folder with one file."""
    data = values.documents(resource.manifest for resource in found.applications)
    path = around.write(f".~{owner.folder}/applications.json", data, owner.resource.source)
    return Target(f"{owner.id}/0", RendererName.PLAIN, folder_of(path), path, frozenset([path]))


def _held_back(owner: ApplicationSet) -> list[Finding]:
    policy = owner.policy.get("applicationsSync")
    if policy not in HELD_BACK:
        return []
    text = f"{owner.subject} has the policy {policy}: Applications that are there already are not {HELD_BACK[policy]}"
    at = ("spec", "syncPolicy", "applicationsSync")
    return [said(owner.resource, "applications-sync", Severity.NOTICE, text, owner.id, at=at)]


def _is_generated(told: Told) -> bool:
    """Does it stand in the output of an ApplicationSet, with which it was expanded?"""
    by = told.target.delivery
    return by is not None and by.tool == TOOL and by.object.kind == "ApplicationSet"


def _differ(one: Target, other: Target) -> bool:
    """Are they two objects of one name? One that is told of twice is one."""
    if one is other or one.delivery is None or other.delivery is None:
        return False
    return (one.parts, one.delivery.settings, one.delivery.object) != (
        other.parts,
        other.delivery.settings,
        other.delivery.object,
    )


def _not_let(target: Target, resource: Resource, project: Resource, why: str) -> Finding:
    return Finding(
        check=CheckName.RENDER,
        rule="project-forbids",
        severity=Severity.ERROR,
        message=f"Application {target.name}: its project {project.id.name} does not let it deploy "
        f"{resource.id.kind} {resource.id.name}: {why}",
        target=target.id,
        resource=resource.id,
        path=resource.source.path,
        line=resource.source.line,
        help=f"leave it out, or allow it in AppProject {project.id.name} in {project.source.path}",
    )


def _doubled(second: Target, first: Target) -> Finding:
    assert first.delivery is not None and second.delivery is not None  # noqa: S101 - both were told of
    id, place, other = second.delivery.object, second.delivery.source, first.delivery.source
    return Finding(
        check=CheckName.RENDER,
        rule="defined-twice",
        severity=Severity.WARNING,
        message=f"{id.kind} {id.name} is also defined in {other.path}{f':{other.line}' if other.line else ''}; "
        "which one counts is left to chance, and the other is not reviewed",
        target=second.id,
        resource=id,
        path=place.path,
        line=place.line,
        help="give one of them another name",
    )
