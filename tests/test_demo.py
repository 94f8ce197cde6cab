"""The demo tells the story that the README promises."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def test_each_pull_request_of_the_demo_ends_as_it_should() -> None:
    command = [sys.executable, "-m", "review_bot.cli.main", "demo", "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    story: dict[str, dict[str, Any]] = {row["branch"]: row for row in json.loads(done.stdout)}
    assert {name for name, row in story.items() if row["merged"]} == {"bump", "fork", "docs", "outage", "rebased"}
    assert all(row["refusal"] for row in story.values() if not row["merged"])
    verdicts = {name: row["verdict"] for name, row in story.items()}
    failing = {name for name, verdict in verdicts.items() if verdict == "failure"}
    assert failing == {"latest", "typo", "missing", "weaken"}
    assert verdicts["docs"] == "neutral"
    assert "no-latest-tag" in story["latest"]["problems"][0]
    assert "schema-type" in story["typo"]["problems"][0]
    # The rules that the pull request would relax are still the ones that judge it.
    assert "no-latest-tag" in story["weaken"]["problems"][0]
    assert "@erin" in story["binding"]["approvals_title"]
    # Approved, then changed behind the approver's back.
    assert story["moved"]["approvals"] == "action_required"
    assert story["own"]["approvals"] == "action_required"
    # A broken glass is told as one; the same effect on a moved base stays approved.
    assert "@erin broke the glass" in story["outage"]["approvals_title"]
    assert story["rebased"]["approvals_title"].endswith("by @carol, on exactly this effect.")
    # Approved and green by itself, and something else on top of what is queued before it.
    assert story["follow"]["approvals"] == story["follow"]["verdict"] == "success"
    assert "not the effect that was approved" in story["follow"]["refusal"]
