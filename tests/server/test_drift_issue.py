"""The words of a drift issue."""

from __future__ import annotations

from review_bot.core.clusters import LiveAction, LiveChange
from review_bot.core.managers import Owner
from review_bot.core.model import RendererName, ResourceId, Target
from review_bot.pipeline.drift import TargetDrift
from review_bot.server import drift_issue

TARGET = Target("plain:app", RendererName.PLAIN, "app", "app/a.yaml", cluster="prod")


def change(name: str, diff: str = "-a: 1\n+a: 2", kind: str = "ConfigMap") -> LiveChange:
    id = ResourceId("v1", kind, "shop", name)
    owners = (Owner("data.a", "kubectl-edit", "2026-11-20T10:00:00Z"),)
    return LiveChange("plain:app", "prod", LiveAction.UPDATE, id, ("data.a",), diff, owners=owners)


def body(*changes: LiveChange) -> str:
    return drift_issue.body(TargetDrift(TARGET, "prod", len(changes), changes), "main")


def test_the_order_of_the_cluster_s_answers_does_not_matter() -> None:
    assert body(change("a"), change("b")) == body(change("b"), change("a"))


def test_a_difference_that_does_not_fit_is_left_out_and_said() -> None:
    text = body(change("small"), change("large", diff="+x\n" * 40_000), change("tiny"))
    assert len(text.encode()) < 65_536
    assert "too long to be shown here" in text
    assert text.count("```diff") == 2
    assert "`data.a`: set by `kubectl-edit` since 2026-11-20T10:00:00Z" in text


def test_more_objects_than_fit_are_counted() -> None:
    text = body(*(change(f"c{n:05}") for n in range(10_000)))
    assert len(text.encode()) < 65_536
    shown = text.count("### ")
    assert f"{10_000 - shown} objects more" in text


def test_nothing_in_an_object_breaks_out_or_mentions_anybody() -> None:
    text = body(change("a`b @org/all <!-- review-bot:drift", diff="+```\n+</details>"))
    assert text.count("<!--") == 2  # the mark, and one that stands in code
    assert "``ConfigMap a`b @org/all <!-- review-bot:drift``" in text
    assert "````diff" in text


def test_the_difference_of_a_secret_is_not_shown() -> None:
    assert "```" not in body(change("keys", diff="+  a: (secret 12345678)", kind="Secret"))
