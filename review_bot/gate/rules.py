"""`approvals.rules` as they are written: who must agree to which changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from review_bot.core.configuration import CONFIG_PATH
from review_bot.core.errors import InputError
from review_bot.core.yaml_reader import Document

_RULE_KEYS = ("name", "when", "require")
_WHEN_LISTS = (
    "paths",
    "environments",
    "clusters",
    "targets",
    "actions",
    "fields",
    "versions",
    "policies",
    "authors",
    "labels",
)
_WHEN_KEYS = (*_WHEN_LISTS, "resources", "danger")
_RESOURCE_KEYS = ("kinds", "groups", "names", "namespaces")
_REQUIRE_KEYS = ("users", "teams", "owners", "count", "distinct_teams", "any", "all", "nobody")
_ACTIONS = ("create", "update", "delete")


@dataclass(frozen=True)
class When:
    paths: tuple[str, ...] = ()
    resources: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    environments: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    danger: bool = False

    @property
    def about_changes(self) -> bool:
        places = self.resources, self.environments, self.clusters, self.targets
        return any((*places, self.actions, self.fields, self.versions, self.policies, self.danger))


@dataclass(frozen=True)
class Require:
    """Who must agree. `all` and `any` are requirements in turn; `nobody` asks for no one at all.

    With `distinct_teams` each of the counted words comes from another one of the teams.
    """

    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    owners: bool = False
    count: int = 1
    distinct_teams: bool = False
    any: tuple[Require, ...] = ()
    all: tuple[Require, ...] = ()
    nobody: bool = False

    def named(self) -> Iterator[str]:
        """Every login and team that it names."""
        yield from (*self.users, *self.teams)
        for one in (*self.any, *self.all):
            yield from one.named()


@dataclass(frozen=True)
class Rule:
    name: str
    when: When | None
    require: Require


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
    require = _require(row.get("require"), name, document, (*where, "require"))
    if require.nobody and when is None:
        raise _wrong(document, where, f"rule {name}: `nobody` needs a `when`, or nobody would be asked about anything")
    return Rule(name, when, require)


def _when(row: Any, name: str, document: Document, where: tuple[Any, ...]) -> When:
    if not isinstance(row, dict) or not row:
        raise _wrong(document, where, f"rule {name}: `when` must name at least one condition, or be left out")
    _known(row, _WHEN_KEYS, document, where)
    lists = {key: _texts(row[key], f"rule {name}: when.{key}", document, where) for key in row if key in _WHEN_LISTS}
    if row.get("danger", True) is not True:
        raise _wrong(document, where, f"rule {name}: when.danger is true, or left out")
    for action in lists.get("actions", ()):
        if action not in _ACTIONS:
            raise _wrong(document, where, f"rule {name}: {action!r} is no action; known are {', '.join(_ACTIONS)}")
    resources = row.get("resources", [])
    if not isinstance(resources, list) or ("resources" in row and not resources):
        raise _wrong(document, where, f"rule {name}: when.resources must be a list of mappings")
    found = tuple(_resource(r, name, document, where) for r in resources)
    return When(resources=found, danger="danger" in row, **lists)


def _resource(row: Any, name: str, document: Document, where: tuple[Any, ...]) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(row, dict) or not row:
        raise _wrong(document, where, f"rule {name}: when.resources must hold mappings such as kinds: [Role]")
    _known(row, _RESOURCE_KEYS, document, where)
    return {key: _texts(value, f"rule {name}: resources.{key}", document, where) for key, value in row.items()}


def _require(row: Any, name: str, document: Document, where: tuple[Any, ...]) -> Require:
    if not isinstance(row, dict) or not row:
        raise _wrong(document, where, f"rule {name}: `require` must say who: users, teams or owners")
    _known(row, _REQUIRE_KEYS, document, where)
    for key in ("any", "all", "nobody"):
        if key in row and len(row) > 1:
            raise _wrong(document, where, f"rule {name}: `{key}` stands alone in `require`")
    if "nobody" in row:
        if row["nobody"] is not True:
            raise _wrong(document, where, f"rule {name}: nobody is true, or left out")
        return Require(nobody=True)
    for key in ("any", "all"):
        if key in row:
            several = _several(row[key], f"rule {name}: {key}", name, document, (*where, key))
            return Require(any=several) if key == "any" else Require(all=several)
    return _simple(row, name, document, where)


def _several(rows: Any, what: str, name: str, document: Document, where: tuple[Any, ...]) -> tuple[Require, ...]:
    if not isinstance(rows, list) or not rows:
        raise _wrong(document, where, f"{what} must be a list of requirements that is not empty")
    found = tuple(_require(row, name, document, (*where, index)) for index, row in enumerate(rows))
    if any(one.nobody for one in found):
        raise _wrong(document, where, f"{what} can't hold `nobody`")
    return found


def _simple(row: Mapping[str, Any], name: str, document: Document, where: tuple[Any, ...]) -> Require:
    count, owners, distinct = row.get("count", 1), row.get("owners", False), row.get("distinct_teams", False)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise _wrong(document, where, f"rule {name}: count must be 1 or more, not {count!r}")
    if not isinstance(owners, bool) or not isinstance(distinct, bool):
        raise _wrong(document, where, f"rule {name}: owners and distinct_teams are true or false")
    users = _texts(row["users"], f"rule {name}: users", document, where) if "users" in row else ()
    teams = _texts(row["teams"], f"rule {name}: teams", document, where) if "teams" in row else ()
    if distinct and (users or owners or len(teams) < count):
        raise _wrong(document, where, f"rule {name}: distinct_teams wants at least {count} teams, and only teams")
    bare = tuple(t.removeprefix("@").lower() for t in teams)
    return Require(tuple(u.removeprefix("@").lower() for u in users), bare, owners, count, distinct)


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
