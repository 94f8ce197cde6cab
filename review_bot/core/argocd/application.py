"""An Argo CD Application as it is written: names, sources, destination and what else decides about its effect."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from review_bot.core.argocd import values
from review_bot.core.argocd.problems import Trouble
from review_bot.core.model import Delivery, FieldPath, Manifest, Resource, ResourceId

TOOL = "argocd"
GROUP = "argoproj.io"
# Where Argo CD itself lives unless somebody decided otherwise.
HOME = "argocd"
IN_CLUSTER = "https://kubernetes.default.svc"
FINALIZERS = ("resources-finalizer.argocd.argoproj.io", "foreground-finalizer.argocd.argoproj.io")
BACKGROUND = "resources-finalizer.argocd.argoproj.io/background"
PAUSED = "argocd.argoproj.io/skip-reconcile"
# What Argo CD gives for the commit, which must not differ between the sides of a review.
REVISION = "0" * 40


@dataclass(frozen=True)
class SourceSpec:
    """One entry of spec.sources, or spec.source: `at` is its place, `number` counts from 0."""

    number: int
    spec: Mapping[str, Any]
    at: FieldPath

    def text(self, key: str) -> str:
        return values.text(self.spec.get(key), key, (*self.at, key))

    def mapping(self, key: str) -> Mapping[str, Any]:
        return values.mapping(self.spec.get(key), key, (*self.at, key))


@dataclass(frozen=True)
class ArgoObject:
    """An Application or ApplicationSet; `parent` is the target in whose output it stands. `spec` raises Trouble."""

    resource: Resource
    parent: str

    @property
    def name(self) -> str:
        return self.resource.id.name

    @property
    def namespace(self) -> str:
        return self.resource.id.namespace or HOME

    @property
    def full_name(self) -> str:
        """The name, with the namespace where it is not Argo CD's own."""
        return self.name if self.namespace == HOME else f"{self.namespace}/{self.name}"

    @property
    def subject(self) -> str:
        """How people speak of it."""
        return f"{type(self).__name__} {self.name}"

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        return values.mapping(self.resource.manifest.get("spec"), "spec", ("spec",))

    def said(self, key: str) -> Mapping[str, Any]:
        """What stands under a key of spec, {} where it can't be read."""
        spec = self.resource.manifest.get("spec")
        found = spec.get(key) if isinstance(spec, dict) else None
        return found if isinstance(found, dict) else {}


