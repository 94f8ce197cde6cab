"""The verdict as JUnit XML, for CI systems that show test results."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from review_bot.core.model import Finding
from review_bot.core.outcome import Verdict
from review_bot.core.sanitise import terminal
from review_bot.core.verdict import blocks


def render(verdict: Verdict) -> str:
    """One suite: a case a target, failed by the findings that block it, and one for those of no target."""
    names: list[str | None] = [t.target.id for t in verdict.targets]
    if any(f.target is None for f in verdict.findings):
        names.append(None)
    cases = [_case(name, [f for f in verdict.findings if f.target == name and blocks(f)]) for name in names]
    failures = sum("<failure" in case for case in cases)
    head = f'<testsuite name="review-bot" tests="{len(cases)}" failures="{failures}">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *cases, "</testsuite>"])


def _case(name: str | None, findings: list[Finding]) -> str:
    title = _attribute(name or "the repository")
    if not findings:
        return f'  <testcase classname="review-bot" name={title}/>'
    lines = "; ".join(f"{f.path or ''}:{f.line or ''} {f.rule} {f.message}" for f in findings)
    return f'  <testcase classname="review-bot" name={title}><failure message={_attribute(lines)}/></testcase>'


def _attribute(text: str) -> str:
    return quoteattr(terminal(text))
