"""What is to be said of a plan beside its changes: what it leaves out, what it found, and that it is of other files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from review_bot.core.model import CheckName, Finding, Resource, Severity, Target
from review_bot.core.terraform import block_of
from review_bot.core.terraform.scan import LOCAL

MOST = 5
AGAIN = "plan the head of the pull request, in this folder"


def notices(document: Mapping[str, Any], target: Target) -> Iterator[Finding]:
    """What a plan says that is no change."""
    deferred = _rows(document.get("deferred_changes"))
    if deferred or document.get("complete") is False:
        rows = (row.get("resource_change") for row in deferred)
        named = _listed([str(row.get("address")) for row in rows if isinstance(row, Mapping)])
        message = "the plan is not whole: " + (f"put off is {named}" if named else "another one has to follow it")
        yield _said(target, "terraform-plan-not-whole", Severity.ERROR, message, "plan all of it, without -target")
    failed = [str(_in(row, "address", "to_display")) for row in _rows(document.get("checks")) if _fails(row)]
    if failed:
        message = f"the plan says that this does not hold: {_listed(failed)}"
        yield _said(target, "terraform-check-failed", Severity.WARNING, message, "the plan's own output says why")
    # What has only moved stands there too.
    changed = [r for r in _rows(document.get("resource_drift")) if _in(r, "change", "actions") != ["no-op"]]
    drifted = [str(row.get("address")) for row in changed]
    if drifted:
        message = f"the real thing is no longer as the state has it: {_listed(drifted)}"
        yield _said(target, "terraform-drift", Severity.NOTICE, message, "the changes start from what is really there")


def of_other_files(document: Mapping[str, Any], target: Target, configured: Sequence[Resource]) -> Iterator[Finding]:
    """An error if the plan names other resources than the files do: it shows what something else would do."""
    root = _in(document, "configuration", "root_module")
    if not isinstance(root, Mapping):
        return
    theirs = set(_addresses(root, ""))
    ours = {r.id.name for r in configured if block_of(r.manifest).get("type") == "resource"}
    more, less = sorted(theirs - ours), sorted(ours - theirs)
    if more or less:
        only = [f"only the plan has {_listed(more)}"] if more else []
        only += [f"only the files have {_listed(less)}"] if less else []
        message = f"the plan is of other files than these: {', and '.join(only)}"
        yield _said(target, "terraform-plan-of-other-files", Severity.ERROR, message, AGAIN)


def _addresses(module: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for row in _rows(module.get("resources")):
        if row.get("mode") == "managed":
            yield f"{prefix}{row.get('address')}"
    calls = module.get("module_calls")
    # Of modules from elsewhere the files show only the call.
    for name, call in calls.items() if isinstance(calls, Mapping) else ():
        inner = call.get("module") if isinstance(call, Mapping) else None
        if isinstance(inner, Mapping) and str(call.get("source", "")).startswith(LOCAL):
            yield from _addresses(inner, f"{prefix}module.{name}.")


def _fails(row: Mapping[str, Any]) -> bool:
    return row.get("status") in ("fail", "error")


def _in(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST])
    return f"{shown} and {len(names) - MOST} more" if len(names) > MOST else shown


def _said(target: Target, rule: str, severity: Severity, message: str, help: str) -> Finding:
    return Finding(
        check=CheckName.RENDER,
        rule=rule,
        severity=severity,
        message=message,
        target=target.id,
        path=target.entry,
        line=None,
        help=help,
    )
