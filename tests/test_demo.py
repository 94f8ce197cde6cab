"""The demo tells the story that the README promises."""

from __future__ import annotations

import subprocess
import sys


def test_each_pull_request_of_the_demo_ends_as_it_should() -> None:
    command = [sys.executable, "-m", "review_bot.cli.main", "demo"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    stories = {s.split("branch ")[1].split(")")[0]: s for s in done.stdout.strip().split("\n\n")}
    merged = {name for name, story in stories.items() if "merge      may merge" in story}
    assert merged == {"bump", "fork", "docs"}
    assert "no-latest-tag" in stories["latest"]
    assert "schema-type" in stories["typo"]
    assert "security (0 of 1): @erin" in stories["binding"]
    assert "did you mean deployment.yaml?" in stories["missing"]
    assert "no-latest-tag" in stories["weaken"]
