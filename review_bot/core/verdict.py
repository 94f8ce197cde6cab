"""Form the verdict: what is new, what is waived, what blocks; and write it as the contract's object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from review_bot.core.clusters import LiveChange
from review_bot.core.configuration import Config, Waiver
from review_bot.core.danger import Danger, dangers
from review_bot.core.digest import effect_digest
from review_bot.core.doubles import once
from review_bot.core.globs import matches
from review_bot.core.model import (
    Action,
    CheckName,
    CheckState,
    Conclusion,
    Demand,
    Finding,
    PlannedTarget,
    ResourceChange,
    ResourceId,
    Severity,
)
from review_bot.core.outcome import TargetResult, Verdict
from review_bot.core.versions import moves
from review_bot.core.versions.moves import ByChange, Move

# Errors of what renders, and is refused by the tool that would deploy it.
REFUSED = frozenset({"project-forbids"})
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTICE: 2}
REPORTED = (CheckName.RENDER, CheckName.SCHEMA, CheckName.POLICY, CheckName.DRY_RUN)


def form(
    *,
    base: str,
    merge_base: str,
    head: str,
    planned: Sequence[PlannedTarget],
    changes: Sequence[ResourceChange],
    head_findings: Sequence[Finding],
    base_findings: Sequence[Finding],
    states: Mapping[CheckName, CheckState],
    config: Config,
    today: date,
    duration_ms: int,
    live: Sequence[LiveChange] = (),
    demands: Sequence[Demand] = (),
    moved: ByChange | None = None,
    moved_whole: Sequence[Move] = (),
    notes: Mapping[tuple[str, str], str] | None = None,
    in_part: Mapping[CheckName, frozenset[str]] | None = None,
) -> Verdict:
    """Put everything together; pure, so `today` (which ends waivers) is given."""
    marked = _introduced(head_findings, base_findings)
    waived = _waive(marked, config.waivers, today)
    failing = {f.check for f in waived if blocks(f, config)}
    findings = sorted(once(waived), key=lambda f: _rank(f, config))
    render_errors = [f for f in findings if f.check is CheckName.RENDER and f.severity is Severity.ERROR]
    return Verdict(
        base=base,
        merge_base=merge_base,
        head=head,
        conclusion=_conclusion(planned, findings, failing),
        effect_digest=effect_digest(changes, render_errors),
        duration_ms=duration_ms,
        targets=tuple(_target(p, changes, render_errors) for p in planned),
        changes=tuple(changes),
        findings=tuple(findings),
        checks={n: CheckState.FAILURE if n in failing else s for n, s in states.items()},
        live=tuple(live),
        dangers=tuple(dangers(changes, live, prune=config.dry_run.prune)),
        demands=tuple(demands),
        versions=moves.noted(
            moves.together(moved or {}, changes, {p.id: p.target for p in planned}, moved_whole), notes or {}
        ),
        moved=moved or {},
        in_part=in_part or {},
    )


def blocks(finding: Finding, config: Config | None = None) -> bool:
    """Does the finding keep the pull request from merging?"""
    existing_too = config is not None and config.block_existing
    return finding.severity is Severity.ERROR and finding.waived is None and (finding.introduced or existing_too)


def _conclusion(planned: Sequence[PlannedTarget], findings: Sequence[Finding], failing: set[CheckName]) -> Conclusion:
    if failing:
        return Conclusion.FAILURE
    return Conclusion.SUCCESS if planned or findings else Conclusion.NEUTRAL


def _introduced(head: Sequence[Finding], base: Sequence[Finding]) -> list[Finding]:
    """A finding that stands on the base as often is not new. Lines move and do not count.

    A render error is always new: an effect that can't be seen can't be called unchanged.
    """
    known = Counter(_identity(f) for f in base)
    marked = []
    for finding in head:
        identity = _identity(finding)
        seen = finding.check is not CheckName.RENDER or finding.rule in REFUSED
        old = known[identity] > 0 and seen
        if old:
            known[identity] -= 1
        marked.append(replace(finding, introduced=not old))
    return marked


def _identity(finding: Finding) -> tuple[Any, ...]:
    id = finding.resource
    object = (id.group, id.kind, id.namespace, id.name) if id else None
    return (finding.check, finding.rule, finding.severity, finding.message, finding.target, object)


def _waive(findings: Sequence[Finding], waivers: Sequence[Waiver], today: date) -> list[Finding]:
    result = []
    for finding in findings:
        waiver = next((w for w in waivers if _covers(w, finding)), None)
        if waiver is None:
            result.append(finding)
        elif date.fromisoformat(waiver.until) >= today:
            result.append(replace(finding, waived=f"{waiver.reason} (until {waiver.until})"))
        else:
            text = f"{finding.help} The waiver for this ended on {waiver.until}.".strip()
            result.append(replace(finding, help=text))
    return result


def _covers(waiver: Waiver, finding: Finding) -> bool:
    if waiver.rule != finding.rule or (finding.resource is None and waiver.match):
        return False
    if finding.check in (CheckName.RENDER, CheckName.CONFIG):
        return False
    id = finding.resource
    own = {"kind": id.kind, "namespace": id.namespace or "", "name": id.name} if id else {}
    own |= {"target": finding.target or "", "path": finding.path or ""}
    return all(matches(pattern, own.get(key, "")) for key, pattern in waiver.match.items())


def _rank(finding: Finding, config: Config) -> tuple[Any, ...]:
    place = (finding.path or "", finding.line or 0)
    return (not blocks(finding, config), _ORDER[finding.severity], *place, finding.rule, finding.message)


def _target(one: PlannedTarget, changes: Sequence[ResourceChange], errors: Sequence[Finding]) -> TargetResult:
    actions = Counter(c.action for c in changes if c.target == one.id)
    error = next((f.message for f in errors if f.target == one.id and f.rule not in REFUSED), None)
    counts = actions[Action.CREATE], actions[Action.UPDATE], actions[Action.DELETE]
    return TargetResult(one.target, one.reason, *counts, error=error)


def to_json(verdict: Verdict) -> dict[str, Any]:
    """The contract's object, version 1."""
    return {
        "version": 1,
        "base": verdict.base,
        "merge_base": verdict.merge_base,
        "head": verdict.head,
        "conclusion": str(verdict.conclusion),
        "effect_digest": verdict.effect_digest,
        "duration_ms": verdict.duration_ms,
        "targets": [_target_json(t) for t in verdict.targets],
        "changes": [_change_json(c) for c in verdict.changes],
        "live": [_live_json(c) for c in verdict.live],
        "demands": [_demand_json(d) for d in verdict.demands],
        "versions": [moves.to_json(m) for m in verdict.versions],
        "step": moves.overall(verdict.versions),
        "dangers": [_danger_json(d) for d in verdict.dangers],
        "findings": [finding_json(f) for f in verdict.findings],
        "checks": {str(n): str(verdict.checks.get(n, CheckState.NOT_CONFIGURED)) for n in _reported(verdict)},
    }


