"""Which lines a diff shows: read from real git's output."""

from __future__ import annotations

import subprocess
from pathlib import Path

from review_bot.github.diff_lines import DiffLines
from review_bot.github.workspace import Repository


def shown(root: Path, base: dict[str, str], head: dict[str, str | None]) -> DiffLines:
    def git(*words: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        return subprocess.run(
            ["git", "-C", str(root), *identity, *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    root.mkdir(exist_ok=True)
    git("init", "-q", "-b", "main")
    shas = []
    for files in (base, head):
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if text is None else path.write_text(text)
        git("add", "-A")
        git("commit", "-qm", "x", "--allow-empty")
        shas.append(git("rev-parse", "HEAD"))
    return Repository(root).shown(*shas)


LINES = [f"line {n}" for n in range(1, 41)]


def test_a_line_is_shown_with_three_lines_around_it(tmp_path: Path) -> None:
    changed = "\n".join([*LINES[:19], "new", *LINES[20:]])
    diff = shown(tmp_path, {"a.yaml": "\n".join(LINES)}, {"a.yaml": changed})
    assert [diff.shown("a.yaml", n) for n in (16, 17, 20, 23, 24)] == [False, True, True, True, False]
    assert diff.nearest("a.yaml", 18) == 18
    assert diff.nearest("a.yaml", 2) == 20
    assert diff.nearest("a.yaml", None) == 20
    assert diff.nearest("b.yaml", 1) is None


def test_rows_that_look_like_headers_are_not_taken_for_them(tmp_path: Path) -> None:
    head = "--- a/x\n+++ b/evil.yaml\n@@ -1 +1 @@\ndiff --git a/y b/y\n"
    diff = shown(tmp_path, {"a.yaml": "-- a/x\n"}, {"a.yaml": head})
    assert list(diff.paths()) == ["a.yaml"]
    assert diff.shown("a.yaml", 4)


def test_names_with_spaces_quotes_and_other_letters_are_found(tmp_path: Path) -> None:
    names = ["with space.yaml", 'quo"te.yaml', "naïve.yaml", "tab\there.yaml"]
    diff = shown(tmp_path, {"x": "x"}, {name: "a: 1\n" for name in names})
    assert sorted(diff.paths()) == sorted(names)


def test_a_removed_file_and_a_pure_rename_show_nothing_to_point_at(tmp_path: Path) -> None:
    text = "\n".join(LINES)
    diff = shown(tmp_path, {"a.yaml": text, "b.yaml": "x: 1\n"}, {"a.yaml": None, "c.yaml": text, "b.yaml": None})
    assert list(diff.paths()) == []


def test_a_removal_points_at_what_stands_there_now(tmp_path: Path) -> None:
    diff = shown(tmp_path, {"a.yaml": "\n".join(LINES)}, {"a.yaml": "\n".join(LINES[:10] + LINES[12:])})
    assert diff.nearest("a.yaml", None) == 11
