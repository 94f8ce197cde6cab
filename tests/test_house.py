"""The house rules that a machine can check."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ("check", "targets", "render", "gate", "owners", "policy", "drift", "audit", "demo", "doctor")


def test_imports_go_one_way() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([str(lint), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    done = _run(command, "--help")
    assert done.returncode == 0
    assert f"usage: review-bot {command}" in done.stdout


def test_an_unknown_command_names_the_known_ones() -> None:
    done = _run("chekc")
    assert done.returncode == 2
    assert "check" in done.stderr and "Traceback" not in done.stderr


def test_no_command_at_all_is_wrong_usage() -> None:
    assert _run().returncode == 2


def test_files_stay_small_enough_to_read_at_once() -> None:
    sizes = {p: len(p.read_text().splitlines()) for p in (ROOT / "review_bot").rglob("*.py")}
    assert {str(p.relative_to(ROOT)): n for p, n in sizes.items() if n > 330} == {}


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "review_bot.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