def _reported(verdict: Verdict) -> list[CheckName]:
    """The checks of the contract, and what the operator has switched on beside them."""
    asked = verdict.checks.get(CheckName.IMAGES, CheckState.NOT_CONFIGURED) is not CheckState.NOT_CONFIGURED
    return [*REPORTED, *([CheckName.IMAGES] if asked else [])]


def _target_json(result: TargetResult) -> dict[str, Any]:
    target = result.target
    return {
        "id": target.id,
        "renderer": str(target.renderer),
        "path": target.path,
        "cluster": target.cluster,
        "environment": target.environment,
        "namespace": target.namespace,
        "reason": result.reason,
        "summary": {"create": result.created, "update": result.updated, "delete": result.deleted},
        "error": result.error,
    }


def _change_json(change: ResourceChange) -> dict[str, Any]:
    return {
        "target": change.target,
        "action": str(change.action),
        **_resource_json(change.id),
        "fields": list(change.fields),
        "diff": change.diff,
    }


def _demand_json(demand: Demand) -> dict[str, Any]:
    return {
        "rule": demand.rule,
        "reason": demand.reason,
        "target": demand.target,
        "kind": demand.resource.kind,
        "namespace": demand.resource.namespace,
        "name": demand.resource.name,
        "users": list(demand.users),
        "teams": list(demand.teams),
        "count": demand.count,
    }


def _live_json(change: LiveChange) -> dict[str, Any]:
    return {
        "target": change.target,
        "cluster": change.cluster,
        "action": str(change.action),
        **_resource_json(change.id),
        "fields": list(change.fields),
        "diff": change.diff,
    }


def _danger_json(danger: Danger) -> dict[str, Any]:
    return {
        "target": danger.target,
        **_resource_json(danger.id),
        "what": danger.what,
        "path": danger.path,
        "line": danger.line,
        "goes_with": list(danger.goes_with),
    }


def _resource_json(id: ResourceId) -> dict[str, Any]:
    return {"apiVersion": id.api_version, "kind": id.kind, "namespace": id.namespace, "name": id.name}


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as the contract's object."""
    return {
        "check": str(finding.check),
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": finding.message,
        "target": finding.target,
        "resource": _resource_json(finding.resource) if finding.resource else None,
        "path": finding.path,
        "line": finding.line,
        "introduced": finding.introduced,
        "waived": finding.waived,
        "help": finding.advice,
    }
