"""What a branch must be protected by so that nothing gets past the gate, and what of that is there. Pure.

GitHub adds up all rules of a branch: those of its branch protection and those of every active ruleset. A rule holds for
everyone only where nobody may go around the place that it stands in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    MISSING = "missing"
    # It may be there: what GitHub shows to this App does not prove it.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Rules:
    """The rules that stand in one place: the branch protection or a ruleset.

    `checks` are the required ones, each with the ids of the Apps that must have made it, None for anybody. `bypass`
    names who may go around these rules, None if GitHub does not tell. `reviews` is None where no pull request is
    required.
    """

    name: str
    checks: Mapping[str, tuple[int | None, ...]] = field(default_factory=dict)
    bypass: tuple[str, ...] | None = ()
    no_force_pushes: bool = False
    no_deletion: bool = False
    reviews: int | None = None
    strict: bool = False
    dismisses_stale: bool = False
    last_push: bool = False
    queue: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that the gate needs: whether it is there, in words, and what to do where it is not."""

    name: str
    state: State
    text: str
    help: str = ""


@dataclass(frozen=True)
class App:
    """This App: `queues` says whether it is told of merge groups."""

    id: int
    name: str
    queues: bool = True


def needs(places: Sequence[Rules], checks: Iterable[str], app: App) -> tuple[Need, ...]:
    """What the gate needs of a branch with these rules; `checks` are the names of the App's check runs."""
    wanted: list[tuple[str, Callable[[Rules], bool]]] = [(f"check {name}", _requires(name, app)) for name in checks]
    wanted += [
        ("pull requests", lambda rules: rules.reviews is not None),
        ("no force pushes", lambda rules: rules.no_force_pushes),
        ("no deletion", lambda rules: rules.no_deletion),
    ]
    told = [_need(name, places, holds, app) for name, holds in wanted]
    told.append(_nobody_goes_around(places, wanted))
    if any(place.queue for place in places):
        told.append(_queue(app))
    return tuple(told)


def _requires(check: str, app: App) -> Callable[[Rules], bool]:
    return lambda rules: app.id in rules.checks.get(check, ())


_WORDS = {
    "pull requests": (
        "changes come in through pull requests only",
        "commits may be pushed past any pull request: checks belong to commits, and what passed elsewhere passes here",
        "require a pull request before merging (0 approvals of GitHub's own are enough)",
    ),
    "no force pushes": (
        "nobody may rewrite the branch",
        "force pushes may take back what was approved, or put something else in its place",
        "do not allow force pushes (in a ruleset: block force pushes)",
    ),
    "no deletion": (
        "nobody may delete the branch",
        "the branch may be deleted and pushed anew, past everything",
        "do not allow deletions (in a ruleset: restrict deletions)",
    ),
}


def _need(name: str, places: Sequence[Rules], holds: Callable[[Rules], bool], app: App) -> Need:
    there = [place.name for place in places if holds(place)]
    if name in _WORDS:
        good, bad, help = _WORDS[name]
        return Need(name, State.OK, f"{good} ({_and(there)})") if there else Need(name, State.MISSING, bad, help)
    check = name.removeprefix("check ")
    if there:
        return Need(name, State.OK, f"{check} is required, from this App ({_and(there)})")
    help = f"require the status check {check} with {app.name} as its source"
    sources = [source for place in places for source in place.checks.get(check, ())]
    if not sources:
        return Need(name, State.MISSING, f"{check} is not required: a merge does not wait for it", help)
    if None in sources:
        text = f"{check} is required, but from anybody: whoever may write statuses or checks can make it pass"
        return Need(name, State.MISSING, text, help)
    others = _and(sorted({str(source) for source in sources}))
    text = f"{check} is required from another App ({others}), not from this one ({app.id})"
    return Need(name, State.MISSING, text, f"{help}; remove the other source by hand")


def _nobody_goes_around(places: Sequence[Rules], wanted: Sequence[tuple[str, Callable[[Rules], bool]]]) -> Need:
    """Each rule must stand in one place at least that holds for everyone."""
    name, help = "no bypass", "let the rules hold for administrators too, and empty the bypass lists"
    around: dict[str, list[str]] = {}
    hidden: dict[str, None] = {}
    for what, holds in wanted:
        there = [place for place in places if holds(place)]
        if not there or any(place.bypass == () for place in there):
            continue
        unknown = [place for place in there if place.bypass is None]
        if unknown:
            hidden |= dict.fromkeys(place.name for place in unknown)
            continue
        for place in there:
            around.setdefault(f"{_and(place.bypass or ())} may go around the {place.name}", []).append(what)
    if around:
        text = "; ".join(f"{who}, which alone asks for: {', '.join(what)}" for who, what in around.items())
        return Need(name, State.MISSING, text, help)
    if hidden:
        text = f"who may go around the {_and(list(hidden))} is not shown to this App"
        return Need(name, State.UNKNOWN, text, "look at its bypass list, or give the App administration: write")
    if not any(holds(place) for _, holds in wanted for place in places):
        return Need(name, State.MISSING, "there is nothing to go around yet", help)
    return Need(name, State.OK, "the rules hold for everyone, administrators too")


def _queue(app: App) -> Need:
    if app.queues:
        return Need("merge queue", State.OK, "the branch has a merge queue, and this App is told of its groups")
    return Need(
        "merge queue",
        State.MISSING,
        "the branch has a merge queue, but this App is not told of its groups: their checks would never come",
        "give the App merge queues: read and the event merge_group",
    )


def notes(places: Sequence[Rules]) -> tuple[str, ...]:
    """Settings that the gate does not need, and what they mean beside it."""
    stale = [place.name for place in places if place.dismisses_stale]
    strict = [place.name for place in places if place.strict]
    reviews = max((place.reviews or 0 for place in places), default=0)
    said = [
        f"stale reviews: GitHub dismisses them at each push ({_and(stale)}), so that people approve again even where"
        " the effect is the same and the gate would keep their approval"
        if stale
        else "stale reviews: GitHub keeps them, and the gate ends an approval by itself when the effect changes",
        f"up to date: a branch must hold the newest base before it is merged ({_and(strict)})"
        if strict
        else "up to date: not required; the bot looks again when the base moves, but a merge in the second between is"
        " possible: where that matters, require it or use a merge queue",
    ]
    if not any(place.queue for place in places):
        said.append("merge queue: none in a ruleset; GitHub's API does not show one of a branch protection")
    if reviews:
        said.append(f"reviews: GitHub itself asks for {reviews} beside the gate")
    if any(place.last_push for place in places):
        said.append("last push: GitHub asks for an approval by somebody else than who pushed last, beside the gate")
    said.append("not shown by GitHub's API: custom roles that may go around branch protections")
    return tuple(said)


def _and(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1] if names else ""
