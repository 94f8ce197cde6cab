"""What a change means beyond the objects that differ: what does not roll out, what stays, what is installed anew."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from review_bot.core.flux.kustomizations import TOOL
from review_bot.core.flux.objects import KUSTOMIZE
from review_bot.core.lenient import mapping
from review_bot.core.model import Action, CheckName, Delivery, Finding, Resource, ResourceChange, Severity, Target

# What a HelmRelease is known by in the cluster; another value is another release.
_IDENTITY = {
    "release": "its release name",
    "targetNamespace": "its target namespace",
    "storageNamespace": "its storage namespace",
}
MOST_NAMED = 5
# Marks of objects, as labels or annotations: what is never deleted, by what deploys it; what is never applied, and what
# is applied only where it is missing.
_KEPT = {
    "Kustomization": ((f"{KUSTOMIZE}/prune", "disabled"), (f"{KUSTOMIZE}/reconcile", "disabled")),
    "HelmRelease": (("helm.sh/resource-policy", "keep"),),
}
_IGNORED = ((f"{KUSTOMIZE}/reconcile", "disabled"), (f"{KUSTOMIZE}/ssa", "ignore"))
_ONCE = (f"{KUSTOMIZE}/ssa", "ifnotpresent")


def notes(base: Target | None, head: Target | None, changes: Sequence[ResourceChange] = ()) -> list[Finding]:
    """About a target that a change touches; `changes` are those of its objects."""
    shown = head or base
    if shown is None or shown.delivery is None or shown.delivery.tool != TOOL:
        return []
    before = base.delivery if base is not None else None
    after = head.delivery if head is not None else None
    found = [*_suspended(before, after), *_orphaned(before, after, changes), *_left_alone(shown.delivery, changes)]
    if before is not None and after is not None:
        old, new = _settings(before), _settings(after)
        found += [*_reinstalled(old, new), *_definitions(old, new), *_same_version(old, new)]
    delivery = after or shown.delivery
    return [_finding(shown, delivery, *one) for one in found]


Note = tuple[str, Severity, str, str]


def _suspended(before: Delivery | None, after: Delivery | None) -> Iterator[Note]:
    if after is not None and after.suspended:
        yield "suspended", Severity.WARNING, "it is suspended: nothing of this rolls out until it is resumed", ""
    elif after is None and before is not None and before.suspended:
        yield "suspended", Severity.WARNING, "it was suspended: what it deployed stays in the cluster", ""


def _orphaned(before: Delivery | None, after: Delivery | None, changes: Sequence[ResourceChange]) -> Iterator[Note]:
    """Whoever applies the head decides on what the head no longer has; on the whole it is the last that stood."""
    removed = [c for c in changes if c.action is Action.DELETE and c.base is not None]
    if after is not None and not after.prune and removed:
        text = f"prune is off: {_named(removed)} stay in the cluster"
        yield "orphaned", Severity.WARNING, text, "delete them by hand, or set spec.prune: true"
        return
    if after is None and before is not None and not before.suspended:
        policy = _settings(before).get("deletionPolicy") or "MirrorPrune"
        if policy == "Orphan" or (policy == "MirrorPrune" and not before.prune):
            text = "it goes, and what it deployed stays in the cluster, since prune is off"
            yield "orphaned", Severity.WARNING, text, "delete it by hand if it is no longer needed"
            return
    marks = _KEPT.get(delivery.object.kind, ()) if (delivery := after or before) is not None else ()
    kept = [c for c in removed if c.base is not None and any(_is_marked(c.base, *mark) for mark in marks)]
    if kept:
        text = f"{_named(kept)} stay in the cluster, since they are marked to be kept"
        yield "orphaned", Severity.WARNING, text, "delete them by hand if they are no longer needed"


def _left_alone(delivery: Delivery, changes: Sequence[ResourceChange]) -> Iterator[Note]:
    """Objects whose own mark keeps kustomize-controller from applying what changes in them."""
    if delivery.object.kind != "Kustomization":
        return
    alone = [c for c in changes if c.head is not None and any(_is_marked(c.head, *mark) for mark in _IGNORED)]
    alone += [c for c in changes if c.base is not None and c.head is not None and _is_marked(c.head, *_ONCE)]
    if alone:
        text = f"{_named(alone)}: this does not roll out, since their own marks keep Flux from it"
        yield "not-applied", Severity.WARNING, text, "take the label or annotation away for Flux to apply them"


def _is_marked(resource: Resource, key: str, value: str) -> bool:
    marks = [mapping(resource.manifest, "metadata", field).get(key) for field in ("labels", "annotations")]
    return any(str(mark).lower() == value for mark in marks)


def _named(changes: Sequence[ResourceChange]) -> str:
    names = ", ".join(f"{change.id.kind} {change.id.name}" for change in changes[:MOST_NAMED])
    return f"{names} and {len(changes) - MOST_NAMED} more" if len(changes) > MOST_NAMED else names


def _reinstalled(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Note]:
    changed = [f"{what} ({old[k]} → {new[k]})" for k, what in _IDENTITY.items() if k in old and old[k] != new.get(k)]
    before, after = (mapping(one.get("chart")).get("name") for one in (old, new))
    if before and after and before != after and not new.get("renamedInPlace"):
        changed.append(f"the name of its chart ({before} → {after})")
    if changed:
        text = f"{' and '.join(changed)} changed: Helm uninstalls the release and installs it anew"
        yield "reinstalled", Severity.WARNING, text, "what it keeps in volumes or Secrets of the release may be lost"


def _definitions(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Note]:
    """CRDs of a chart's crds/ are installed once, unless the upgrade's policy says otherwise, and never deleted."""
    if "files" not in mapping(old.get("crds")) or "files" not in mapping(new.get("crds")):
        return
    before, after = old["crds"]["files"], new["crds"]["files"]
    policy = new["crds"]["upgrade"]
    changed = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    if (policy != "CreateReplace" and changed) or (policy == "Skip" and after.keys() - before.keys()):
        text = "the chart's crds/ changed, and an upgrade does not roll them out"
        yield "crds-not-upgraded", Severity.WARNING, text, "set spec.upgrade.crds: CreateReplace, or apply them by hand"
    gone = sorted(before.keys() - after.keys())
    if gone:
        text = f"the chart's crds/ no longer holds {', '.join(gone)}, and Helm never deletes definitions"
        yield "orphaned", Severity.WARNING, text, "delete them by hand, once nothing of their kinds is needed"


def _same_version(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Note]:
    """Source-controller packs a chart of a folder anew if its version or what the release says of it is another."""
    before, after = mapping(old.get("chart")), mapping(new.get("chart"))
    same = all(before.get(k) == after.get(k) for k in ("name", "version", "packed"))
    if before and same and not after.get("always") and before.get("files") != after.get("files"):
        text = f"the chart changed and its version {after['version']} did not, so Flux keeps the chart that it has"
        help = "raise the version in its Chart.yaml, or set chart.spec.reconcileStrategy: Revision"
        yield "same-chart-version", Severity.WARNING, text, help


def _settings(delivery: Delivery) -> Mapping[str, Any]:
    return mapping(json.loads(delivery.settings or "{}"))


def _finding(target: Target, delivery: Delivery, rule: str, severity: Severity, text: str, help: str) -> Finding:
    id = delivery.object
    return Finding(
        check=CheckName.RENDER,
        rule=rule,
        severity=severity,
        message=f"{id.kind} {id.namespace or 'default'}/{id.name}: {text}",
        target=target.id,
        resource=id,
        path=delivery.source.path,
        line=delivery.source.line,
        help=help,
    )
