"""Does an object of Argo CD or Flux deploy a folder of a repository's branch, and to which cluster? Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.core.lenient import items, mapping
from review_bot.core.model import Manifest
from review_bot.core.repo_urls import normal

GIT, CHART, OCI = "GitRepository", "HelmChart", "OCIRepository"
# Whoever pushes an artifact says so of it: `flux push artifact` asks for both.
SOURCE, REVISION = "org.opencontainers.image.source", "org.opencontainers.image.revision"
# Cluster API's name for the Secret by which a cluster is reached, which Flux's documentation takes up.
KUBECONFIG = "-kubeconfig"
Sources = Mapping[tuple[str, str, str], Manifest]


@dataclass(frozen=True, slots=True)
class Origin:
    """A folder of a branch. `repository` is an address of it in any spelling, `default`: it is the default branch."""

    repository: str
    branch: str
    default: bool
    path: str


@dataclass(frozen=True, slots=True)
class Match:
    """An object that deploys a folder: by which of an Application's sources, or out of which OCIRepository."""

    manifest: Manifest
    source: int = 0
    artifact: Manifest | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster as delivery tools call it: by name or by the address of its API server.

    Without names it is the one that the objects lie in; `others` are then the clusters that are reached from there.
    """

    names: frozenset[str] = frozenset()
    servers: frozenset[str] = frozenset()
    others: tuple[Place, ...] = ()

    def is_reached_by(self, manifest: Manifest) -> bool:
        """Does an Application, Kustomization or HelmRelease deploy there?"""
        if self.names:
            return self._is_named(manifest)
        if self.others and mapping(manifest, "spec", "kubeConfig"):
            return False
        return not any(other._is_named(manifest) for other in self.others)

    def _is_named(self, manifest: Manifest) -> bool:
        if manifest.get("kind") == "Application":
            to = mapping(manifest, "spec", "destination")
            return str(to.get("name")) in self.names or str(to.get("server")).rstrip("/") in self.servers
        told = mapping(manifest, "spec", "kubeConfig")
        named = {str(mapping(told, word).get("name")) for word in ("secretRef", "configMapRef")}
        return bool(named & (self.names | {f"{name}{KUBECONFIG}" for name in self.names}))


ANYWHERE = Place()


def matches(manifest: Manifest, sources: Sources, origin: Origin) -> Iterator[Match]:
    """Each way in which the object deploys the folder; none if it does not."""
    if manifest.get("kind") == "Application":
        rows = _sources(manifest)
        for index, row in enumerate(rows):
            if _is_ours(row, origin) and (_has_path(row, origin.path) or _gives_values(row, rows, origin.path)):
                yield Match(manifest, index)
        return
    reference, path = _reference(manifest, sources)
    kind = str(reference.get("kind"))
    found = sources.get((kind, str(reference.get("namespace") or key_of(manifest)[0]), str(reference.get("name"))))
    if found is None:
        return
    if kind == GIT and _same_path(path, origin.path) and _flux_branch(found, origin):
        yield Match(manifest)
    elif kind == OCI and _pushed_from(found, origin):
        # A chart lies at the end of its address, in a folder of its name.
        chart = str(mapping(found, "spec").get("url")).rpartition("/")[2]
        named = manifest.get("kind") == "HelmRelease" and chart == posixpath.basename(origin.path)
        if named or (manifest.get("kind") != "HelmRelease" and _same_path(path, origin.path)):
            yield Match(manifest, artifact=found)


def refers_to(manifest: Manifest, kind: str) -> bool:
    """Does a Flux object name a source of this kind?"""
    return any(mapping(manifest, "spec", word).get("kind") == kind for word in ("sourceRef", "chartRef"))


def key_of(manifest: Manifest) -> tuple[str, str]:
    """Namespace and name."""
    metadata = mapping(manifest, "metadata")
    return str(metadata.get("namespace")), str(metadata.get("name"))


def _same(one: object, other: str) -> bool:
    """Do both addresses, as they stand in the cluster and in GitHub's words, name one repository?"""
    return normal(str(one), ports=False) == normal(other, ports=False)


def _sources(application: Manifest) -> list[Mapping[str, Any]]:
    spec = mapping(application, "spec")
    rows = spec.get("sources") or [spec.get("source")]
    return [row if isinstance(row, Mapping) else {} for row in rows] if isinstance(rows, list) else []


def _is_ours(source: Mapping[str, Any], origin: Origin) -> bool:
    revision = str(source.get("targetRevision") or "HEAD")
    branches = {origin.branch, f"refs/heads/{origin.branch}", *(["HEAD"] if origin.default else [])}
    return revision in branches and _same(source.get("repoURL"), origin.repository)


def _has_path(source: Mapping[str, Any], path: str) -> bool:
    return "path" in source and _same_path(source.get("path"), path)


def _gives_values(source: Mapping[str, Any], rows: list[Mapping[str, Any]], path: str) -> bool:
    """Does a chart from elsewhere take value files of the folder, by the source's `ref`?"""
    name = source.get("ref")
    if not isinstance(name, str) or not name:
        return False
    files = [f for row in rows for f in items(mapping(row, "helm").get("valueFiles"))]
    prefix = f"${name}/"
    return any(
        str(f).startswith(prefix) and _same_path(posixpath.dirname(str(f).removeprefix(prefix)), path) for f in files
    )


def _reference(manifest: Manifest, sources: Sources) -> tuple[Mapping[str, Any], object]:
    """What a Kustomization or HelmRelease takes its files from, and the path in it."""
    spec = mapping(manifest, "spec")
    if manifest.get("kind") != "HelmRelease":
        return mapping(spec, "sourceRef"), spec.get("path")
    reference = mapping(spec, "chartRef")
    if not reference:
        chart = mapping(spec, "chart", "spec")
        return mapping(chart, "sourceRef"), chart.get("chart")
    namespace = str(reference.get("namespace") or key_of(manifest)[0])
    if reference.get("kind") != CHART:
        return reference, None
    chart = mapping(sources.get((CHART, namespace, str(reference.get("name")))), "spec")
    return {**mapping(chart, "sourceRef"), "namespace": namespace}, chart.get("chart")


def _flux_branch(repository: Manifest, origin: Origin) -> bool:
    spec = mapping(repository, "spec")
    reference = mapping(spec, "ref")
    if any(reference.get(word) for word in ("tag", "semver", "commit")):
        return False
    name = str(reference.get("name") or "").removeprefix("refs/heads/")
    branch = name or str(reference.get("branch") or "master")
    return branch == origin.branch and _same(spec.get("url"), origin.repository)


def _pushed_from(artifact: Manifest, origin: Origin) -> bool:
    """Was what it holds now pushed from the branch? Its annotations tell: `main@sha1:…`, or a commit only."""
    told = mapping(artifact, "status", "artifact", "metadata")
    branch, at, _ = str(told.get(REVISION) or "").partition("@")
    return _same(told.get(SOURCE), origin.repository) and (not at or branch == origin.branch)


def _same_path(path: object, wanted: str) -> bool:
    return posixpath.normpath(str(path or ".").lstrip("/") or ".") == posixpath.normpath(wanted)
