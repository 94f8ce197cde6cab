"""One rule judged: who of those that may agree has agreed, who is missing, who can't."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from review_bot.core.errors import InputError
from review_bot.gate import ownership as ownerships
from review_bot.gate.facts import ChangedFile, Facts
from review_bot.gate.matching import Match
from review_bot.gate.ownership import Owned, Ownership
from review_bot.gate.people import WRITE, Approval, Voices, standing, unattributed, why_not
from review_bot.gate.rules import Require, Rule


class State(StrEnum):
    APPROVED = "approved"
    SKIPPED = "skipped"
    PENDING = "pending"
    BLOCKED = "blocked"
    ERROR = "error"


@dataclass(frozen=True)
class RuleResult:
    """One rule's answer; the contract's words."""

    name: str
    state: State
    required: int = 0
    approved_by: tuple[dict[str, str | None], ...] = ()
    missing: int = 0
    can_approve: tuple[str, ...] = ()
    disqualified: tuple[dict[str, str], ...] = ()
    because: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pool:
    """Those of whom a number must agree: as they are written, and their logins (None: everyone who may write).

    `head_only`: what they agree to is covered by no digest, so that their word holds for its head. `minimum` is what
    their owner file asks for at least.
    """

    names: tuple[str, ...]
    people: frozenset[str] | None
    head_only: bool
    minimum: int = 1


@dataclass
class Answer:
    """What a requirement lacks, and who could give it."""

    required: int = 0
    missing: int = 0
    approved: dict[str, Approval] = field(default_factory=dict)
    can: dict[str, None] = field(default_factory=dict)
    disqualified: dict[str, str] = field(default_factory=dict)


class Judge:
    """Judges the rules of one decision. `asked` collects everyone whose word any of them wants."""

    def __init__(self, facts: Facts, owned: Ownership, wrote: dict[str, str], voices: Voices) -> None:
        self._facts, self._owned, self._wrote, self._voices = facts, owned, wrote, voices
        self.anonymous = unattributed(facts)
        # While nobody knows who wrote a commit, its author could be the one who approves.
        self._approvals = (
            [] if self.anonymous else [a for user, a in voices.approvals.items() if not why_not(user, facts, wrote)]
        )
        self.asked: set[str] = set()
        self._known: dict[str, tuple[Owned, ...]] = {}

    def judge(self, rule: Rule, found: Match) -> RuleResult:
        """The rule's answer about what it matches."""
        try:
            answer = self._answer(rule.require, found)
        except InputError as error:
            return RuleResult(rule.name, State.ERROR, rule.require.count, because=(str(error), *found.because))
        unknown = (f"commit {sha[:7]} has an author whom GitHub does not know" for sha in self.anonymous)
        return RuleResult(
            rule.name,
            State.PENDING if answer.missing else State.APPROVED,
            answer.required,
            tuple({"user": a.user, "sha": a.sha} for a in answer.approved.values()),
            answer.missing,
            tuple(answer.can),
            tuple({"user": u, "why": w} for u, w in sorted(answer.disqualified.items())),
            (*found.because, *unknown),
        )

    def _answer(self, require: Require, found: Match) -> Answer:
        if require.nobody:
            return Answer()
        if require.all:
            return _together([self._answer(one, found) for one in require.all])
        if require.any:
            answers = [self._answer(one, found) for one in require.any]
            met = next((a for a in answers if not a.missing), None)
            return met if met is not None else _either(answers)
        return self._counted(require, found, self._pools(require, found))

    def _pools(self, require: Require, found: Match) -> list[Pool]:
        """Groups of whom each must give the count."""
        teams = self._facts.teams
        fixed = (*(f"@{u}" for u in require.users), *(f"@{t}" for t in require.teams))
        head_only = any(not f.targets for f in found.files)
        if not require.owners:
            people = ownerships.logins(fixed, teams) if fixed else None
            return [Pool(fixed, people, head_only)]
        pools: dict[tuple[tuple[str, ...], bool, int], Pool] = {}
        for file in found.files:
            for path in file.paths:
                for owned in self._owners(path):
                    names, head = (*owned.owners, *fixed), not file.targets
                    key = names, head, owned.minimum
                    if key not in pools:
                        pools[key] = Pool(names, ownerships.logins(names, teams), head, owned.minimum)
        if any(self._unowned(f) for f in found.files) or not pools:
            # Files that nobody owns still need somebody's word: any writer's, on files of no target at this head.
            head = any(not f.targets for f in found.files if self._unowned(f))
            pools[fixed, head, 1] = Pool(fixed, ownerships.logins(fixed, teams) if fixed else None, head)
        return list(pools.values())

    def _unowned(self, file: ChangedFile) -> bool:
        return all(not self._owners(path) for path in file.paths)

    def _owners(self, path: str) -> tuple[Owned, ...]:
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._owned.of(path)
        return known

    def _counted(self, require: Require, found: Match, pools: Sequence[Pool]) -> Answer:
        # That nothing is left of a change is an effect, too.
        needs_effect = bool(found.changes) or not found.files or any(f.targets for f in found.files)
        answer = Answer(required=require.count)
        for pool in pools:
            people, wanted = pool.people, max(require.count, pool.minimum)
            self.asked |= people if people is not None else self._writers()
            eligible = [a for a in self._approvals if people is None or a.user.lower() in people]
            valid = standing(eligible, self._facts, effect=needs_effect, head=pool.head_only)
            users = {a.user.lower() for a in valid}
            answer.approved |= {a.user.lower(): a for a in valid}
            given = self._teams_met(require.teams, users) if require.distinct_teams else len(users)
            answer.required = max(answer.required, wanted)
            answer.missing = max(answer.missing, wanted - given)
            if given < wanted:
                answer.can |= dict.fromkeys(self._able(pool, users))
            answer.disqualified |= self._unable(people)
        return answer

    def _teams_met(self, teams: Sequence[str], users: Iterable[str]) -> int:
        """How many of the teams have a word of their own: each person speaks for one of them."""
        spoken: dict[str, str] = {}

        def speak(user: str, tried: set[str]) -> bool:
            for team in teams:
                if team not in tried and user in self._facts.teams.get(team, ()):
                    tried.add(team)
                    if team not in spoken or speak(spoken[team], tried):
                        spoken[team] = user
                        return True
            return False

        for user in sorted(users):
            speak(user, set())
        return len(spoken)

    def _writers(self) -> frozenset[str]:
        return frozenset(u for u, p in self._facts.permissions.items() if p in WRITE)

    def _able(self, pool: Pool, already: set[str]) -> list[str]:
        candidates = self._writers() if pool.people is None else pool.people
        able = sorted(u for u in candidates - already if not why_not(u, self._facts, self._wrote))
        teams = [n.removeprefix("@") for n in pool.names if "/" in n]
        useful = [t for t in teams if self._facts.teams.get(t.lower(), frozenset()) & set(able)]
        return [*able, *useful]

    def _unable(self, people: frozenset[str] | None) -> dict[str, str]:
        voiced = set(self._voices.approvals)
        concerned = people if people is not None else voiced
        reasons = {u: why_not(u, self._facts, self._wrote) for u in concerned | (voiced & set(self._wrote))}
        return {user: why for user, why in reasons.items() if why}


def _together(answers: Sequence[Answer]) -> Answer:
    """All of them are wanted. One person may be what several lack."""
    whole = Answer(max(a.required for a in answers), max(a.missing for a in answers))
    for answer in answers:
        whole.approved |= answer.approved
        whole.can |= answer.can if answer.missing else {}
        whole.disqualified |= answer.disqualified
    return whole


def _either(answers: Sequence[Answer]) -> Answer:
    """One of them is wanted, and none is met: that which lacks least is nearest."""
    nearest = min(answers, key=lambda a: a.missing)
    whole = Answer(nearest.required, nearest.missing, nearest.approved)
    for answer in answers:
        whole.can |= answer.can
        whole.disqualified |= answer.disqualified
    return whole
