"""What of a pull request a rule is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

from review_bot.core.globs import matches
from review_bot.core.terraform import API_VERSION, without_keys
from review_bot.gate.facts import Change, ChangedFile, Facts
from review_bot.gate.people import GITHUB
from review_bot.gate.rules import Require, Rule, When

_QUOTED = re.compile(r"\[\"([^\"]*)\"\]")
_INDEX = re.compile(r"\[([^\]]*)\]")
_VALUES: Mapping[str, Callable[[Change], str | None]] = {
    "kinds": attrgetter("kind"),
    "groups": attrgetter("group"),
    "names": attrgetter("name"),
    "namespaces": attrgetter("namespace"),
}


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
    changes = (len(found.changes) == len(facts.changes) and _wholly(when, found.changes)) or not when.about_changes
    return known and changes and len(found.files) == len(facts.files) and all(f.targets for f in facts.files)


def _wholly(when: When, changes: Sequence[Change]) -> bool:
    """Is each version that moves, and each field that changes, one that the rule names?"""
    steps = all(_any(when.versions, step) for c in changes for step in c.steps if when.versions)
    return steps and all(_under(when.fields, field) for c in changes for field in c.fields if when.fields)


def _concerns(when: When, facts: Facts) -> bool:
    """Do the conditions on the pull request itself hold?"""
    return (not when.authors or _names(when.authors, facts.author)) and (
        not when.labels or any(matches(g, label) for g in when.labels for label in facts.labels)
    )


def _names(globs: tuple[str, ...], login: str) -> bool:
    return any(matches(glob.lower().removeprefix("@"), login.lower()) for glob in globs)


def _matched(when: When, facts: Facts) -> Match | None:
    globs, files = when.paths, facts.files
    if globs:
        files = tuple(f for f in files if _any(globs, f.path) or (f.previous_path and _any(globs, f.previous_path)))
    if not when.about_changes:
        because = tuple(f"{f.path} changes" for f in files[:3])
        return Match(files, facts.changes if not when.paths else (), because) if files else None
    changes = _meeting(when, facts.changes)
    if when.paths:
        read_by = {target for f in files for target in f.targets}
        changes = [c for c in changes if c.target in read_by]
    if not changes:
        return None
    touched = {c.target for c in changes}
    own = tuple(f for f in files if not touched.isdisjoint(f.targets))
    return Match(own, tuple(changes), tuple(_said(c) for c in changes[:3]))


def _said(change: Change) -> str:
    where = f" in {change.environment}" if change.environment else ""
    fields = f" ({', '.join(change.fields[:3])})" if change.action == "update" and change.fields else ""
    return f"{change.kind} {change.name}: {change.action}{where}{fields}"


def _meeting(when: When, changes: Sequence[Change]) -> Sequence[Change]:
    """The changes that meet every condition; each looks only at what the ones before have left."""
    if when.resources:
        found = [_of(resource, changes) for resource in when.resources]
        changes = found[0] if len(found) == 1 else [c for c in changes if any(c in some for some in found)]
    if when.environments:
        changes = [c for c in changes if _any(when.environments, c.environment)]
    if when.clusters:
        changes = [c for c in changes if _any(when.clusters, c.cluster)]
    if when.targets:
        changes = [c for c in changes if _any(when.targets, c.target)]
    if when.actions:
        changes = [c for c in changes if c.action in when.actions]
    if when.fields:
        changes = [c for c in changes if _fields(when.fields, c)]
    if when.versions:
        changes = [c for c in changes if any(_any(when.versions, step) for step in c.steps)]
    if when.policies:
        changes = [c for c in changes if any(_any(when.policies, rule) for rule in c.policies)]
    return [c for c in changes if c.dangerous] if when.danger else changes


def _of(resource: Mapping[str, tuple[str, ...]], changes: Sequence[Change]) -> Sequence[Change]:
    for key, globs in resource.items():
        value = _VALUES[key]
        changes = [c for c in changes if _any(globs, value(c) or "") or (_is_address(c) and _block(globs, value(c)))]
    return changes


def _is_address(change: Change) -> bool:
    return change.api_version == API_VERSION


def _block(globs: tuple[str, ...], address: str | None) -> bool:
    """Does a rule name the block that an instance is made from? The keys of instances may hold anything, `/` too."""
    return bool(address) and _any(globs, without_keys(address or ""))


# One pull request is decided on many times, and its changes resemble each other.
@lru_cache(maxsize=1 << 16)
def _any(globs: tuple[str, ...], value: str | None) -> bool:
    return value is not None and any(matches(g, value) for g in globs)


def _fields(globs: tuple[str, ...], change: Change) -> bool:
    if change.action == "delete" or (change.action == "create" and not change.fields):
        return True
    return _cover(globs, change.fields)


@lru_cache(maxsize=1 << 14)
def _cover(globs: tuple[str, ...], fields: tuple[str, ...]) -> bool:
    return any(_covers(_levels(g), _levels(f)) for g in globs for f in fields)


def _under(globs: tuple[str, ...], field: str) -> bool:
    """Does one of the patterns name the field itself? One above it holds more than the rule names."""
    return any(_covers(_levels(g), _levels(field), above=False) for g in globs)


def _levels(path: str) -> tuple[str, ...]:
    """The levels of a dotted path; `[0]` is a level, and a quoted key is one, dots and all."""
    kept = _QUOTED.sub(lambda m: "." + m.group(1).replace(".", "\x00"), path)
    return tuple(part.replace("\x00", ".") for part in _INDEX.sub(r".\1", kept).split(".") if part)


def _covers(pattern: tuple[str, ...], field: tuple[str, ...], *, above: bool = True) -> bool:
    """Does the field lie under the pattern? With `above`, one above it counts too: it changed with all below."""
    if not field:
        return above or set(pattern) <= {"**"}
    if not pattern:
        return False
    if pattern[0] == "**":
        rest = pattern[1:]
        return not rest or any(_covers(rest, field[n:], above=above) for n in range(len(field) + 1))
    return matches(pattern[0], field[0], separator="\x00") and _covers(pattern[1:], field[1:], above=above)
