"""Findings on one object."""

from __future__ import annotations

from enum import StrEnum

from review_bot.core.model import CheckName, Finding, Resource, Severity
from review_bot.core.tekton.reading import At


class Rule(StrEnum):
    UNRESOLVED = "tekton-unresolved"
    NOT_SEEN = "tekton-not-seen"
    CYCLE = "tekton-cycle"
    PARAM = "tekton-param"
    WORKSPACE = "tekton-workspace"
    RESULT = "tekton-result"
    TASK = "tekton-task"
    FINALLY = "tekton-finally"
    STEP = "tekton-step"
    TRIGGER = "tekton-trigger"


class Report:
    """Collects what is to be said of an object of a target."""

    def __init__(self, target: str, resource: Resource) -> None:
        self.target = target
        self.resource = resource
        self.findings: list[Finding] = []

    @property
    def namespace(self) -> str | None:
        return self.resource.id.namespace

    def say(self, at: At, rule: Rule, message: str, help: str, severity: Severity = Severity.ERROR) -> None:
        id, place = self.resource.id, self.resource.place(at.path)
        where = f"{at.field}: " if at.field else ""
        self.findings.append(
            Finding(
                check=CheckName.SCHEMA,
                rule=rule,
                severity=severity,
                message=f"{id.kind} {id.name}: {where}{message}",
                target=self.target,
                resource=id,
                path=place.path,
                line=place.line,
                help=help,
            )
        )
