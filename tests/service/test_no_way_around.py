"""No sequence of events gives a merge without a live approval of exactly the effect that is merged.

Events come from hypothesis, everything else is real: the bot, git, the stand-in. See `walks` for what is compared.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger import Ledger, Word
from town import REPOSITORY, Town, played
from walk_events import EVENTS, walked
from walks import TOWN, Walk

from review_bot.demo.github.state import Protection

APPROVING = [
    "carol approves",
    "dave approves",
    "erin approves",
    "carol writes /approve",
    "dave writes /approve",
    "erin writes /approve",
]
WITHDRAWING = [
    "carol requests changes",
    "erin requests changes",
    "dave writes /approve cancel",
    "carol is dismissed",
    "carol edits the comment",
    "dave edits the comment",
    "alice writes /hold",
    "carol writes /hold",
    "dave leaves the team",
    "erin leaves the team",
    "alice makes it a draft",
]
CHANGING = [
    "alice deploys 1.5.0",
    "alice deploys 1.5.0 with a comment",
    "alice deploys 1.6.0",
    "alice deploys latest",
    "carol deploys 1.6.0",
    "alice writes a note",
    "alice rebases",
    "dave rebases",
    "alice updates the branch",
    "main writes a note",
    "main deploys 1.5.0",
    "main asks for two owners",
    "main forbids 1.5.0",
    "lax is the base",
    "main is the base",
]
OTHERS = [
    "alice approves",
    "mallory approves",
    "alice writes /approve",
    "mallory writes /approve",
    "carol quotes /approve",
    "mallory writes /hold",
    "dave writes /unhold",
    "alice writes /merge",
    "alice writes /merge cancel",
    "dave joins the team",
    "alice makes it ready",
    "alice closes it",
    "alice opens it again",
    "alice merges by hand",
    "alice queues it",
    "alice takes it from the queue",
]
# Kinds first, so that people agree often enough for something to happen.
HAPPENINGS = st.one_of(*map(st.sampled_from, (APPROVING, WITHDRAWING, CHANGING, OTHERS, APPROVING)))


@settings(max_examples=4, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(HAPPENINGS, st.booleans()), min_size=8, max_size=12), st.booleans())
def test_nothing_is_merged_without_a_live_word_on_just_that(events: list[tuple[str, bool]], queue: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="walk-") as root:
        walked(Path(root), events, queue=queue)


@pytest.mark.parametrize(
    ("events", "merges"),
    [
        (["carol approves", "erin approves"], True),
        (["dave approves"], True),
        (
            [
                "alice writes /hold",
                "dave writes /approve",
                "main writes a note",
                "alice rebases",
                "dave writes /unhold",
            ],
            True,
        ),
        (["carol approves", "dave requests changes", "erin approves", "dave is dismissed"], True),
        (["carol approves", "dave leaves the team", "dave approves", "alice merges by hand"], False),
        (["main asks for two owners", "dave approves", "alice writes /merge"], False),
        (["carol quotes /approve", "mallory approves", "alice writes /approve", "erin approves"], False),
        (["carol approves", "alice deploys 1.6.0", "erin approves", "alice merges by hand"], False),
        (["carol deploys 1.6.0", "carol approves", "erin approves", "alice merges by hand"], False),
        (["lax is the base", "carol approves", "main is the base", "alice merges by hand"], False),
    ],
)
def test_a_walk_ends_as_it_should(events: list[str], merges: bool, tmp_path: Path) -> None:
    assert walked(tmp_path, [(event, True) for event in events]) is merges


@pytest.mark.parametrize(
    "events",
    [
        ["erin approves", "carol approves", "erin leaves the team", "alice merges by hand"],
        ["carol writes /approve", "erin approves", "carol edits the comment", "alice merges by hand"],
        ["carol approves", "erin approves", "main forbids 1.5.0", "alice merges by hand"],
        ["carol approves", "erin approves", "main asks for two owners", "alice merges by hand"],
        ["carol approves", "erin approves", "alice deploys 1.6.0", "alice merges by hand"],
    ],
)
def test_what_was_green_turns_back_before_it_is_merged(events: list[str], tmp_path: Path) -> None:
    # A draft holds it while people agree, so that only what comes after that decides.
    *agreed, last, end = events
    order = ["alice makes it a draft", *agreed, last, "alice makes it ready", end]
    assert walked(tmp_path, [(event, True) for event in order]) is False


@pytest.mark.parametrize(
    ("before", "why"),
    [([], "owners are missing"), (["carol approves", "erin approves", "alice deploys 1.6.0"], "missing")],
)
def test_the_walk_notices_a_merge_that_nobody_agreed_to(before: list[str], why: str, tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        walk = Walk(here, here.dave, EVENTS, queue=False)
        await walk.begin()
        await walk.happen("alice makes it a draft")
        for event in before:
            await walk.happen(event)
        await walk.happen("alice makes it ready")
        await walk.settle()
        # Somebody takes the protection away and merges: what the bot can't prevent, the ledger must see.
        here.github.protect(REPOSITORY, "main", Protection())
        assert await here.alice.merge(REPOSITORY, walk.number) == ""
        with pytest.raises(AssertionError, match=why):
            await walk.merged()

    played(tmp_path, story, TOWN)


def test_the_ledger_knows_what_stands_against_a_merge() -> None:
    nobody = frozenset({"alice"})
    good = Ledger().said(Word("dave", "yes", frozenset({"one"}), "review 1"))
    assert good.against("one", nobody) == ""
    assert "owners" in good.against("two", nobody)
    assert "owners" in good.against("one", nobody | {"dave"})
    assert "owners" in good.said(Word("dave", "back", source="comment 2")).against("one", nobody)
    assert "requested" in good.said(Word("carol", "no", source="review 3")).against("one", nobody)
    assert "who wrote" in good.against("one", nobody | {"somebody"})
