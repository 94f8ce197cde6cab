"""Facts about APIs that end, as Kubernetes' own sources state them."""

from __future__ import annotations

import pytest

from review_bot.core.api_lifecycle import ending
from review_bot.core.model import ResourceId


def named(api_version: str, kind: str) -> ResourceId:
    return ResourceId(api_version, kind, None, "x")


@pytest.mark.parametrize(
    ("kubernetes", "told"),
    [("1.20", None), ("1.21", False), ("1.24", True), ("1.25", None)],
    ids=["not yet deprecated", "deprecated", "gone with the next", "gone: the schema says so"],
)
def test_an_api_is_told_from_its_deprecation_until_it_is_gone(kubernetes: str, told: bool | None) -> None:
    found = ending(named("batch/v1beta1", "CronJob"), kubernetes)
    assert (found.goes_next if found else None) is told
    if found:
        assert (found.removed, found.replacement) == ("1.25", "batch/v1 CronJob")


def test_what_is_to_stay_is_not_told() -> None:
    assert ending(named("apps/v1", "Deployment"), "1.35") is None
    assert ending(named("example.com/v1beta1", "Gadget"), "1.35") is None
