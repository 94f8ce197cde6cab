"""`review-bot policy` on real OPA."""

from pathlib import Path

import pytest

from review_bot.cli.main import main

GOOD = """package main
# METADATA
# title: No latest
# custom:
#   severity: error
deny_latest contains "x" if input.a == 1
"""
TEST = 'package main_test\nimport data.main\ntest_a if count(main.deny_latest) == 1 with input as {"a": %d}\n'


def test_a_failing_policy_test_is_named_and_blocks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.rego").write_text(GOOD)
    (tmp_path / "a_test.rego").write_text(TEST % 2)
    assert main(["policy", "test", str(tmp_path)]) == 1
    assert "test_a" in capsys.readouterr().out
    (tmp_path / "a_test.rego").write_text(TEST % 1)
    assert main(["policy", "test", str(tmp_path)]) == 0


def test_lint_names_the_line_of_a_policy_that_does_not_parse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.rego").write_text(GOOD)
    assert main(["policy", "lint", str(tmp_path)]) == 0
    (tmp_path / "b.rego").write_text("package main\ndeny contains {\n")
    assert main(["policy", "lint", str(tmp_path)]) == 1
    assert "b.rego:" in capsys.readouterr().out


def test_a_folder_without_policies_is_wrong_usage(tmp_path: Path) -> None:
    assert main(["policy", "docs", str(tmp_path)]) == 2
