"""The observer that holds the stand-in, and whoever calls it, against GitHub's models: it must notice."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from github_models import Models
from hubs import REPO, Scene, play

from review_bot.demo.github.server import Exchange
from review_bot.demo.github.webhooks import Delivery

CHECKS = "/repos/{owner}/{repo}/check-runs"


def _seen(route: str, request: Any, status: int, answer: Any, method: str = "POST") -> list[str]:
    models = Models()
    models.exchange(Exchange(method, route, route, {}, request, status, answer))
    return models.mismatches


def test_a_request_that_github_would_not_take_is_noticed() -> None:
    (mismatch, *_) = _seen(CHECKS, {"name": "x", "head_sha": 7}, 201, None)
    assert mismatch.startswith(f"request POST {CHECKS}") and "head_sha" in mismatch


def test_an_answer_that_github_would_not_give_is_noticed() -> None:
    (mismatch,) = _seen("/repos/{owner}/{repo}/pulls/{pull_number}", None, 200, {"number": 1}, "GET")
    assert "answer GET" in mismatch and "Field required" in mismatch


def test_a_question_that_github_does_not_know_is_noticed() -> None:
    models = Models()
    models.exchange(Exchange("GET", "/repos/{owner}/{repo}/pulls", "", {"state": "all", "heads": "x"}, None, 200, []))
    assert models.mismatches == ["request GET /repos/{owner}/{repo}/pulls: GitHub knows no heads"]


def test_an_error_without_githubs_shape_is_noticed() -> None:
    assert _seen("/app", None, 401, {"error": "no"}, "GET")
    body = {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest", "status": "401"}
    assert _seen("/app", None, 401, body, "GET") == []


def test_a_route_that_github_does_not_have_is_noticed() -> None:
    with pytest.raises(AssertionError, match="GitHub describes no GET /nowhere"):
        _seen("/nowhere", None, 200, {}, "GET")


def test_a_webhook_with_a_part_missing_is_noticed() -> None:
    delivery = Delivery(1, "g", "push", None, b'{"ref": "x"}', 1, 1, False, datetime.now(UTC))
    models = Models()
    models.deliveries([delivery])
    assert models.mismatches and models.mismatches[0].startswith("webhook push: ")


def test_a_mistake_of_a_caller_fails_the_test_that_it_happened_in(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.pull({"x.yaml": "x\n"})
        async with scene.bot() as bot:
            await bot.post(f"{REPO}/issues/1/labels", {"labels": [1]})

    with pytest.raises(AssertionError, match=r"request POST .*/labels: "):
        play(tmp_path, act)
