"""What changed since somebody approved."""

from __future__ import annotations

from test_decision import facts, review

from review_bot.gate.facts import parse
from review_bot.gate.stale import Shown, Step, stale, steps

OLD = Shown("Deployment web", "update", "m1", "- 1\n+ 2")
NEW = Shown("Deployment web", "update", "m2", "- 1\n+ 3")
OTHER = Shown("Service web", "create", "m3", "+ x")


def test_only_an_approval_of_another_effect_is_stale() -> None:
    def of(*reviews: dict[str, object]) -> list[str]:
        return [a.user for a in stale(parse(facts(reviews=list(reviews))))]

    assert of(review("carol", sha="h1")) == ["carol"]
    assert of(review("carol", sha="h2")) == []
    assert of(review("carol", sha="h1", effect="sha256:two")) == []
    assert of(review("carol", sha="unknown")) == []
    assert of(review("carol", sha="h1"), review("carol", "DISMISSED", sha="h1")) == []


def test_what_is_new_gone_or_otherwise_is_a_step_and_the_rest_is_not() -> None:
    assert steps([OLD, OTHER], [NEW, OTHER]) == (Step("Deployment web", OLD, NEW),)
    assert steps([OLD], [OLD, OTHER]) == (Step("Service web", None, OTHER),)
    assert steps([OLD, OTHER], [OLD]) == (Step("Service web", OTHER, None),)
    assert steps([OLD], [OLD]) == ()
