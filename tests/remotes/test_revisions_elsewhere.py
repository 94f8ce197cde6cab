"""Which revisions of other git repositories are pinned, and what one means now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import repositories
from elsewhere import place, remotes
from git_server import Repositories, git_server

from review_bot.core.errors import InputError
from review_bot.core.model import Remote, RemoteKind


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Repositories]:
    with git_server(tmp_path / "served") as found:
        found.add("shared", ("v1", {"app/map.yaml": "one\n"}), ("v2", {"app/map.yaml": "two\n"}))
        yield found


def wanted(server: Repositories, revision: str) -> Remote:
    return Remote(RemoteKind.GIT, f"{server.url}/shared", "", revision)


@pytest.mark.parametrize("revision", ["v1", "refs/tags/v1"])
def test_a_tag_is_fetched_once_and_asked_about_each_time(
    elsewhere: Repositories, tmp_path: Path, revision: str
) -> None:
    tree = remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, revision))
    assert tree.read("app/map.yaml") == b"one\n"
    packs = list((tmp_path / "cache").rglob("*.pack"))
    own, asked = remotes(tmp_path, place(elsewhere.url)), len(elsewhere.asked)
    assert own.fetch(wanted(elsewhere, revision)).sha == tree.sha
    assert list((tmp_path / "cache").rglob("*.pack")) == packs
    once = len(elsewhere.asked)
    assert once > asked and own.fetch(wanted(elsewhere, revision)).sha == tree.sha
    assert len(elsewhere.asked) == once


def test_a_tag_that_was_moved_is_seen_where_it_is_now(elsewhere: Repositories, tmp_path: Path) -> None:
    during = remotes(tmp_path, place(elsewhere.url))
    before = during.fetch(wanted(elsewhere, "v1")).sha
    repositories.git(elsewhere.root / "shared", "tag", "-f", "v1", "v2^{commit}")
    assert during.fetch(wanted(elsewhere, "v1")).sha == before
    after = remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v1"))
    assert after.read("app/map.yaml") == b"two\n"
    repositories.git(elsewhere.root / "shared", "tag", "-d", "v1")
    with pytest.raises(InputError, match="has no commit or tag 'v1'"):
        remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v1"))


def test_a_server_that_does_not_answer_hides_nothing_that_is_there(elsewhere: Repositories, tmp_path: Path) -> None:
    known = remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v1"))
    elsewhere.status = 503
    assert remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v1")).sha == known.sha
    elsewhere.status = 403
    with pytest.raises(InputError, match="can't be fetched"):
        remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v1"))


def test_a_full_commit_is_fetched_once_and_then_needs_no_network(elsewhere: Repositories, tmp_path: Path) -> None:
    commit = repositories.git(elsewhere.root / "shared", "rev-parse", "v1^{commit}")
    for _ in range(2):
        tree = remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, commit))
        assert (tree.sha, sorted(tree.entries())) == (commit, ["app/map.yaml"])
        elsewhere.status = 503


def test_a_commit_that_the_server_does_not_give_by_itself_is_said(elsewhere: Repositories, tmp_path: Path) -> None:
    commit = repositories.git(elsewhere.root / "shared", "rev-parse", "v1^{commit}")
    # As servers did before git's second protocol.
    elsewhere.is_old = True
    with pytest.raises(InputError, match="has no name for the commit") as caught:
        remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, commit))
    assert "name a tag, or let the server give any commit" in caught.value.help


@pytest.mark.parametrize(
    ("revision", "words"),
    [
        *(("main", "main is a branch"), ("refs/heads/main", "is a branch"), ("HEAD", "default branch")),
        *(("", "default branch"), ("v9", "has no commit or tag 'v9'"), ("0" * 40, "has no commit or tag")),
        *(("v*", "range of versions"), ("1.x", "range of versions"), (">=1.0.0", "range of versions")),
        *(("v1.2.x", "range of versions"), ("1||2", "range of versions"), ("x", "range of versions")),
        *(("v1:refs/heads/x", "has no commit or tag"), ("../heads/main", "has no"), ("-v", "has no commit or tag")),
        *(("v1\0", "has no commit or tag"), ("v1\nHost: x", "has no commit or tag"), ("v1 x", "has no commit or tag")),
        *(("0123abc", "a part of a commit's name"), ("refs/pull/1/head", "has no commit or tag")),
    ],
)
def test_what_is_not_pinned_and_what_is_not_there_is_said(
    elsewhere: Repositories, tmp_path: Path, revision: str, words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, revision))
    assert "name a tag or a full commit" in caught.value.help or "40 letters" in caught.value.help
    assert not list((tmp_path / "cache").rglob("*.pack"))


@pytest.mark.parametrize("name", ["1.0", "v1.2.3-rc.1+x", "2024.03-LTS", "release/2026-01", "x1", "1.2.3.4"])
def test_what_only_looks_like_a_range_is_a_tag(elsewhere: Repositories, tmp_path: Path, name: str) -> None:
    repositories.git(elsewhere.root / "shared", "tag", name, "v1")
    assert remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, name)).entries()


def test_a_tag_that_is_also_a_branch_names_neither(elsewhere: Repositories, tmp_path: Path) -> None:
    """Argo CD deploys the branch: it takes the first name of the server's list."""
    repositories.git(elsewhere.root / "shared", "branch", "v1", "v2^{commit}")
    own = remotes(tmp_path, place(elsewhere.url))
    with pytest.raises(InputError, match="has a tag and a branch v1") as caught:
        own.fetch(wanted(elsewhere, "v1"))
    assert "write refs/tags/v1" in caught.value.help
    assert own.fetch(wanted(elsewhere, "refs/tags/v1")).read("app/map.yaml") == b"one\n"
