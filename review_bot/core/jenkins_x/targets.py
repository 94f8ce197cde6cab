"""Releases of a helmfile whose chart lies in the repository, as targets."""

from __future__ import annotations

from review_bot.core.closure import Files, helm_reads
from review_bot.core.jenkins_x.layout import ROOTS
from review_bot.core.model import HelmOptions, RendererName, Target


def is_release(target: Target) -> bool:
    """Is it one of those that `releases` makes?"""
    place = f"{target.namespace}/{target.name}"
    named = target.id.partition("#")[2]
    return (
        target.renderer is RendererName.HELM
        and target.delivery is None
        and (named == place or named.endswith(f"/{place}"))
    )


def releases(files: Files) -> list[Target]:
    """Those that are switched on and of which everything is seen, each with its values and namespace.

    Where the helmfile declares several environments, each has targets of its own, named after it. A chart whose release
    is not wholly seen stays a target of its own, with its own values.
    """
    if not any(root in files.entries for root in ROOTS):
        return []
    from review_bot.core.helmfile.roots import evaluated
    from review_bot.core.jenkins_x.helmfile import declared, read_all

    if evaluated(files.tree):
        return []
    environments = declared(files.tree)
    several = len(environments) > 1
    found: dict[str, Target] = {}
    for environment in environments:
        for release in read_all(files.tree, environment).releases:
            if release.folder is None or release.on is not True or release.unseen or not release.name:
                continue
            way = f"{environment}/" if several else ""
            id = f"{RendererName.HELM}:{release.folder}#{way}{release.namespace}/{release.name}"
            target = Target(
                id=id,
                renderer=RendererName.HELM,
                path=release.folder,
                entry=release.source.path,
                reads=helm_reads(files, release.folder, release.values) | release.reads,
                name=release.name,
                environment=environment if several else None,
                namespace=release.namespace,
                helm=HelmOptions(release.name, release.namespace, release.values, release.sets),
            )
            # One that is given twice is told as such.
            found.setdefault(id, target)
    return list(found.values())
