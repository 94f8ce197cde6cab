"""The values of a HelmRelease: valuesFrom in order, then its own, and over all of them those with a targetPath.

Follows fluxcd/pkg/chartutil (ChartValuesFromReferences). Values of Secrets are replaced by stand-ins here, so that they
get nowhere from which they could be shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from review_bot.core.delivery import Assignment, Surroundings
from review_bot.core.errors import InputError
from review_bot.core.flux.charts import values as read
from review_bot.core.flux.objects import Asking, Broken, Catalogue
from review_bot.core.flux.secrecy import concealed, concealed_text
from review_bot.core.flux.sources import COMMIT_IT
from review_bot.core.lenient import mapping, rows, text
from review_bot.core.model import Finding, Severity

_OPAQUE = re.compile(r"sops-[0-9a-f]{8}\Z")


@dataclass
class Values:
    """`files` are generated, later ones win. `opaque` are encrypted values: not seen, only that they change."""

    files: list[str] = field(default_factory=list)
    opaque: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)


def values_of(asking: Asking, around: Surroundings, catalogue: Catalogue, found: Values) -> None:
    """Fills what is found. Raises Broken."""
    for number, row in enumerate(rows(asking.spec.get("valuesFrom"))):
        value = _text(asking, row, number, catalogue, found)
        if value is not None:
            _take(asking, row, number, value, around, found)
    inline: Mapping[str, Any] = mapping(asking.spec.get("values"))
    if found.assignments:
        try:
            inline = around.templating.assign(inline, found.assignments)
        except InputError as error:
            raise Broken(f"the targetPath {error.message}", help="write it as for helm's --set") from error
    if inline:
        found.files.append(_written(asking, "values.yaml", inline, around))


def _text(asking: Asking, row: Mapping[str, Any], number: int, catalogue: Catalogue, found: Values) -> str | None:
    """What the reference leads to, None if there is nothing. Raises Broken for a key that is not there."""
    kind, name, key = (text(row.get(f)) for f in ("kind", "name", "valuesKey"))
    key = key or "values.yaml"
    known = catalogue.texts(kind, asking.namespace, name)
    if known is not None and key in known:
        return known[key]
    if row.get("optional") is True:
        return None
    if known is not None:
        raise Broken(
            f"the {kind} {asking.namespace}/{name} has no key {key}", help="correct valuesFrom, or add the key"
        )
    found.findings.append(
        asking.finding(
            "not-seen",
            Severity.WARNING,
            f"the {kind} {asking.namespace}/{name}, from which it takes values ({key}), is not in this repository; "
            "it is rendered without them",
            ("spec", "valuesFrom", number),
            help=f"{COMMIT_IT}, or mark it `optional: true` if it may be missing",
        )
    )
    return None


def _take(asking: Asking, row: Mapping[str, Any], number: int, value: str, around: Surroundings, found: Values) -> None:
    secret = row.get("kind") == "Secret"
    path = text(row.get("targetPath"))
    if path:
        shown = concealed_text(value) if secret else value
        found.assignments.append(Assignment(path, shown, row.get("literal") is True))
    elif _OPAQUE.match(value):
        found.opaque.append(value)
        found.findings.append(
            asking.finding(
                "not-seen",
                Severity.WARNING,
                f"the values in the Secret {asking.namespace}/{text(row.get('name'))} are encrypted; "
                "it is rendered without them",
                ("spec", "valuesFrom", number),
                help="encrypt only the values that are secret, each by a valuesFrom with a targetPath",
            )
        )
    else:
        parsed = read(value.encode(), f"{row.get('kind')} {asking.namespace}/{text(row.get('name'))}")
        found.files.append(_written(asking, f"values-{number}.yaml", concealed(parsed) if secret else parsed, around))


def _written(asking: Asking, name: str, values: Mapping[str, Any], around: Surroundings) -> str:
    data = json.dumps(values, sort_keys=True).encode()
    return around.write(f"{asking.folder}/{name}", data, asking.told.resource.place(("spec",)))
