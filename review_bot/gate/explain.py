"""A decision in words, as markdown for GitHub: who is missing, why, and who can't."""

from __future__ import annotations

import re
from collections.abc import Sequence

from review_bot.core.sanitise import code, markdown
from review_bot.gate.decision import Decision
from review_bot.gate.judging import RuleResult, State

# Only what GitHub itself could have called an account or a team is written as a mention.
_ACCOUNT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:\[bot\])?(?:/[A-Za-z0-9_.-]{1,100})?\Z")
MARKS = {State.APPROVED: "✓", State.SKIPPED: "-", State.PENDING: "✗", State.BLOCKED: "✗", State.ERROR: "✗"}
MOST_NAMES, MOST_REASONS = 5, 5


def title(decision: Decision) -> str:
    """One plain line, for a check run's title."""
    waiting = [r for r in decision.rules if r.state is State.PENDING]
    if decision.state is State.PENDING and waiting:
        first = waiting[0]
        who = _plain_names(first.can_approve) or "nobody who can approve"
        more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        return f"Waiting for {who} ({first.required - first.missing} of {first.required}, {first.name}){more}"
    words = {State.APPROVED: "Approved", State.BLOCKED: "Blocked", State.ERROR: "Can't decide"}
    return f"{words.get(decision.state, 'Waiting')}: {decision.summary}"


def line(decision: Decision) -> str:
    """One line of markdown for the comment."""
    if decision.state is not State.PENDING:
        said = f"{markdown(decision.summary.rstrip('.'))}."
        if decision.overridden:
            return f"🚨 {said}"
        return f"✅ {said}" if decision.state is State.APPROVED else f"⛔ {said}{_given(decision.rules)}"
    parts = [_waiting(rule) for rule in decision.rules if rule.state is State.PENDING]
    return f"waiting for {'; '.join(parts)}.{_given(decision.rules)}"


def summary(decision: Decision) -> str:
    """The whole explanation, for a check run's summary."""
    first = line(decision)
    lines = [first[0].upper() + first[1:], ""]
    for rule in decision.rules:
        if rule.state is not State.SKIPPED:
            lines += _rule(rule)
    lines += [f"- ⏸ on hold by {markdown(hold)}" for hold in decision.holds]
    lines += [
        f"- {code(spoken.command)} of {name(spoken.user)} was refused: {markdown(spoken.why)}"
        for spoken in decision.commands
        if not spoken.accepted
    ]
    skipped = [rule.name for rule in decision.rules if rule.state is State.SKIPPED]
    if skipped:
        lines += ["", f"Rules that do not apply here: {', '.join(markdown(s) for s in skipped)}."]
    return "\n".join(lines)


def name(login: str) -> str:
    """A mention if it can be an account, else the text made harmless."""
    return f"@{login}" if _ACCOUNT.match(login) else markdown(login)


def _rule(rule: RuleResult) -> list[str]:
    got = rule.required - rule.missing
    by = f": {_names([str(a['user']) for a in rule.approved_by])}" if rule.approved_by else ""
    lines = [f"- {MARKS[rule.state]} **{markdown(rule.name)}** {got} of {rule.required}{by}"]
    lines += [f"  - because {markdown(reason)}" for reason in rule.because[:MOST_REASONS]]
    if rule.missing:
        lines.append(f"  - can approve: {_names(rule.can_approve) or 'nobody; ask an administrator'}")
        lines += [f"  - {name(d['user'])} can't: {markdown(d['why'])}" for d in rule.disqualified[:MOST_REASONS]]
    return lines


def _waiting(rule: RuleResult) -> str:
    who = _names(rule.can_approve) or "nobody who can approve; ask an administrator"
    reason = f": {markdown(rule.because[0])}" if rule.because else ""
    return f"{rule.missing} of {rule.required} for **{markdown(rule.name)}**, {who}{reason}"


def _given(rules: Sequence[RuleResult]) -> str:
    people = dict.fromkeys(str(a["user"]) for r in rules for a in r.approved_by)
    return f" {_names(list(people))} approved this effect." if people else ""


def _names(logins: Sequence[str]) -> str:
    more = f" and {len(logins) - MOST_NAMES} more" if len(logins) > MOST_NAMES else ""
    return ", ".join(name(login) for login in logins[:MOST_NAMES]) + more


def _plain_names(logins: Sequence[str]) -> str:
    more = f" and {len(logins) - 3} more" if len(logins) > 3 else ""
    return ", ".join(f"@{login}" for login in logins[:3]) + more
