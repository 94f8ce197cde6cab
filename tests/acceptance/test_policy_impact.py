"""Policies of a pull request decide nothing there, and what they would do is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import repositories
from repositories import POLICY
from test_check import BASE, reviewed

WARN_OWNER = """
deny_owner contains "no owner label" if not input.metadata.labels.owner
"""


def previews(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    return [f for f in verdict["findings"] if f["rule"] == "policy-preview"]


def test_a_new_rule_shows_everything_that_it_would_hit(tmp_path: Path) -> None:
    verdict = reviewed(tmp_path, {"policies/main.rego": POLICY + WARN_OWNER})
    (said,) = previews(verdict)
    assert verdict["conclusion"] == "success"
    assert (said["severity"], said["path"]) == ("notice", "policies/main.rego")
    assert "would find owner in Deployment prod-web (kustomize:overlays/prod)" in said["message"]
    assert "staging" in said["message"]


def test_a_rule_that_goes_shows_what_it_would_let_pass(tmp_path: Path) -> None:
    base = {**BASE, "base/deploy.yaml": BASE["base/deploy.yaml"].replace("1.4.2", "latest")}
    verdict = reviewed(tmp_path, {"policies/main.rego": POLICY.replace(":latest", ":oldest")}, base)
    (said,) = previews(verdict)
    assert "would no longer find no-latest-tag" in said["message"]


def test_a_rewording_has_nothing_to_show(tmp_path: Path) -> None:
    verdict = reviewed(tmp_path, {"policies/main.rego": f"# reworded\n{POLICY}"})
    assert (verdict["conclusion"], verdict["findings"]) == ("neutral", [])


@pytest.mark.parametrize(
    "broken",
    [
        "package main\ndeny contains",
        'package main\n\ndeny_net contains m if m := http.send({"method": "get", "url": "http://127.0.0.1"}).body',
        "package main\n\ndeny_env contains m if m := opa.runtime().env.HOME",
    ],
)
def test_a_policy_that_does_not_work_blocks_its_own_pull_request(tmp_path: Path, broken: str) -> None:
    verdict = reviewed(tmp_path, {"policies/new.rego": broken})
    assert verdict["conclusion"] == "failure"
    assert {f["severity"] for f in previews(verdict)} == {"error"}
    assert "policies/new.rego" in {f["path"] for f in previews(verdict)}


def test_a_pull_request_that_leaves_policies_alone_has_no_preview(tmp_path: Path) -> None:
    assert previews(reviewed(tmp_path, {"README.md": "hello again\n"})) == []


def test_impact_lists_what_only_one_side_finds(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, BASE, {"policies/main.rego": POLICY + WARN_OWNER})
    done = repositories.run("policy", "impact", str(root), "--base", "main", "--head", "change", "-o", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["objects"], found["gone"], found["broken"]) == (2, [], [])
    assert {(f["rule"], f["resource"]["name"]) for f in found["introduced"]} == {
        ("owner", "prod-web"),
        ("owner", "staging-web"),
    }
    text = repositories.run("policy", "impact", str(root), "--base", "main", "--head", "change")
    assert "2 objects judged: 2 found anew, 0 no longer found" in text.stdout
