"""Releases of a helmfile whose chart lies in the repository, as targets."""

from __future__ import annotations

from review_bot.core.closure import Files, helm_reads
from review_bot.core.jenkins_x.layout import HELMFILE
from review_bot.core.model import HelmOptions, RendererName, Target


def releases(files: Files) -> list[Target]:
    """Those that are switched on and of which everything is seen, each with its values and namespace.

    A chart whose release is not wholly seen stays a target of its own, with its own values.
    """
    if HELMFILE not in files.entries:
        return []
    from review_bot.core.jenkins_x.helmfile import read_all

    found = []
    for release in read_all(files.tree).releases:
        if release.folder is None or release.on is not True or release.unseen or not release.name:
            continue
        found.append(
            Target(
                id=f"{RendererName.HELM}:{release.folder}#{release.namespace}/{release.name}",
                renderer=RendererName.HELM,
                path=release.folder,
                entry=release.source.path,
                reads=helm_reads(files, release.folder, release.values) | release.reads,
                name=release.name,
                namespace=release.namespace,
                helm=HelmOptions(release.name, release.namespace, release.values),
            )
        )
    return found
