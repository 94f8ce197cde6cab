"""From what OPA answers to findings, by conftest's conventions."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from review_bot.core.errors import InputError
from review_bot.core.model import CheckName, Demand, FieldPath, Finding, Resource, Severity
from review_bot.core.secrets import values

# The last one asks for an approval rather than finding something wrong.
KINDS = ("deny", "violation", "warn", "require_approval")
RULE = re.compile(rf"({'|'.join(KINDS)})(?:_(\w+))?\Z")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_LINK = re.compile(r"https://[A-Za-z0-9./_~#?=&%+-]+\Z")
_SHORTEST_SECRET = 4


@dataclass(frozen=True)
class Metadata:
    """What a rule's METADATA says, and where the rule stands."""

    title: str = ""
    id: str = ""
    severity: str = ""
    help: str = ""
    link: str = ""
    file: str = ""
    line: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def metadata_of(row: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, Metadata]:
    """A row of `opa inspect`: the rule's name (`main.deny_x`) and its metadata."""
    path = [str(p.get("value")) for p in row.get("path") or []]
    about = row.get("annotations") or {}
    custom: dict[str, Any] = about["custom"] if isinstance(about.get("custom"), dict) else {}
    location = row.get("location") or {}
    links = [str(r.get("ref")) for r in about.get("related_resources") or [] if isinstance(r, dict) and r.get("ref")]
    remediation = str(custom.get("remediation") or about.get("description") or "")
    file = names.get(str(location.get("file", "")).removeprefix("./"), "")
    return ".".join(path[1:]), Metadata(
        title=str(about.get("title") or ""),
        id=str(custom.get("id") or custom.get("rule") or ""),
        severity=str(custom.get("severity") or ""),
        help=remediation.strip(),
        link=next((link for link in links if _LINK.match(link)), ""),
        file=file,
        line=location.get("row"),
    )


def hits(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every (rule name, value) that a package yields for one input, exceptions taken out."""
    excepted = _excepted(document.get("exception"))
    for name, value in document.items():
        match = RULE.match(name)
        if match and (match.group(2) or "") not in excepted:
            for item in _items(value):
                yield name, item


def finding(
    name: str, value: Any, package: str, metadata: Mapping[str, Metadata], target: str, resource: Resource
) -> Finding:
    """One value of a rule as a finding on the resource."""
    about = metadata.get(f"{package}.{name}", Metadata())
    extra = value if isinstance(value, Mapping) else {}
    message = str(extra.get("msg") or about.title or f"{name} holds") if extra or value is True else str(value)
    place = resource.place(_path(extra.get("field")))
    return Finding(
        check=CheckName.POLICY,
        rule=_rule_id(name, extra, about),
        severity=_severity(name, about),
        message=_redacted(message, resource),
        target=target,
        resource=resource.id,
        path=place.path,
        line=place.line,
        help=_redacted(str(extra.get("remediation") or about.help), resource),
        link=about.link,
    )


def demand(found: Finding, value: Any) -> Demand:
    """What a `require_approval` rule asks for; `found` is the rule's value as a finding. Raises InputError."""
    extra = value if isinstance(value, Mapping) else {}
    users, teams = (_named(extra, key, found.rule) for key in ("user", "team"))
    count = extra.get("count", 1)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise InputError(f"{found.rule} asks for {count!r} approvals: `count` is 1 or more")
    assert found.target is not None and found.resource is not None  # noqa: S101 - made from one
    return Demand(found.rule, found.message, found.target, found.resource, users, teams, count)


def _named(extra: Mapping[str, Any], key: str, rule: str) -> tuple[str, ...]:
    """Names under `team` or `teams`, and likewise for users."""
    given = [*_items(extra.get(key)), *_items(extra.get(f"{key}s"))]
    if not all(isinstance(name, str) and name for name in given):
        raise InputError(f"{rule}: `{key}s` must be a list of names")
    return tuple(name.removeprefix("@") for name in given)


def _items(value: Any) -> list[Any]:
    """Sets and lists give an item each; a text, an object with a message or `true` stands for itself."""
    if isinstance(value, list):
        return value
    return [] if value is None or value is False else [value]


def _excepted(value: Any) -> set[str]:
    names: set[str] = set()
    for item in _items(value):
        names.update(str(n) for n in (item if isinstance(item, list) else [item]))
    return names


def _rule_id(name: str, extra: Mapping[str, Any], about: Metadata) -> str:
    for key in ("rule", "id", "name"):
        if isinstance(extra.get(key), str) and extra[key]:
            return str(extra[key])
    if about.id:
        return about.id
    match = RULE.match(name)
    if match and match.group(2):
        return match.group(2).replace("_", "-")
    slug = re.sub(r"[^a-z0-9]+", "-", about.title.lower()).strip("-")
    return slug or name


def _severity(name: str, about: Metadata) -> Severity:
    if about.severity in tuple(Severity) and not name.startswith("require_approval"):
        return Severity(about.severity)
    if name.startswith("require_approval"):
        return Severity.NOTICE
    return Severity.WARNING if name.startswith("warn") else Severity.ERROR


def _path(text: Any) -> FieldPath:
    if not isinstance(text, str):
        return ()
    return tuple(int(index) if index else name for name, index in _STEP.findall(text))


def _redacted(message: str, resource: Resource) -> str:
    for value in values(resource.manifest):
        for text in (value, _decoded(value)):
            if len(text) >= _SHORTEST_SECRET:
                message = message.replace(text, "(secret)")
    return message


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
