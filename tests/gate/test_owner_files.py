"""Owner files, matched as their tools match them."""

from __future__ import annotations

import pytest

from review_bot.core.errors import InputError
from review_bot.gate import codeowners, owners


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*", "a/b/c.yaml", True),
        ("*.yaml", "a/b/c.yaml", True),
        ("/docs/", "docs/a/b.md", True),
        ("/docs/", "x/docs/a.md", False),
        ("docs/", "x/docs/a.md", True),
        ("docs/*", "docs/a.md", True),
        ("docs/*", "docs/a/b.md", False),
        ("apps/**", "apps/a/b/c", True),
        ("**/logs", "a/b/logs/x", True),
        ("/apps/foo", "apps/foobar", False),
        ("/apps/foo", "apps/foo/x.yaml", True),
        ("/Apps/", "apps/x", False),
        ("a\\ b.yaml", "a b.yaml", True),
    ],
)
def test_codeowners_match_as_github_does(pattern: str, path: str, matches: bool) -> None:
    file = codeowners.parse(f"{pattern} @carol\n", "CODEOWNERS")
    assert (file.owners_of(path) is not None) is matches


def test_the_last_match_wins_even_if_it_names_nobody() -> None:
    file = codeowners.parse("* @carol\n/docs/ # nobody\n", "CODEOWNERS")
    line = file.owners_of("docs/a.md")
    assert line is not None
    assert line.owners == ()


def test_only_the_first_file_counts() -> None:
    found = codeowners.find({"CODEOWNERS": "* @root\n", ".github/CODEOWNERS": "* @first\n"})
    assert found is not None
    assert found.path == ".github/CODEOWNERS"


@pytest.mark.parametrize("line", ["!x @carol", "[ab] @carol", "* carol", "* @a/b/c"])
def test_a_line_that_github_would_skip_is_an_error(line: str) -> None:
    with pytest.raises(InputError) as caught:
        codeowners.parse(f"* @carol\n{line}\n", "CODEOWNERS")
    assert caught.value.line == 2


def said(found: owners.Owners, path: str) -> tuple[tuple[str, ...], str | None]:
    names, file = found.approvers_of(path)
    return names, file.path if file else None


def test_owners_add_up_to_the_root_unless_cut() -> None:
    tree = {
        "OWNERS": "approvers: [root]\n",
        "a/OWNERS": "approvers: [team]\n",
        "a/b/OWNERS": "options: {no_parent_owners: true}\napprovers: [deep]\n",
        "a/OWNERS_ALIASES": "ignored",
        "OWNERS_ALIASES": "aliases:\n  Team: [erin, frank]\n",
    }
    found = owners.read(tree)
    assert said(found, "a/x.yaml") == (("erin", "frank", "root"), "a/OWNERS")
    assert said(found, "a/b/x.yaml") == (("deep",), "a/b/OWNERS")


def test_a_file_that_no_filter_matches_goes_to_the_parent() -> None:
    tree = {"OWNERS": "approvers: [root]\n", "a/OWNERS": 'filters:\n  "\\\\.sql$": {approvers: [dba]}\n'}
    found = owners.read(tree)
    assert found.approvers_of("a/x.sql")[0] == ("dba", "root")
    assert said(found, "a/x.yaml") == (("root",), "OWNERS")


def test_a_broken_file_blocks_its_folder_and_may_be_mended_by_the_parent() -> None:
    found = owners.read({"OWNERS": "approvers: [root]\n", "a/OWNERS": "approvers: {}\n"})
    with pytest.raises(InputError, match="list of logins"):
        found.approvers_of("a/x.yaml")
    assert said(found, "a/OWNERS") == (("root",), "OWNERS")
