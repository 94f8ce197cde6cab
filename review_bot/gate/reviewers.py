"""Whom to ask for a review: no more people than are missing, the least busy first; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from review_bot.gate.judging import RuleResult, State


def missing(rules: Sequence[RuleResult], at_it: Collection[str]) -> list[tuple[int, frozenset[str]]]:
    """For each rule that waits for people: how many nobody was asked for yet, and who could be asked (lower case).

    `at_it` are people and `org/team`s that are asked already, or have reviewed this head without approving it.
    """
    found = []
    for rule in rules:
        if rule.state is State.PENDING:
            able = {name.lower() for name in rule.can_approve}
            need = rule.missing - len(able & set(at_it))
            people = frozenset(name for name in able if "/" not in name)
            if need > 0 and people:
                found.append((need, people))
    return found


def choose(
    needs: Sequence[tuple[int, frozenset[str]]],
    refused: Collection[str],
    knowing: Collection[str],
    load: Mapping[str, int],
) -> tuple[str, ...]:
    """Who is asked. `refused` are left out; `knowing` have seen an earlier state of it; `load`: their open requests."""
    chosen: list[str] = []
    for need, people in needs:
        left = need - len(people & set(chosen))
        able = [p for p in people if p not in refused and p not in chosen]
        # Whoever can answer for several rules spares somebody else.
        able.sort(key=lambda p: (-sum(p in others for _, others in needs), p not in knowing, load.get(p, 0), p))
        chosen += able[: max(0, left)]
    return tuple(chosen)
