"""What Argo CD would refuse, and what can't be seen from here, in words and with their place."""

from __future__ import annotations

from review_bot.core.errors import InputError
from review_bot.core.model import CheckName, FieldPath, Finding, Resource, Severity


class Trouble(InputError):
    """An object that Argo CD could not deploy. `at` is the field that is wrong."""

    rule = "argocd"
    severity = Severity.ERROR

    def __init__(
        self,
        message: str,
        *,
        at: FieldPath = (),
        path: str | None = None,
        line: int | None = None,
        help: str = "",
        rule: str = "",
    ) -> None:
        super().__init__(message, path=path, line=line, help=help)
        self.at = at
        self.rule = rule or self.rule


class NotSeen(Trouble):
    """An object that Argo CD may well deploy, though what it deploys does not show here."""

    rule = "not-seen"
    severity = Severity.WARNING


def finding(resource: Resource, error: InputError, target: str, subject: str) -> Finding:
    """The trouble as a finding on the object, or on the file that the trouble names."""
    trouble = error if isinstance(error, Trouble) else Trouble(error.message, path=error.path, help=error.help)
    place = resource.place(trouble.at)
    return said(
        resource,
        trouble.rule,
        trouble.severity,
        f"{subject}: {trouble.message}",
        target,
        path=trouble.path or place.path,
        line=trouble.line if trouble.path else place.line,
        help=trouble.help,
    )


def said(
    resource: Resource,
    rule: str,
    severity: Severity,
    message: str,
    target: str,
    *,
    path: str | None = None,
    line: int | None = None,
    at: FieldPath = (),
    help: str = "",
) -> Finding:
    """A finding about an object."""
    place = resource.place(at)
    return Finding(
        check=CheckName.RENDER,
        rule=rule,
        severity=severity,
        message=message,
        target=target,
        resource=resource.id,
        path=path or place.path,
        line=line if path else place.line,
        help=help,
    )
