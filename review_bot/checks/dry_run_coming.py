"""What a pull request itself brings: objects that depend on it can't be judged by a cluster that has not got it yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from review_bot.checks.dry_run_words import Problem, Rule
from review_bot.core.model import CheckName, Finding, Manifest, ResourceChange, Severity


class Coming:
    """What the same pull request brings: what depends on it can't be asked about before."""

    def __init__(self, changes: Sequence[ResourceChange]) -> None:
        heads = [c.head.manifest for c in changes if c.head is not None]
        self._namespaces = {_name(m) for m in heads if m.get("kind") == "Namespace"}
        self._kinds = {_defined(m) for m in heads if m.get("kind") == "CustomResourceDefinition"}

    def brings(self, problem: Problem, change: ResourceChange) -> str | None:
        """What is missing and comes with this pull request, None if it does not."""
        if problem.rule is Rule.NAMESPACE and problem.subject in self._namespaces:
            return f"the namespace {problem.subject}"
        if problem.rule is Rule.UNKNOWN_KIND and (change.id.group, change.id.kind) in self._kinds:
            return f"the definition of {change.id.kind}"
        return None


def skipped(target: str, what: str, changes: Sequence[ResourceChange]) -> Finding:
    """One remark for all objects of a target that wait for the same."""
    first = changes[0]
    resource = first.head or first.base
    place = resource.place() if resource else None
    names = ", ".join(f"{c.id.kind} {c.id.name}" for c in changes[:3])
    more = f" and {len(changes) - 3} more" if len(changes) > 3 else ""
    return Finding(
        check=CheckName.DRY_RUN,
        rule=Rule.SKIPPED,
        severity=Severity.NOTICE,
        message=f"checked by schema only: {names}{more}; {what} is created by this pull request",
        target=target,
        path=place.path if place else None,
        line=place.line if place else None,
        help="the cluster can judge them once it is there",
    )


def _name(manifest: Manifest) -> str:
    metadata = manifest.get("metadata")
    return str(metadata.get("name")) if isinstance(metadata, Mapping) else ""


def _defined(definition: Manifest) -> tuple[str, str]:
    spec = definition.get("spec")
    names = spec.get("names") if isinstance(spec, Mapping) else None
    kind = names.get("kind") if isinstance(names, Mapping) else None
    return (str(spec.get("group")) if isinstance(spec, Mapping) else "", str(kind))
