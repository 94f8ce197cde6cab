"""`approvals.rules`: who must agree to which changes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from review_bot.core.configuration import CONFIG_PATH
from review_bot.core.errors import InputError
from review_bot.core.globs import matches
from review_bot.core.yaml_reader import Document
from review_bot.gate.facts import Change, ChangedFile, Facts

_RULE_KEYS = ("name", "when", "require")
_WHEN_KEYS = ("paths", "resources", "environments", "clusters", "targets", "actions", "fields")
_RESOURCE_KEYS = ("kinds", "groups", "names", "namespaces")
_REQUIRE_KEYS = ("users", "teams", "owners", "count")
_ACTIONS = ("create", "update", "delete")
_QUOTED = re.compile(r"\[\"([^\"]*)\"\]")
_INDEX = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True)
class When:
    paths: tuple[str, ...] = ()
    resources: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    environments: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def about_changes(self) -> bool:
        return any((self.resources, self.environments, self.clusters, self.targets, self.actions, self.fields))


@dataclass(frozen=True)
class Require:
    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    owners: bool = False
    count: int = 1


@dataclass(frozen=True)
class Rule:
    name: str
    when: When | None
    require: Require


@dataclass(frozen=True)
class Match:
    """What of a pull request a rule is about: the files, the changes, and words that say so."""

    files: tuple[ChangedFile, ...]
    changes: tuple[Change, ...]
    because: tuple[str, ...]


def parse_rules(rows: Any, document: Document) -> tuple[Rule, ...]:
    """The rules. Raises InputError with the line for anything that is not understood."""
    if not isinstance(rows, list):
        raise _wrong(document, (), "approvals.rules must be a list")
    rules: list[Rule] = []
    for index, row in enumerate(rows):
        rule = _rule(row, index, document)
        if any(rule.name == other.name for other in rules):
            raise _wrong(document, (index,), f"two rules have the name {rule.name!r}")
        rules.append(rule)
    return tuple(rules)


def _rule(row: Any, index: int, document: Document) -> Rule:
    where = (index,)
    if not isinstance(row, dict):
        raise _wrong(document, where, "a rule is a mapping with name and require")
    _known(row, _RULE_KEYS, document, where)
    name = row.get("name")
    if not isinstance(name, str) or not name:
        raise _wrong(document, where, "a rule needs a name")
    when = _when(row["when"], name, document, (*where, "when")) if "when" in row else None
    return Rule(name, when, _require(row.get("require"), name, document, (*where, "require")))


def _when(row: Any, name: str, document: Document, where: tuple[Any, ...]) -> When:
    if not isinstance(row, dict) or not row:
        raise _wrong(document, where, f"rule {name}: `when` must name at least one condition, or be left out")
    _known(row, _WHEN_KEYS, document, where)
    lists = {key: _texts(row[key], f"rule {name}: when.{key}", document, where) for key in row if key != "resources"}
    for action in lists.get("actions", ()):
        if action not in _ACTIONS:
            raise _wrong(document, where, f"rule {name}: {action!r} is no action; known are {', '.join(_ACTIONS)}")
    resources = row.get("resources", [])
    if not isinstance(resources, list) or ("resources" in row and not resources):
        raise _wrong(document, where, f"rule {name}: when.resources must be a list of mappings")
    return When(resources=tuple(_resource(r, name, document, where) for r in resources), **lists)


def _resource(row: Any, name: str, document: Document, where: tuple[Any, ...]) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(row, dict) or not row:
        raise _wrong(document, where, f"rule {name}: when.resources must hold mappings such as kinds: [Role]")
    _known(row, _RESOURCE_KEYS, document, where)
    return {key: _texts(value, f"rule {name}: resources.{key}", document, where) for key, value in row.items()}


def _require(row: Any, name: str, document: Document, where: tuple[Any, ...]) -> Require:
    if not isinstance(row, dict) or not row:
        raise _wrong(document, where, f"rule {name}: `require` must say who: users, teams or owners")
    _known(row, _REQUIRE_KEYS, document, where)
    count, owners = row.get("count", 1), row.get("owners", False)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise _wrong(document, where, f"rule {name}: count must be 1 or more, not {count!r}")
    if not isinstance(owners, bool):
        raise _wrong(document, where, f"rule {name}: owners must be true or false")
    users = _texts(row["users"], f"rule {name}: users", document, where) if "users" in row else ()
    teams = _texts(row["teams"], f"rule {name}: teams", document, where) if "teams" in row else ()
    bare = tuple(t.removeprefix("@").lower() for t in teams)
    return Require(tuple(u.removeprefix("@").lower() for u in users), bare, owners, count)


def _known(row: Mapping[str, Any], keys: Sequence[str], document: Document, where: tuple[Any, ...]) -> None:
    for key in row:
        if key not in keys:
            raise _wrong(document, (*where, key), f"the key {key!r} is not known here; known are {', '.join(keys)}")


def _texts(value: Any, what: str, document: Document, where: tuple[Any, ...]) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
        raise _wrong(document, where, f"{what} must be a list of texts that is not empty")
    return tuple(value)


def _wrong(document: Document, where: tuple[Any, ...], message: str) -> InputError:
    place: tuple[Any, ...] = ("approvals", "rules", *where)
    while place and place not in document.lines:
        place = place[:-1]
    return InputError(
        message, path=CONFIG_PATH, line=document.lines.get(place, 1), help="docs/configuration.md has the rules"
    )


def match(rule: Rule, facts: Facts) -> Match | None:
    """What the rule is about in this pull request, None if it does not apply."""
    when = rule.when
    if when is None:
        return Match(facts.files, facts.changes, ("applies to every pull request",))
    files = [f for f in facts.files if not when.paths or any(matches(g, p) for g in when.paths for p in f.paths)]
    if not when.about_changes:
        because = tuple(f"{f.path} changes" for f in files[:3])
        return Match(tuple(files), (), because) if files else None
    changes = [c for c in facts.changes if _meets(when, c)]
    if when.paths:
        changes = [c for c in changes if any(c.target in f.targets for f in files)]
    if not changes:
        return None
    touched = {c.target for c in changes}
    own = tuple(f for f in files if touched.intersection(f.targets))
    return Match(own, tuple(changes), tuple(_said(c) for c in changes[:3]))


def _said(change: Change) -> str:
    where = f" in {change.environment}" if change.environment else ""
    fields = f" ({', '.join(change.fields[:3])})" if change.action == "update" and change.fields else ""
    return f"{change.kind} {change.name}: {change.action}{where}{fields}"


def _meets(when: When, change: Change) -> bool:
    return (
        (not when.resources or any(_is(r, change) for r in when.resources))
        and _any(when.environments, change.environment)
        and _any(when.clusters, change.cluster)
        and _any(when.targets, change.target)
        and (not when.actions or change.action in when.actions)
        and (not when.fields or _fields(when.fields, change))
    )


def _is(resource: Mapping[str, tuple[str, ...]], change: Change) -> bool:
    own = {"kinds": change.kind, "groups": change.group, "names": change.name, "namespaces": change.namespace or ""}
    return all(any(matches(g, own[key]) for g in globs) for key, globs in resource.items())


def _any(globs: tuple[str, ...], value: str | None) -> bool:
    return not globs or (value is not None and any(matches(g, value) for g in globs))


def _fields(globs: tuple[str, ...], change: Change) -> bool:
    if change.action == "delete" or (change.action == "create" and not change.fields):
        return True
    return any(_covers(_levels(g), _levels(f)) for g in globs for f in change.fields)


def _levels(path: str) -> tuple[str, ...]:
    """The levels of a dotted path; `[0]` is a level, and a quoted key is one, dots and all."""
    kept = _QUOTED.sub(lambda m: "." + m.group(1).replace(".", "\x00"), path)
    return tuple(part.replace("\x00", ".") for part in _INDEX.sub(r".\1", kept).split(".") if part)


def _covers(pattern: tuple[str, ...], field: tuple[str, ...]) -> bool:
    """Does the field lie under the pattern? A field above it counts too: it changed with all that is below."""
    if not field:
        return True
    if not pattern:
        return False
    if pattern[0] == "**":
        return any(_covers(pattern[1:], field[n:]) for n in range(len(field) + 1)) if pattern[1:] else True
    return matches(pattern[0], field[0], separator="\x00") and _covers(pattern[1:], field[1:])
