"""The starter library: tested, covered, documented."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def policy(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "review_bot.cli.main", "policy", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_every_rule_is_tested_and_covered() -> None:
    done = policy("test", "policies", "-o", "json")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["coverage"] >= 95


def test_every_rule_has_its_metadata() -> None:
    done = policy("lint", "policies")
    assert done.returncode == 0, done.stdout


def test_there_are_rules_enough_to_start_with() -> None:
    text = "".join(p.read_text() for p in (ROOT / "policies").glob("*.rego") if not p.name.endswith("_test.rego"))
    assert text.count("#   id: ") >= 25


def test_the_catalogue_is_what_the_policies_say() -> None:
    assert policy("docs", "policies").stdout == (ROOT / "docs" / "policies.md").read_text()
