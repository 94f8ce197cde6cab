"""Find the targets of a tree, and those that a change touches."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from review_bot.core import kustomization
from review_bot.core.closure import Files, folder_of, helm_reads, join, kustomize_reads, normal
from review_bot.core.globs import matches
from review_bot.core.model import Config, FileChange, HelmOptions, PlannedTarget, RendererName, Target, Tree

MANIFESTS = (".yaml", ".yml", ".json")
# Both keys at a document's top are what makes YAML a manifest; a file with a template's braces is none.
_API_VERSION = re.compile(rb"^(?:\{\s*)?[\"']?apiVersion[\"']?\s*:|\"apiVersion\"\s*:", re.M)
_KIND = re.compile(rb"^[\"']?kind[\"']?\s*:|\"kind\"\s*:|^\{.*kind", re.M)
# Settings of tools that look like objects and are applied by nobody.
NOT_DEPLOYED = (b"kustomize.config.k8s.io/", b"core.jenkins-x.io/")


def discover(tree: Tree, config: Config) -> tuple[Target, ...]:
    """Every target of the tree, ordered by id."""
    return _Side(tree, config, {}).targets()


def plan(base: Tree, head: Tree, changes: Sequence[FileChange], config: Config) -> tuple[PlannedTarget, ...]:
    """The targets that the changed files touch on either side, each with the reason, ordered by id.

    `config` is the base's: it decides for both sides.
    """
    if not changes:
        return ()
    parsed: dict[str, Mapping[str, Any] | None] = {}
    before = {t.id: t for t in _Side(base, config, parsed).targets()}
    after = {t.id: t for t in _Side(head, config, parsed).targets()}
    planned = []
    for id in sorted(before.keys() | after.keys()):
        old, new = before.get(id), after.get(id)
        reason = _reason(old, new, changes)
        if reason is not None:
            planned.append(PlannedTarget(id, reason, old, new))
    return tuple(planned)


def _reason(old: Target | None, new: Target | None, changes: Sequence[FileChange]) -> str | None:
    for change in changes:
        if _touches(change, old, new):
            if change.status == "renamed":
                return f"{change.previous_path} renamed to {change.path}"
            return f"{change.path} {'changed' if change.status == 'modified' else change.status}"
    if old is None or new is None:
        return "a new target" if old is None else "no longer a target"
    return None


def _touches(change: FileChange, old: Target | None, new: Target | None) -> bool:
    for target in (old, new):
        if target is not None and (
            target.reads is None or change.path in target.reads or change.previous_path in target.reads
        ):
            return True
    return False


class _Side:
    """Discovery in one tree."""

    def __init__(self, tree: Tree, config: Config, parsed: dict[str, Mapping[str, Any] | None]) -> None:
        self._files = Files(tree, parsed)
        self._config = config

    def targets(self) -> tuple[Target, ...]:
        defined = self._defined()
        kustomizations, used = self._kustomizations()
        charts = self._charts(used, {t.path for t in defined if t.renderer is RendererName.HELM})
        taken = set[str]().union(*(t.reads or frozenset() for t in (*defined, *kustomizations.values(), *charts)))
        plain = self._plain(taken)
        found = [*defined, *kustomizations.values(), *charts, *plain]
        kept = {t.id: self._assigned(t) for t in found if not self._excluded(t.path, t.entry)}
        return tuple(kept[id] for id in sorted(kept))

    def _excluded(self, folder: str, entry: str) -> bool:
        return any(matches(pattern, folder) or matches(pattern, entry) for pattern in self._config.exclude)

    def _assigned(self, target: Target) -> Target:
        for row in self._config.assign:
            if matches(row.match, target.path) or target.name == row.match or target.id == row.match:
                return replace(
                    target,
                    cluster=row.cluster,
                    environment=row.environment,
                    namespace=row.namespace or target.namespace,
                )
        return target

    def _defined(self) -> list[Target]:
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
                reads, namespace = frozenset(self._manifests(row.path)), None
                entry = next(iter(sorted(reads)), row.path)
            if not self._files.is_folder(row.path):
                continue  # the folder is not there on this side: the target does not exist here
            id = f"{row.renderer}:{row.path}#{row.name}"
            found.append(Target(id, row.renderer, row.path, entry, reads, row.name, namespace=namespace, helm=row.helm))
        return found

    def _kustomizations(self) -> tuple[dict[str, Target], set[str]]:
        """Those that nothing refers to, by folder; and every folder or file that some kustomization refers to."""
        entries = [p for p in self._files.entries if posixpath.basename(p) in kustomization.NAMES]
        self._files.preload(entries)
        used: set[str] = set()
        for entry in entries:
            folder = folder_of(entry)
            for reference in kustomization.references(self._files.parsed(entry) or {}):
                if not kustomization.is_remote(reference):
                    path = normal(join(folder, reference))
                    used |= {path, self._files.through_links(path)[0]} - {folder}
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
        folders = [folder_of(p) for p in self._files.entries if posixpath.basename(p) == "Chart.yaml"]
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
        free = set(self._files.entries).difference(taken)
        candidates = sorted(p for p in free if p.endswith(MANIFESTS) and not self._aside(p))
        contents = self._files.tree.read_many(candidates)
        folders = dict.fromkeys(folder_of(p) for p in candidates if looks_like_a_manifest(contents.get(p, b"")))
        found = []
        for folder in folders:
            if self._files.kustomization_of(folder) or self._part_of_chart(folder):
                continue
            reads = frozenset(p for p in self._manifests(folder) if p in free)
            id = f"{RendererName.PLAIN}:{folder}"
            found.append(Target(id, RendererName.PLAIN, folder, min(reads), reads))
        return found

    def _manifests(self, folder: str) -> list[str]:
        own = [p for p in self._files.below(folder) if folder_of(p) == folder]
        return [p for p in own if p.endswith(MANIFESTS) and not self._aside(p)]

    def _aside(self, path: str) -> bool:
        """Files that configure tools of the repository, not the cluster."""
        first = path.split("/", 1)[0]
        policies = (*self._config.policy.paths, *self._config.policy.data)
        if first.startswith(".") and first != ".tekton":
            return True
        return any(path == p or path.startswith(f"{p}/") for p in policies)

    def _part_of_chart(self, folder: str) -> bool:
        while folder not in ("", "."):
            if join(folder, "Chart.yaml") in self._files.entries:
                return True
            folder = posixpath.dirname(folder)
        return "Chart.yaml" in self._files.entries


def looks_like_a_manifest(data: bytes) -> bool:
    """Does any document of the file seem to be a Kubernetes object? Broken YAML counts by its looks."""
    if b"\x00" in data or any(mark in data for mark in NOT_DEPLOYED):
        return False
    return _API_VERSION.search(data) is not None and _KIND.search(data) is not None


def _in_chart_templates(entry: str, files: Files) -> bool:
    head, found, _ = entry.rpartition("/templates/")
    return bool(found) and join(head, "Chart.yaml") in files.entries
