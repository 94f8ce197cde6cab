"""Whom a decision will ask about: the people and teams that owner files and rules name for a change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.core.errors import InputError
from review_bot.gate import ownership, settings
from review_bot.gate.commands import commands


@dataclass(frozen=True, slots=True)
class Named:
    """Logins and `org/team` names in lower case."""

    users: frozenset[str]
    teams: frozenset[str]


def named(tree: Mapping[str, str], paths: Iterable[str], demands: Iterable[Mapping[str, Any]] = ()) -> Named:
    """Everyone whom the decision may need. Files that can't be read name nobody: the decision itself will say so."""
    names = {name for demand in demands for key in ("users", "teams") for name in demand[key]}
    try:
        found = settings.read(tree)
        for rule in found.rules:
            names.update(rule.require.named())
        names.update(found.override_users, found.override_teams)
        owned = ownership.read(tree, found.formats)
    except InputError:
        return _split(names)
    for path in paths:
        try:
            names.update(owner for entry in owned.of(path) for owner in entry.owners)
        except InputError:
            continue
    return _split(names)


def speaks(body: str) -> bool:
    """Does the text give any command?"""
    return next(commands(body), None) is not None


def _split(names: Iterable[str]) -> Named:
    bare = {name.removeprefix("@").lower() for name in names}
    people = frozenset(n for n in bare if "/" not in n and "@" not in n)
    return Named(people, frozenset(n for n in bare if "/" in n))
