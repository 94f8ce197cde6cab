"""What an API server's refusal means, in plain words. Pure: a Status object in, problems out.

The API server's own texts are stable in practice but no contract: what is not recognised is passed on as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MOST_CHARACTERS = 600


class Rule(StrEnum):
    CLUSTER = "dry-run-cluster"
    CONFLICT = "dry-run-conflict"
    DENIED = "dry-run-denied"
    ESCALATION = "dry-run-escalation"
    FAILED = "dry-run-failed"
    FINALIZER = "dry-run-finalizer"
    FORBIDDEN = "dry-run-forbidden"
    IMMUTABLE = "dry-run-immutable"
    INVALID = "dry-run-invalid"
    NAMESPACE = "dry-run-namespace"
    QUOTA = "dry-run-quota"
    QUOTA_SUM = "dry-run-quota-sum"
    SKIPPED = "dry-run-skipped"
    UNKNOWN_KIND = "dry-run-unknown-kind"
    WARNING = "dry-run-warning"
    WEBHOOK = "dry-run-webhook"


@dataclass(frozen=True, slots=True)
class Problem:
    """`field` is as the server writes it, "" for the object; `subject` what is missing, if something is."""

    rule: Rule
    message: str
    field: str = ""
    help: str = ""
    subject: str = ""


_POLICY = re.compile(r"ValidatingAdmissionPolicy '([^']+)' with binding '([^']+)' denied request: (.*)", re.S)
_WEBHOOK_DENIED = re.compile(r'admission webhook "([^"]+)" denied the request:? ?(.*)', re.S)
_WEBHOOK_FAILED = re.compile(r'failed calling webhook "([^"]+)":? ?(.*)', re.S)
_QUOTA = re.compile(r"exceeded quota: ([^,]+), requested: (.*), used: (.*), limited: (.*)", re.S)
_MAY_NOT = re.compile(r'User "([^"]*)" cannot (\w+) resource "([^"]+)"(?: in API group "([^"]*)")?')
_TYPED = re.compile(r"failed to create typed patch object \([^)]*\): (.*)", re.S)
_TYPED_ROW = re.compile(r"^\s*(\.[^:\s]+(?:\[[^\]]*\][^:\s]*)*): (.*)$")
_KINDS = ("Invalid value", "Unsupported value", "Duplicate value", "Not found", "Too long", "Too many", "Forbidden")


def problems(status: int, body: Mapping[str, Any]) -> list[Problem]:
    """Everything that an answer which is not fine has to say; at least one problem."""
    text = str(body.get("message") or f"the API server answers with status {status} and no reason")
    details = body.get("details") or {}
    if status == 404:
        return [_not_found(text, details)]
    for explain in (_admission, _access):
        found = explain(text)
        if found is not None:
            return [found]
    if status == 422:
        return list(_invalid(text, details))
    if typed := _TYPED.search(text):
        return list(_typed(typed[1]))
    if status in (400, 413) or "unable to convert unstructured object" in text:
        return [Problem(Rule.INVALID, f"the API server can't read it: {text.rpartition(': ')[2]}", help=_COMPARE)]
    if status == 403:
        return [Problem(Rule.DENIED, f"refused: {text.partition('is forbidden: ')[2] or text}", help=_ADMIT)]
    return [Problem(Rule.FAILED, f"the API server failed ({status}): {text}", help="ask those who run the cluster")]


_COMPARE = "compare it with `kubectl explain`"
_ADMIT = "change the object, or talk to those who set the cluster's rules"


def warning(text: str) -> Problem:
    """A Warning header's text."""
    return Problem(Rule.WARNING, f"the API server warns: {text}")


def short(text: str) -> str:
    """One line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def _not_found(text: str, details: Mapping[str, Any]) -> Problem:
    if details.get("kind") == "namespaces":
        name = str(details.get("name"))
        help = "create the namespace before, or in this pull request"
        return Problem(Rule.NAMESPACE, f"the namespace {name} does not exist", "metadata.namespace", help, name)
    return Problem(Rule.UNKNOWN_KIND, f"the cluster does not serve this kind ({text})", "kind")


def _admission(text: str) -> Problem | None:
    if found := _POLICY.search(text):
        return Problem(Rule.DENIED, f"denied by the admission policy {found[1]}: {found[3]}", help=_ADMIT)
    if found := _WEBHOOK_DENIED.search(text):
        return Problem(Rule.DENIED, f"denied by the admission webhook {found[1]}: {found[2]}", help=_ADMIT)
    if found := _WEBHOOK_FAILED.search(text):
        message = f"the admission webhook {found[1]} does not answer, so nothing of this kind can be applied now"
        return Problem(Rule.WEBHOOK, f"{message} ({found[2]})", help="ask those who run that webhook")
    return None


def _access(text: str) -> Problem | None:
    if found := _QUOTA.search(text):
        message = f"exceeds the quota {found[1]}: asks for {found[2]}, in use {found[3]}, limit {found[4]}"
        return Problem(Rule.QUOTA, message, help="ask for less, or have the quota raised")
    if "attempting to grant RBAC permissions not currently held" in text:
        message = "grants more than the bot itself may do, so the API server does not judge it for the bot"
        return Problem(Rule.ESCALATION, message, help="look at the permissions yourself; docs/clusters.md says more")
    if found := _MAY_NOT.search(text):
        group = f".{found[4]}" if found[4] else ""
        message = f"the bot may not {found[2]} {found[3]}{group} in this cluster, so the object was not checked"
        return Problem(Rule.FORBIDDEN, message, help="give the bot that right (deploy/rbac.yaml)")
    return None


def _invalid(text: str, details: Mapping[str, Any]) -> Iterator[Problem]:
    causes = details.get("causes") or ({"message": text},)
    for cause in causes:
        field, said = str(cause.get("field") or ""), str(cause.get("message") or text)
        where = f"{field}: " if field else ""
        if "immutable" in said or "updates to statefulset spec" in said:
            help = "keep it as it is, or delete the object and create it anew (what it holds may be lost)"
            yield Problem(Rule.IMMUTABLE, f"{where}can't be changed once it exists: {_plain(said)}", field, help)
        else:
            yield Problem(Rule.INVALID, f"{where}{_plain(said)}", field, _COMPARE)


def _typed(text: str) -> Iterator[Problem]:
    """The rows of a manifest that does not fit its type: one, or several below `errors:`."""
    rows = [found for row in text.splitlines() if (found := _TYPED_ROW.match(row))]
    for found in rows:
        yield Problem(Rule.INVALID, f"{found[1].removeprefix('.')}: {found[2]}", found[1], _COMPARE)
    if not rows:
        yield Problem(Rule.INVALID, text, help=_COMPARE)


def _plain(said: str) -> str:
    """Without the kind of error and the value, which stands in the manifest; StatefulSets and claims add a dump."""
    text = said.partition("\n@@")[0]
    for kind in _KINDS:
        if text.startswith(f"{kind}: "):
            return _without_value(text.removeprefix(f"{kind}: ")) or kind.lower()
    return text


def _without_value(text: str) -> str:
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return text
    return text[end:].removeprefix(": ")
