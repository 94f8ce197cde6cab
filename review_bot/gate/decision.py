"""The decision: pure, from facts alone, with the reasons that a person needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from review_bot.core.errors import InputError
from review_bot.gate import ownership as ownerships
from review_bot.gate import settings as configured
from review_bot.gate.facts import Facts
from review_bot.gate.judging import Judge, RuleResult, State
from review_bot.gate.matching import Match, demanded, match
from review_bot.gate.ownership import Ownership
from review_bot.gate.people import Spoken, Voices, contributors, listen, why_not
from review_bot.gate.rules import Require, Rule
from review_bot.gate.settings import Settings

FINE = ("success", "neutral", "not-configured", "skipped")
CLOCK_SKEW = timedelta(minutes=5)


_WORST = (State.APPROVED, State.SKIPPED, State.PENDING, State.BLOCKED, State.ERROR)


@dataclass(frozen=True)
class Decision:
    state: State
    summary: str
    rules: tuple[RuleResult, ...]
    holds: tuple[str, ...]
    commands: tuple[Spoken, ...]
    # Approved although people are missing or something stands against it: somebody broke the glass.
    overridden: bool = False

    def to_json(self) -> dict[str, Any]:
        """The contract's object."""
        return {
            "state": str(self.state),
            "summary": self.summary,
            "rules": [{**asdict(rule), "state": str(rule.state)} for rule in self.rules],
            "holds": list(self.holds),
            "commands": [
                {"user": s.user, "command": s.command, "accepted": s.accepted, "why": s.why} for s in self.commands
            ],
        }


def decide(facts: Facts) -> Decision:
    """Who must still agree, and why; the worst state wins: error, blocked, pending, approved."""
    wrote = contributors(facts)
    voices = listen(facts, wrote)
    try:
        settings = configured.read(facts.tree)
        owned = ownerships.read(facts.tree, settings.formats)
    except InputError as error:
        return _decision(State.ERROR, str(error), (), voices)
    bench = _Bench(facts, settings, owned, wrote, voices)
    rules = bench.rules()
    distrust = [*_distrust(facts), *(r.because[0] for r in rules if r.state is State.ERROR)]
    if distrust:
        return _decision(State.ERROR, distrust[0], rules, voices)
    voices = bench.judged_overrides()
    blocked = bench.blocked()
    broken = next((o for o in voices.overrides if o.sha == facts.head_sha), None)
    if broken is not None and not facts.draft:
        said = f"@{broken.user} broke the glass: {broken.reason}"
        return replace(_decision(State.APPROVED, said, rules, voices), overridden=True)
    if blocked:
        return _decision(State.BLOCKED, blocked[0], rules, voices)
    waiting = [r for r in rules if r.state is State.PENDING]
    if waiting:
        return _decision(State.PENDING, _waiting(waiting), rules, voices)
    return _decision(State.APPROVED, _agreed(rules), rules, voices)


def _decision(state: State, summary: str, rules: Sequence[RuleResult], voices: Voices) -> Decision:
    return Decision(state, summary, tuple(rules), tuple(voices.holds.values()), tuple(voices.commands))


def _distrust(facts: Facts) -> Iterable[str]:
    for what, cut in facts.truncated.items():
        if cut:
            yield f"GitHub cut the list of {what}: split this pull request into smaller ones"
    if not facts.commits:
        yield "the pull request's commits are not known"
    latest = facts.now + CLOCK_SKEW
    if any(at > latest for at in (*(r.at for r in facts.reviews), *(c.at for c in facts.comments))):
        yield "a review or comment is dated in the future"


class _Bench:
    """The rules of one decision, judged."""

    def __init__(
        self, facts: Facts, settings: Settings, owned: Ownership, wrote: dict[str, str], voices: Voices
    ) -> None:
        self._facts, self._settings, self._owned, self._wrote, self._voices = facts, settings, owned, wrote, voices
        self._judge = Judge(facts, owned, wrote, voices)

    def rules(self) -> tuple[RuleResult, ...]:
        """Every configured rule and what policies ask for; or the one that stands where none applies."""
        results = []
        for rule in self._settings.rules:
            found = match(rule, self._facts)
            results.append(self._judge.judge(rule, found) if found else RuleResult(rule.name, State.SKIPPED))
        for rule, found in demanded(self._facts):
            results.append(self._judge.judge(rule, found))
        if all(r.state is State.SKIPPED for r in results):
            named = self._owned.any_named
            everything = Match(self._facts.files, self._facts.changes, ("no rule applies",))
            rule = Rule("owners" if named else "anyone", None, Require(owners=named))
            results.append(self._judge.judge(rule, everything))
        return tuple(results)

    def judged_overrides(self) -> Voices:
        """Take out overrides of people who are not listed for it, and answer them."""
        team = [m for t in self._settings.override_teams for m in self._facts.teams.get(t, frozenset())]
        listed = {*self._settings.override_users, *team}
        spoken = self._voices.commands
        for override in self._voices.overrides:
            why = "is not listed under approvals.override" if override.user.lower() not in listed else ""
            if not why and override.sha != self._facts.head_sha:
                why = "overrode another head: it holds for that one only"
            if why:
                why = f"@{override.user} {why}"
                spoken[override.place] = replace(spoken[override.place], accepted=False, why=why)
        self._voices.overrides = [o for o in self._voices.overrides if o.user.lower() in listed]
        return self._voices

    def blocked(self) -> list[str]:
        """What must go first, in the order in which a person would want to hear it."""
        facts = self._facts
        reasons = ["this is a draft: mark it as ready for review"] if facts.draft else []
        failing = [name for name, state in facts.checks.items() if state not in FINE]
        reasons += [f"the {name} check {_verb(facts.checks[name])}" for name in failing]
        objecting = [
            u for u in self._voices.objections if u in self._judge.asked and not why_not(u, facts, self._wrote)
        ]
        reasons += [f"@{self._voices.objections[u]} requested changes" for u in objecting]
        reasons += [f"on hold by {hold}: /unhold lets it go" for hold in self._voices.holds.values()]
        reasons += [f"frozen until {f.until} ({f.name})" for f in self._settings.freezes if self._frozen(f)]
        if self._judge.anonymous:
            shas = ", ".join(sha[:7] for sha in self._judge.anonymous)
            reasons.append(f"nobody can approve while the author of {shas} is not known: link the e-mail to an account")
        return reasons

    def _frozen(self, freeze: configured.Freeze) -> bool:
        if not freeze.start <= self._facts.now < freeze.end:
            return False
        return not freeze.environments or any(c.environment in freeze.environments for c in self._facts.changes)


def _verb(state: str) -> str:
    return "failed" if state == "failure" else f"is {state}"


def _waiting(rules: Sequence[RuleResult]) -> str:
    parts = []
    for rule in rules:
        who = ", ".join(f"@{name}" for name in rule.can_approve[:4]) or "nobody that can approve; ask an administrator"
        got = rule.required - rule.missing
        parts.append(f"{rule.name} ({got} of {rule.required}): {who}, because {rule.because[0]}")
    return f"Waiting for {'; '.join(parts)}."


def _agreed(rules: Sequence[RuleResult]) -> str:
    people = dict.fromkeys(f"@{a['user']}" for r in rules for a in r.approved_by)
    return f"Approved by {', '.join(people)}, on exactly this effect." if people else "No approval is needed."
