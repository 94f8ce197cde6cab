"""The verdict as SARIF 2.1.0, for code scanning."""

from __future__ import annotations

import json
from typing import Any

from review_bot.core.model import Finding, Severity
from review_bot.core.outcome import Verdict

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "note"}


def render(verdict: Verdict) -> str:
    """One run; a rule a finding's rule, waived findings suppressed."""
    rules = {f.rule: f for f in verdict.findings}
    driver = {
        "name": "review-bot",
        "rules": [{"id": rule, "help": {"text": f.advice or f.message}} for rule, f in sorted(rules.items())],
    }
    run = {"tool": {"driver": driver}, "results": [_result(f) for f in verdict.findings]}
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False)


def _result(finding: Finding) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": LEVELS[finding.severity],
        "message": {"text": finding.message},
        "baselineState": "new" if finding.introduced else "unchanged",
    }
    if finding.path:
        place: dict[str, Any] = {"artifactLocation": {"uri": finding.path}}
        if finding.line:
            place["region"] = {"startLine": finding.line}
        result["locations"] = [{"physicalLocation": place}]
    if finding.waived:
        result["suppressions"] = [{"kind": "external", "justification": finding.waived}]
    return result
