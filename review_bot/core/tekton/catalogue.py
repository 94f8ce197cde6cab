"""The Tekton objects that one side of a change is known to define, and how a reference finds its own."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from review_bot.core.model import Resource, ResourceId

PIPELINES, TRIGGERS = "tekton.dev", "triggers.tekton.dev"
_TRIGGER_KINDS = "Trigger TriggerBinding ClusterTriggerBinding TriggerTemplate EventListener"
KINDS = {
    PIPELINES: frozenset(["Task", "ClusterTask", "Pipeline", "StepAction", "PipelineRun", "TaskRun"]),
    TRIGGERS: frozenset([*_TRIGGER_KINDS.split(), "ClusterInterceptor", "Interceptor"]),
}
# What a repository that holds the others is expected to hold too; the rest is often installed with Tekton.
_KEPT = frozenset("Task Pipeline StepAction Trigger TriggerTemplate TriggerBinding".split())
# Of Tekton's public catalogue, what clusters are most often given beside their own.
_PUBLIC = frozenset(
    "git-clone git-cli git-batch-merge git-rebase kaniko buildah buildpacks buildpacks-phases ko jib-maven "
    "jib-gradle maven gradle npm golang-build golang-test golangci-lint python-test pylint pytest yq jq curl "
    "wget github-set-status github-add-comment github-open-pr gitlab-set-status send-to-channel-slack "
    "send-to-webhook-slack sendmail kubernetes-actions kubectl-deploy helm-upgrade-from-repo "
    "helm-upgrade-from-source kustomize-cli openshift-client skopeo-copy trivy-scanner sonarqube-scanner "
    "argocd-task-sync-and-wait terraform-cli aws-cli gcloud az".split()
)
CLUSTER_WIDE = frozenset(["ClusterTask", "ClusterTriggerBinding", "ClusterInterceptor"])

# A guess compares a name with all others.
MOST_GUESSES = 50


def is_tekton(id: ResourceId) -> bool:
    return id.kind in KINDS.get(id.group, ())


@dataclass(frozen=True)
class Found:
    """A definition; `sure` if it is what gets to the cluster, and not a file that a renderer may still change."""

    resource: Resource
    sure: bool


# What stands in a file that a git resolver names by address, revision and path; None if that is not this repository.
InGit = Callable[[str, str, str], Sequence[Resource] | None]


class Catalogue:
    """The definitions of one side."""

    def __init__(
        self,
        rendered: Iterable[tuple[str, Resource]] = (),
        elsewhere: Iterable[Found] = (),
        before: Catalogue | None = None,
        in_git: InGit = lambda _url, _revision, _path: None,
    ) -> None:
        """`rendered` comes with the target's id; `elsewhere` are files that no touched target reads.

        `before` is the other side, which knows what was there and is no longer. `met` and `missed` gather what was
        asked for, as kind and name, and was found or not.
        """
        self._known: dict[tuple[str, str], list[tuple[str, Found]]] = defaultdict(list)
        self._before = before
        self.in_git = in_git
        self.met: set[tuple[str, str]] = set()
        self.missed: set[tuple[str, str]] = set()
        self._guesses = 0
        for target, resource in rendered:
            self._add(target, Found(resource, True))
        for found in elsewhere:
            self._add("", found)

    def _add(self, target: str, found: Found) -> None:
        if is_tekton(found.resource.id):
            self._known[found.resource.id.kind, found.resource.id.name].append((target, found))

    def find(self, kind: str, name: str, namespace: str | None, target: str) -> Found | None:
        """What the name means in the namespace, best where the same target defines it; None if it is not seen.

        Where a namespace is not told, the delivery tool gives one: it may be the same.
        """
        fitting = self._fitting(kind, name, namespace)
        (self.met if fitting else self.missed).add((kind, name))
        if not fitting:
            return None
        own = [f for t, f in fitting if t == target]
        ranked = sorted(own or [f for _, f in fitting], key=lambda found: not found.sure)
        # Of several that differ (one a cluster, say), nobody can tell which is meant.
        one = all(f.resource.manifest.get("spec") == ranked[0].resource.manifest.get("spec") for f in ranked)
        return ranked[0] if one else Found(ranked[0].resource, False)

    def _fitting(self, kind: str, name: str, namespace: str | None) -> list[tuple[str, Found]]:
        known = self._known.get((kind, name), ())
        return [(t, f) for t, f in known if _fits(kind, f.resource.id.namespace, namespace)]

    def taken_away(self, kind: str, name: str, namespace: str | None) -> bool:
        """Was it there before the change?"""
        return self._before is not None and bool(self._before._fitting(kind, name, namespace))

    def expects(self, kind: str, name: str) -> bool:
        """Should it lie in the repository? So it is where all others of the kind that are used do.

        Before the change, if any was used; else with it. Meant for when all of both sides has been asked for once.
        """
        if self._before is None or kind not in _KEPT or name in _PUBLIC:
            return False
        if any(k == kind for k, _ in self._before.missed):
            return False
        if any(k == kind for k, _ in self._before.met):
            return True
        others = {n for k, n in self.missed if k == kind} - {name}
        return not others and any(k == kind for k, _ in self._known)

    def namespaces(self, kind: str, name: str) -> list[str]:
        """The namespaces in which there is one of the name."""
        known = self._known.get((kind, name), ())
        return sorted({f.resource.id.namespace for _, f in known if f.resource.id.namespace})

    def like(self, kind: str, name: str) -> str | None:
        """A name of the kind that may have been meant."""
        self._guesses += 1
        if self._guesses > MOST_GUESSES:
            return None
        near = difflib.get_close_matches(name, [n for k, n in self._known if k == kind], n=1, cutoff=0.8)
        return near[0] if near else None


def _fits(kind: str, own: str | None, asked: str | None) -> bool:
    return kind in CLUSTER_WIDE or own is None or asked is None or own == asked
