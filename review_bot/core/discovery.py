"""Find the targets of one tree: kustomizations, charts, folders of plain YAML, Terraform's root modules, and what the
configuration defines.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from review_bot.core.closure import Files, folder_of, helm_reads, join, kustomize_reads, normal
from review_bot.core.configuration import Config
from review_bot.core.globs import matches
from review_bot.core.jenkins_x.layout import OUTPUT
from review_bot.core.jenkins_x.targets import releases
from review_bot.core.model import HelmOptions, RendererName, Target
from review_bot.core.terraform.modules import targets as terraform_modules

MANIFESTS = (".yaml", ".yml", ".json")
# Both keys at a document's top are what makes YAML a manifest; a file with a template's braces is none.
_API_VERSION = re.compile(rb"^(?:\{\s*)?[\"']?apiVersion[\"']?\s*:|\"apiVersion\"\s*:", re.M)
_KIND = re.compile(rb"^[\"']?kind[\"']?\s*:|\"kind\"\s*:|^\{.*kind", re.M)
# Settings of tools that look like objects and are applied by nobody.
NOT_DEPLOYED = (b"kustomize.config.k8s.io/", b"core.jenkins-x.io/")


@dataclass(frozen=True)
class Scope:
    """The folders of kustomizations, charts, plain YAML and Terraform that are asked about; None for all of them."""

    kustomizations: frozenset[str] | None = None
    charts: frozenset[str] | None = None
    plain: frozenset[str] | None = None
    terraform: frozenset[str] | None = None


class Discovery:
    """Discovery in one tree."""

    def __init__(self, files: Files, config: Config, scope: Scope = Scope()) -> None:
        self._files = files
        self._config = config
        self._scope = scope

    def targets(self) -> tuple[Target, ...]:
        """Those in scope and those that the configuration and a helmfile define, ordered by id."""
        released = releases(self._files)
        defined = [*released, *self._rows()]
        kustomizations, used = self._kustomizations()
        charts = self._charts(used, {t.path for t in defined if t.renderer is RendererName.HELM})
        taken = set[str]().union(*(t.reads or frozenset() for t in (*defined, *kustomizations.values(), *charts)))
        plain = self._plain(taken)
        modules = terraform_modules(self._files, self._config, self._scope.terraform)
        found = [*defined, *kustomizations.values(), *charts, *plain, *modules]
        # What a release brings is applied from the generated folder of its namespace.
        homes = {t.id: f"{OUTPUT}/namespaces/{t.namespace}" for t in released}
        wanted = [t for t in found if not excluded(t, self._config)]
        kept = {t.id: assigned(t, self._config, *([homes[t.id]] if t.id in homes else [])) for t in wanted}
        return tuple(kept[id] for id in sorted(kept))

    def defined(self) -> list[Target]:
        """Those that the configuration and a helmfile define, where their folders are there."""
        return [*releases(self._files), *self._rows()]

    def _rows(self) -> list[Target]:
        found = []
        for row in self._config.define:
            reads: frozenset[str] | None
            if row.renderer is RendererName.HELM:
                values = row.helm.values if row.helm else ()
                reads, entry = helm_reads(self._files, row.path, values), join(row.path, "Chart.yaml")
                namespace = row.helm.namespace if row.helm else None
            elif row.renderer is RendererName.KUSTOMIZE:
                reads, namespace = kustomize_reads(self._files, row.path), None
                entry = self._files.kustomization_of(row.path) or join(row.path, "kustomization.yaml")
            else:
                reads, namespace = frozenset(manifests(self._files, row.path, self._config)), None
                entry = next(iter(sorted(reads)), row.path)
            if not self._files.is_folder(row.path):
                continue  # the folder is not there on this side: the target does not exist here
            id = f"{row.renderer}:{row.path}#{row.name}"
            found.append(Target(id, row.renderer, row.path, entry, reads, row.name, namespace=namespace, helm=row.helm))
        return found

    def _kustomizations(self) -> tuple[dict[str, Target], set[str]]:
        """Those that nothing refers to, by folder; and every folder or file that some kustomization refers to."""
        entries = [p for p in self._files.kustomizations if _within(folder_of(p), self._scope.kustomizations)]
        self._files.preload(entries)
        used: set[str] = set()
        for entry in entries:
            used |= uses(self._files, entry)
        found = {}
        for entry in entries:
            folder = folder_of(entry)
            content = self._files.parsed(entry)
            if folder in used or folder in found or (content or {}).get("kind") == "Component":
                continue
            if _in_chart_templates(entry, self._files):
                continue
            id = f"{RendererName.KUSTOMIZE}:{folder}"
            first = self._files.kustomization_of(folder) or entry
            found[folder] = Target(id, RendererName.KUSTOMIZE, folder, first, kustomize_reads(self._files, folder))
        return found, used

    def _charts(self, used: set[str], defined: set[str]) -> list[Target]:
        entries = [p for p in self._files.charts if _within(folder_of(p), self._scope.charts)]
        self._files.preload(entries)
        folders = [folder_of(p) for p in entries]
        found = []
        for folder in folders:
            if folder in used or folder in defined or self._vendored(folder):
                continue
            if self._files.kustomization_of(folder) or self._is_library(folder):
                continue
            name = posixpath.basename(folder) if folder != "." else "release"
            options = HelmOptions(release=name)
            reads = helm_reads(self._files, folder)
            id = f"{RendererName.HELM}:{folder}"
            entry = join(folder, "Chart.yaml")
            found.append(Target(id, RendererName.HELM, folder, entry, reads, namespace="default", helm=options))
        return found

    def _vendored(self, folder: str) -> bool:
        parent, name = posixpath.split(folder)
        while parent:
            if posixpath.basename(parent) == "charts" and name:
                owner = posixpath.dirname(parent) or "."
                if join(owner, "Chart.yaml") in self._files.entries:
                    return True
            parent, name = posixpath.split(parent)
        return False

    def _is_library(self, folder: str) -> bool:
        content = self._files.parsed(join(folder, "Chart.yaml"))
        return (content or {}).get("type") == "library"

    def _plain(self, taken: Iterable[str]) -> list[Target]:
        taken = frozenset(taken)
        candidates = [p for p in self._plain_candidates() if p not in taken]
        contents = self._files.tree.read_many(candidates)
        folders = dict.fromkeys(folder_of(p) for p in candidates if looks_like_a_manifest(contents.get(p, b"")))
        found = []
        for folder in folders:
            if may_be_plain(self._files, folder):
                reads = frozenset(p for p in manifests(self._files, folder, self._config) if p not in taken)
                id = f"{RendererName.PLAIN}:{folder}"
                found.append(Target(id, RendererName.PLAIN, folder, min(reads), reads))
        return found

    def _plain_candidates(self) -> list[str]:
        if self._scope.plain is None:
            return sorted(p for p in self._files.entries if p.endswith(MANIFESTS) and not aside(p, self._config))
        return [p for folder in sorted(self._scope.plain) for p in manifests(self._files, folder, self._config)]


def excluded(target: Target, config: Config) -> bool:
    """Does the configuration leave it out?"""
    return any(matches(pattern, place) for pattern in config.exclude for place in (target.path, target.entry))


def assigned(target: Target, config: Config, *others: str) -> Target:
    """The target with the cluster, environment and namespace of the first row that fits it, or one of `others`."""
    for row in config.assign:
        if row.match in (target.name, target.id) or any(matches(row.match, place) for place in (target.path, *others)):
            return replace(
                target,
                cluster=row.cluster,
                environment=row.environment,
                namespace=row.namespace or target.namespace,
            )
    return target


def uses(files: Files, entry: str) -> set[str]:
    """What a kustomization file refers to, by its path and by where links lead; its own folder is not meant."""
    folder = folder_of(entry)
    paths = {normal(join(folder, reference)) for reference in files.kustomization(entry).local}
    return (paths | {files.through_links(path)[0] for path in paths}) - {folder}


def may_be_plain(files: Files, folder: str) -> bool:
    """Do a folder's manifests stand for themselves, since no kustomization and no chart is there to speak for them?"""
    return files.kustomization_of(folder) is None and not _part_of_chart(files, folder)


