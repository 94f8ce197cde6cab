"""postBuild: the variables that a Kustomization puts into what it builds.

Follows fluxcd/pkg/kustomize (LoadVariables, SubstituteVariables). Values of Secrets are replaced by stand-ins here, so
that they get nowhere from which they could be shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.core.flux.objects import Asking, Broken, Catalogue
from review_bot.core.flux.secrecy import concealed_text
from review_bot.core.flux.sources import COMMIT_IT
from review_bot.core.lenient import mapping, rows, text
from review_bot.core.model import Finding, Severity

_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")
DISABLED = "kustomize.toolkit.fluxcd.io/substitute"


@dataclass(frozen=True)
class Variables:
    """`values` by name; `partly` where some are not seen: then a variable that is not there stays as it is written."""

    values: Mapping[str, str]
    partly: bool = False
    always: bool = False

    @property
    def applied(self) -> bool:
        """Without variables nothing is substituted, unless the strategy is Always."""
        return bool(self.values) or self.always

    def settings(self) -> dict[str, Any]:
        return {"values": dict(sorted(self.values.items())), "partly": self.partly} if self.applied else {}


def variables(asking: Asking, catalogue: Catalogue) -> tuple[Variables, list[Finding]]:
    """Later sources win over earlier ones, and what stands in the object itself over all. Raises Broken."""
    post = mapping(asking.spec.get("postBuild"))
    inline = mapping(post.get("substitute"))
    for name, value in inline.items():
        if not isinstance(value, str):
            at = ("spec", "postBuild", "substitute", name)
            raise Broken(f"the variable {name} is no text ({json.dumps(value)})", help="put it in quotes", at=at)
    values: dict[str, str] = {}
    findings: list[Finding] = []
    for number, row in enumerate(rows(post.get("substituteFrom"))):
        kind, name = text(row.get("kind")), text(row.get("name"))
        found = catalogue.texts(kind, asking.namespace, name)
        if found is None:
            if row.get("optional") is not True:
                findings.append(_missing(asking, kind, name, number))
            continue
        values |= {k: concealed_text(v) if kind == "Secret" else v for k, v in found.items()}
    partly = bool(findings)
    values |= inline
    always = post.get("substituteStrategy") == "Always"
    # As the controller does: a value stays on its line.
    return Variables({k: v.replace("\n", "") for k, v in values.items()}, partly, always), findings


def disabled(manifest: Mapping[str, Any]) -> bool:
    """Does the object opt out, by a label or an annotation?"""
    metadata = mapping(manifest.get("metadata"))
    return any(mapping(metadata.get(field)).get(DISABLED) == "disabled" for field in ("labels", "annotations"))


def named(value: Any) -> Iterator[str]:
    """The names of all variables in an object."""
    return (match for match in _NAME.findall(json.dumps(value)))


def _missing(asking: Asking, kind: str, name: str, number: int) -> Finding:
    return asking.finding(
        "not-seen",
        Severity.WARNING,
        f"the {kind} {asking.namespace}/{name}, whose values it substitutes, is not in this repository; "
        "its variables are left as they are written",
        ("spec", "postBuild", "substituteFrom", number),
        help=f"{COMMIT_IT}, or mark it `optional: true` if it may be missing",
    )
