"""The values of a HelmRelease: valuesFrom in order, then its own; one with a targetPath goes over its own.

Follows fluxcd/pkg/chartutil (ChartValuesFromReferences), with what its targetPath does not do: see `compose` in
render/gitops_words. Values of Secrets are replaced by stand-ins here, so that they
get nowhere from which they could be shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from review_bot.core.delivery import Assignment, Surroundings, ValuesSource
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
    """`files` are generated, none or one. `opaque` are encrypted values: not seen, only that they change."""

    files: list[str] = field(default_factory=list)
    opaque: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def values_of(asking: Asking, around: Surroundings, catalogue: Catalogue, found: Values) -> None:
    """Fills what is found. Raises Broken."""
    own = asking.spec.get("values")
    if own is not None and not isinstance(own, Mapping):
        raise Broken("its values are no mapping", help="write them as key: value", at=("spec", "values"))
    sources: list[ValuesSource] = []
    for number, row in enumerate(rows(asking.spec.get("valuesFrom"))):
        value = _text(asking, row, number, catalogue, found)
        source = _source(asking, row, number, value, found) if value is not None else None
        sources += [source] if source is not None else []
    composed: Mapping[str, Any] = mapping(own)
    try:
        composed = around.templating.compose(composed, sources) if sources else composed
    except InputError as error:
        raise Broken(
            f"the targetPath {error.message}", help="write it as for helm's --set", at=("spec", "valuesFrom")
        ) from error
    if composed:
        data = json.dumps(composed, sort_keys=True).encode()
        source_of = asking.told.resource.place(("spec",))
        found.files.append(around.write(f"{asking.folder}/values.yaml", data, source_of))


def _text(asking: Asking, row: Mapping[str, Any], number: int, catalogue: Catalogue, found: Values) -> str | None:
    """What the reference leads to, None if there is nothing. Raises Broken for a key that is not there."""
    kind, name, key = (text(row.get(f)) for f in ("kind", "name", "valuesKey"))
    key, at = key or "values.yaml", ("spec", "valuesFrom", number)
    if kind not in ("ConfigMap", "Secret"):
        raise Broken(f"it takes values from the kind {kind}", help="name a ConfigMap or a Secret", at=at)
    known = catalogue.texts(kind, asking.namespace, name)
    if known is not None and key in known:
        return known[key]
    if row.get("optional") is True:
        return None
    if known is not None:
        raise Broken(
            f"the {kind} {asking.namespace}/{name} has no key {key}", help="correct valuesFrom, or add the key", at=at
        )
    found.findings.append(
        asking.finding(
            "not-seen",
            Severity.WARNING,
            f"the {kind} {asking.namespace}/{name}, from which it takes values ({key}), is not in this repository; "
            "it is rendered without them",
            at,
            help=f"{COMMIT_IT}, or mark it `optional: true` if it may be missing",
        )
    )
    return None


def _source(asking: Asking, row: Mapping[str, Any], number: int, value: str, found: Values) -> ValuesSource | None:
    """None for values that are encrypted as a whole."""
    secret = row.get("kind") == "Secret"
    path = text(row.get("targetPath"))
    if path:
        return Assignment(path, concealed_text(value) if secret else value, row.get("literal") is True)
    if not _OPAQUE.match(value):
        words = f"the {row.get('kind')} {asking.namespace}/{text(row.get('name'))}"
        parsed = read(value.encode(), words, ("spec", "valuesFrom", number))
        return dict(concealed(parsed)) if secret else parsed
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
    return None