def manifests(files: Files, folder: str, config: Config) -> list[str]:
    """The YAML files that lie directly in the folder."""
    own = [p for p in files.below(folder) if folder_of(p) == folder]
    return [p for p in own if p.endswith(MANIFESTS) and not aside(p, config)]


def aside(path: str, config: Config) -> bool:
    """Files that configure tools of the repository, not the cluster."""
    first = path.split("/", 1)[0]
    policies = (*config.policy.paths, *config.policy.data)
    if first.startswith(".") and first != ".tekton":
        return True
    return any(path == p or path.startswith(f"{p}/") for p in policies)


def _part_of_chart(files: Files, folder: str) -> bool:
    while folder not in ("", "."):
        if join(folder, "Chart.yaml") in files.entries:
            return True
        folder = posixpath.dirname(folder)
    return "Chart.yaml" in files.entries


def _within(folder: str, scope: frozenset[str] | None) -> bool:
    return scope is None or folder in scope


def looks_like_a_manifest(data: bytes) -> bool:
    """Does any document of the file seem to be a Kubernetes object? Broken YAML counts by its looks."""
    if b"\x00" in data or any(mark in data for mark in NOT_DEPLOYED):
        return False
    return _API_VERSION.search(data) is not None and _KIND.search(data) is not None


def _in_chart_templates(entry: str, files: Files) -> bool:
    head, found, _ = entry.rpartition("/templates/")
    return bool(found) and join(head, "Chart.yaml") in files.entries
