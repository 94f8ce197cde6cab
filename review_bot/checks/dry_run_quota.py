"""What a pull request asks for in a namespace altogether, beside the ResourceQuotas that are in force there.

The server judges each object by itself, and no workload by the pods that it will make: the sum is ours to make.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from review_bot.checks.dry_run_live import Place
from review_bot.checks.dry_run_words import Rule, short
from review_bot.cluster.client import ClusterClient
from review_bot.core.clusters import ClusterSettings
from review_bot.core.danger import quantity
from review_bot.core.errors import ClusterError
from review_bot.core.model import CheckName, Finding, Manifest, ResourceChange, Severity
from review_bot.core.quota import Amounts, Counted, amount, counted

QUOTAS = "/api/v1/namespaces/{}/resourcequotas"
NONE = Decimal(0)


@dataclass(frozen=True)
class Share:
    """What one object adds to what its namespace uses, by the names of quotas; less than 0 where it frees something.

    `own` is what the server counts when the object is stored, `later` what its controller will create.
    """

    change: ResourceChange
    place: Place
    own: Amounts
    later: Amounts


def share(change: ResourceChange, place: Place, before: Manifest | None, after: Manifest | None) -> Share:
    """From what runs now to what would run; None: nothing."""
    kind = place.served
    old, new = (counted(m, kind.group, kind.plural) if m is not None else Counted() for m in (before, after))
    return Share(change, place, _minus(new.own, old.own), _minus(new.later, old.later))


def quota_findings(client: ClusterClient, shares: Sequence[Share], settings: ClusterSettings) -> Iterator[Finding]:
    """One for each quota that all objects together exceed; a read more for a namespace in which something is added."""
    # Two targets may hold the same object.
    once = {(s.place.path, s.change.id.name): s for s in shares}
    by_namespace: dict[str, list[Share]] = defaultdict(list)
    for one in once.values():
        if one.place.namespace is not None:
            by_namespace[one.place.namespace].append(one)
    for namespace, own in sorted(by_namespace.items()):
        if any(value > NONE for s in own for value in (*s.own.values(), *s.later.values())):
            yield from _of_namespace(client, namespace, own, settings)


def _of_namespace(
    client: ClusterClient, namespace: str, shares: list[Share], settings: ClusterSettings
) -> Iterator[Finding]:
    try:
        answer = client.get(QUOTAS.format(namespace))
    except ClusterError as error:
        yield unsummed(error, shares[0].change, settings)
        return
    if not answer.fine:
        message = f"the bot may not list resourcequotas in {namespace}: {_UNSUMMED}"
        help = "give the bot that right (deploy/rbac.yaml)"
        yield _finding([s.change for s in shares], Rule.FORBIDDEN, Severity.NOTICE, message, help)
        return
    for quota in answer.body.get("items") or ():
        found = _exceeded(quota, namespace, shares)
        if found is not None:
            yield found


_UNSUMMED = "whether the objects together exceed a quota was not checked"


def _exceeded(quota: Mapping[str, Any], namespace: str, shares: list[Share]) -> Finding | None:
    """The finding on one quota, None if all fits. Those with scopes count certain pods only and are not summed."""
    spec, status = quota.get("spec") or {}, quota.get("status") or {}
    if spec.get("scopes") or spec.get("scopeSelector"):
        return None
    rows: list[str] = []
    guilty: list[Share] = []
    sure = False
    for name, text in sorted((status.get("hard") or {}).items()):
        hard, used = quantity(text), quantity((status.get("used") or {}).get(name))
        if hard is None or used is None:
            continue
        asked = sum(max(NONE, s.own.get(name, NONE)) + max(NONE, s.later.get(name, NONE)) for s in shares) or NONE
        if asked <= NONE or used + asked <= hard:
            continue
        # What goes may go only after the rest has come, and what controllers create is not certain.
        sure = sure or used + sum(s.own.get(name, NONE) for s in shares) > hard
        rows.append(f"{name}={amount(asked)} (in use {amount(used)}, limit {amount(hard)})")
        more = [s for s in shares if s.own.get(name, NONE) > NONE or s.later.get(name, NONE) > NONE]
        guilty += sorted(more, key=lambda s: -max(s.own.get(name, NONE), s.later.get(name, NONE)))
    if not rows:
        return None
    verb = "exceeds" if sure else "may exceed"
    title = (quota.get("metadata") or {}).get("name")
    message = f"what changes in {namespace} asks together for {', '.join(rows)}: that {verb} the quota {title}"
    severity = Severity.ERROR if sure else Severity.WARNING
    changes = [s.change for s in guilty]
    return _finding(changes, Rule.QUOTA_SUM, severity, message, "ask for less, or have the quota raised")


def unsummed(error: ClusterError, change: ResourceChange, settings: ClusterSettings) -> Finding:
    """The cluster answered for the objects and not about its quotas."""
    return _finding([change], Rule.CLUSTER, settings.unreachable, f"{error.message}: {_UNSUMMED}", error.help)


def _finding(changes: Sequence[ResourceChange], rule: Rule, severity: Severity, message: str, help: str) -> Finding:
    """On the first, the object that asks for most."""
    change = changes[0]
    resource = change.head or change.base
    place = resource.place() if resource is not None else None
    return Finding(
        check=CheckName.DRY_RUN,
        rule=rule,
        severity=severity,
        message=short(message),
        target=change.target if len({c.target for c in changes}) == 1 else None,
        path=place.path if place else None,
        line=place.line if place else None,
        help=help,
    )


def _minus(new: Amounts, old: Amounts) -> Amounts:
    return {name: new.get(name, NONE) - old.get(name, NONE) for name in {**old, **new}}