class Application(ArgoObject):
    """An Application. Reading its fields raises Trouble."""

    @property
    def id(self) -> str:
        return f"{TOOL}:{self.full_name}"

    @cached_property
    def folder(self) -> str:
        """Where what is generated for it goes, and the name of its copies of folders."""
        return f"{TOOL}-{safe(self.full_name)}"

    @cached_property
    def destination(self) -> Mapping[str, Any]:
        """As it is written, {} if it can't be read; `check` says so."""
        return self.said("destination")

    @property
    def target_namespace(self) -> str:
        """The namespace of what names none, "" if that is not said."""
        found = self.destination.get("namespace")
        return found if isinstance(found, str) else ""

    @property
    def project(self) -> str:
        """The project's name as it is written, "default" if it is not."""
        spec = self.resource.manifest.get("spec")
        named = spec.get("project") if isinstance(spec, dict) else None
        return named if isinstance(named, str) and named else "default"

    def check(self) -> None:
        """Raises Trouble if it says not where to deploy to, or says it twice."""
        at = ("spec", "destination")
        values.mapping(self.spec.get("destination"), "spec.destination", at)
        for key in ("name", "server", "namespace"):
            values.text(self.destination.get(key), f"spec.destination.{key}", (*at, key))
        named = [key for key in ("name", "server") if self.destination.get(key)]
        if len(named) != 1:
            raise Trouble(
                "its destination has both a name and a server" if named else "its destination names no cluster",
                at=at,
                rule="destination",
                help=f"set either destination.name or destination.server ({IN_CLUSTER} is Argo CD's own cluster)",
            )

    @cached_property
    def sources(self) -> tuple[SourceSpec, ...]:
        """Those that count: spec.sources hides spec.source unless it is empty.

        What a hydrator renders into another branch is reviewed where it is written.
        """
        at: FieldPath = ("spec", "sourceHydrator")
        dry = values.mapping(self.spec.get("sourceHydrator"), "spec.sourceHydrator", at).get("drySource")
        if dry is not None:
            return (SourceSpec(0, values.mapping(dry, "drySource", (*at, "drySource")), (*at, "drySource")),)
        several = values.rows(self.spec.get("sources"), "spec.sources", ("spec", "sources"))
        if several:
            return tuple(SourceSpec(n, row, ("spec", "sources", n)) for n, row in enumerate(several))
        one = values.mapping(self.spec.get("source"), "spec.source", ("spec", "source"))
        if not one:
            raise Trouble(
                "it has no source", at=("spec",), rule="no-source", help="give it spec.source or spec.sources"
            )
        return (SourceSpec(0, one, ("spec", "source")),)

    def environment(self, source: SourceSpec) -> Mapping[str, str]:
        """The variables that Argo CD replaces in parameters, paths of value files and images."""
        instance = self.name if self.namespace == HOME else f"{self.namespace}_{self.name}"
        return {
            "ARGOCD_APP_NAME": instance,
            "ARGOCD_APP_NAMESPACE": self.target_namespace,
            "ARGOCD_APP_PROJECT_NAME": values.text(self.spec.get("project"), "spec.project", ("spec", "project")),
            "ARGOCD_APP_REVISION": REVISION,
            "ARGOCD_APP_REVISION_SHORT": REVISION[:7],
            "ARGOCD_APP_REVISION_SHORT_8": REVISION[:8],
            "ARGOCD_APP_SOURCE_PATH": source.text("path"),
            "ARGOCD_APP_SOURCE_REPO_URL": source.text("repoURL"),
            "ARGOCD_APP_SOURCE_TARGET_REVISION": source.text("targetRevision"),
        }

    def delivery(self, unseen: str = "") -> Delivery:
        """What the object says of its effect apart from what is rendered. `unseen`: why nothing is, "" if all is seen.

        Of what is not seen the whole object decides: a newer version of it is another effect.
        """
        metadata = self.resource.manifest.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
        paused = isinstance(annotations, dict) and annotations.get(PAUSED) == "true"
        settings = {
            "cluster": cluster_of(self.destination),
            "finalizer": goes_with_its_objects(self.resource.manifest),
            "namespace": self.target_namespace,
            "project": self.project,
            "destination": self.destination,
        }
        if unseen:
            told = json.dumps([unseen, self.resource.manifest.get("spec")], sort_keys=True)
            settings["unseen"] = hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()
        return Delivery(
            tool=TOOL,
            object=ResourceId(self.resource.id.api_version, "Application", self.namespace, self.name),
            parent=self.parent,
            source=self.resource.source,
            destination=where(self.destination),
            settings=json.dumps(settings, sort_keys=True),
            prune=self._prunes(),
            suspended=paused,
        )

    def _prunes(self) -> bool:
        """Does Argo CD by itself delete what is no longer rendered?"""
        automated = self.said("syncPolicy").get("automated")
        if not isinstance(automated, dict) or automated.get("enabled") is False:
            return False
        return automated.get("prune") is True


def cluster_of(destination: Mapping[str, Any]) -> str:
    """The cluster's name or address; Argo CD's own has a name of its own."""
    server = str(destination.get("name") or destination.get("server") or "")
    return "in-cluster" if server == IN_CLUSTER else server


def where(destination: Mapping[str, Any]) -> str:
    """The cluster and the namespace in one line."""
    namespace = destination.get("namespace")
    return f"{cluster_of(destination)}/{namespace}" if namespace else cluster_of(destination)


def goes_with_its_objects(manifest: Manifest) -> bool:
    """Are its objects deleted with it? Only a finalizer sees to that."""
    metadata = manifest.get("metadata")
    finalizers = metadata.get("finalizers") if isinstance(metadata, dict) else None
    return isinstance(finalizers, list) and any(f in (*FINALIZERS, BACKGROUND) for f in finalizers)


def safe(name: str) -> str:
    """A name for files made of an object's; no two names give one."""
    return re.sub(r"[^A-Za-z0-9.-]", lambda m: f"_{ord(m[0]):x}_", name)
