"""The words on a rollout, and when an aim is reached."""

from __future__ import annotations

from dataclasses import replace

import pytest

from review_bot.cluster.delivery import Delivery, Phase
from review_bot.server import rollout
from review_bot.server.rollout import Aim, Rollout, Seen, duration

MERGED = rollout.seconds("2026-11-20T10:00:00Z")
AIM = Aim("prod", "production", "apps/web")
ONE = Rollout("org/config", 7, 5, "1f2e3d4c" + "0" * 32, "main", True, MERGED, (AIM,))


def delivered(phase: Phase, says: str = "x", since: str = "", name: str = "web") -> Delivery:
    return Delivery("Application", "argocd", name, phase, says, since)


def text(*deliveries: Delivery, late: bool = False, **more: object) -> str:
    return rollout.text(ONE, {AIM: replace(Seen(deliveries), **more)}, 1800, late=late)


def test_what_is_kept_is_what_comes_back() -> None:
    kept = replace(ONE, aims=(replace(AIM, done=134.0), AIM), said="words")
    assert Rollout.load(kept.dump()) == kept
    assert not kept.over and replace(kept, aims=kept.aims[:1]).over


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0s"), (59.4, "59s"), (59.6, "1m00s"), (134, "2m14s"), (3600, "1h00m"), (3729, "1h02m")]
)
def test_a_duration(value: float, shown: str) -> None:
    assert duration(value) == shown


@pytest.mark.parametrize(
    ("since", "done"), [("2026-11-20T10:02:14Z", 134), ("", 300), ("2026-11-20T09:00:00Z", 300), ("nonsense", 300)]
)
def test_the_time_is_the_tool_s_where_it_tells_one_after_the_merge(since: str, done: float) -> None:
    seen = Seen((delivered(Phase.HEALTHY, since=since),))
    assert rollout.moved(AIM, seen, MERGED, MERGED + 300).done == done


def test_all_that_deploy_a_folder_must_be_there() -> None:
    seen = Seen((delivered(Phase.HEALTHY), delivered(Phase.ROLLING, name="web-2")))
    assert rollout.moved(AIM, seen, MERGED, MERGED + 300) == AIM
    assert "argocd/web-2" in text(*seen.deliveries)


def test_nothing_is_said_before_somebody_is_found_who_deploys_it() -> None:
    assert text() == ""
    assert "The bot stops looking after 30m00s." in text(late=True)


def test_what_a_tool_says_mentions_nobody_and_is_short() -> None:
    said = text(delivered(Phase.FAILED, "failed: @org/all <!-- x -->\n# no" + "x" * 1000), events=("Bad: `a`",))
    assert "@org" not in said and "<!--" not in said and "\n#" not in said
    assert len(said) < 600
    assert said.endswith("  - event Bad: \\`a\\`")


def test_many_aims_are_counted() -> None:
    aims = tuple(Aim("prod", "production", f"apps/{n}", done=1.0) for n in range(200))
    said = rollout.text(replace(ONE, aims=aims), {}, 1800, late=False)
    assert said.endswith("- 170 more")
