"""What of a pull request a rule is about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from review_bot.core.globs import matches
from review_bot.gate.facts import Change, ChangedFile, Facts
from review_bot.gate.people import GITHUB
from review_bot.gate.rules import Require, Rule, When

_QUOTED = re.compile(r"\[\"([^\"]*)\"\]")
_INDEX = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True)
class Match:
    """What of a pull request a rule is about: the files, the changes, and words that say so."""

    files: tuple[ChangedFile, ...]
    changes: tuple[Change, ...]
    because: tuple[str, ...]


def match(rule: Rule, facts: Facts) -> Match | None:
    """What the rule is about in this pull request, None if it does not apply."""
    when = rule.when
    if when is None:
        return Match(facts.files, facts.changes, ("applies to every pull request",))
    if not _concerns(when, facts):
        return None
    found = _matched(when, facts)
    if found is None or not rule.require.nobody:
        return found
    return found if _nothing_else(when, found, facts) else None


def demanded(facts: Facts) -> Iterator[tuple[Rule, Match]]:
    """What policies ask for, as rules of their own."""
    for demand in facts.demands:
        found = tuple(c for c in facts.changes if (c.target, c.kind, c.namespace, c.name) == demand.change)
        files = tuple(f for f in facts.files if demand.change[0] in f.targets)
        require = Require(demand.users, demand.teams, not (demand.users or demand.teams), demand.count)
        yield Rule(demand.rule, None, require), Match(files, found or facts.changes, (demand.reason,))


def _nothing_else(when: When, found: Match, facts: Facts) -> bool:
    """Is the rule about the whole pull request, and about everyone in it? What asks nobody must let nothing else in."""
    people = [p for c in facts.commits for p in (c.author, c.committer, *c.co_authors) if p != GITHUB]
    known = all(p is not None and (not when.authors or _names(when.authors, p)) for p in people)
    changes = len(found.changes) == len(facts.changes) or not when.about_changes
    return known and changes and len(found.files) == len(facts.files) and all(f.targets for f in facts.files)


def _concerns(when: When, facts: Facts) -> bool:
    """Do the conditions on the pull request itself hold?"""
    return (not when.authors or _names(when.authors, facts.author)) and (
        not when.labels or any(matches(g, label) for g in when.labels for label in facts.labels)
    )


def _names(globs: tuple[str, ...], login: str) -> bool:
    return any(matches(glob.lower().removeprefix("@"), login.lower()) for glob in globs)


def _matched(when: When, facts: Facts) -> Match | None:
    files = [f for f in facts.files if not when.paths or any(matches(g, p) for g in when.paths for p in f.paths)]
    if not when.about_changes:
        because = tuple(f"{f.path} changes" for f in files[:3])
        return Match(tuple(files), facts.changes if not when.paths else (), because) if files else None
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
        and (not when.versions or any(matches(g, step) for g in when.versions for step in change.steps))
        and (not when.policies or any(matches(g, rule) for g in when.policies for rule in change.policies))
        and (not when.danger or change.dangerous)
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
