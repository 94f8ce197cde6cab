"""One pull request can neither keep the bot waiting, nor fill its memory or its disk, with what lies elsewhere."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from elsewhere import Served, packed, place, remotes, served
from git_server import git_server

from review_bot.core.errors import InputError
from review_bot.core.model import Remote, RemoteKind
from review_bot.remotes import budget
from review_bot.remotes.budget import make_room

VERSIONS = ("1.0.0", "1.1.0", "1.2.0")


@pytest.fixture
def repository() -> Iterator[Served]:
    with served() as found:
        found.holds_charts(*VERSIONS)
        yield found


def wanted(url: str, version: str) -> Remote:
    return Remote(RemoteKind.HELM, url, "web", version)


def test_others_keep_a_review_waiting_for_so_long_only(
    repository: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "MOST_SECONDS", 0)
    own = remotes(tmp_path, place(repository.url))
    assert own.fetch(wanted(repository.url, "1.0.0")).entries()
    asked = len(repository.asked)
    with pytest.raises(InputError, match="kept this review waiting") as caught:
        own.fetch(wanted(repository.url, "1.1.0"))
    assert "run it again" in caught.value.help and len(repository.asked) == asked
    # What this review has seen it sees on its other side too, and the next review goes on.
    assert own.fetch(wanted(repository.url, "1.0.0")).entries()
    assert remotes(tmp_path, place(repository.url)).fetch(wanted(repository.url, "1.1.0")).entries()


def test_a_review_holds_so_much_of_others_only(
    repository: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred kilobytes of nothing are a hundred bytes on their way."""
    for version in VERSIONS:
        large = packed({"web/Chart.yaml": b"name: web\n", "web/values.yaml": b"#" * 100_000})
        repository[f"/web-{version}.tgz"] = large
    repository["/index.yaml"] = b"entries: {web: [%s]}" % b", ".join(
        b"{version: %s, urls: [web-%s.tgz]}" % (v.encode(), v.encode()) for v in VERSIONS
    )
    monkeypatch.setattr(budget, "MOST_BYTES", 250_000)
    own = remotes(tmp_path, place(repository.url))
    for version in VERSIONS[:2]:
        assert own.fetch(wanted(repository.url, version)).entries()
    with pytest.raises(InputError, match="what lies elsewhere takes more than"):
        own.fetch(wanted(repository.url, "1.2.0"))


def test_texts_of_repositories_count_as_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MOST_BYTES", 150_000)
    with git_server(tmp_path / "served") as server:
        server.add("shared", ("v1", {"a.yaml": "#" * 100_000, "b.bin": "#" * 100_000}), ("v2", {"c.txt": ""}))
        own = remotes(tmp_path, place(server.url))
        assert own.fetch(Remote(RemoteKind.GIT, f"{server.url}/shared", "", "v1")).entries()
        with pytest.raises(InputError, match="what lies elsewhere takes more than"):
            own.fetch(Remote(RemoteKind.GIT, f"{server.url}/shared", "", "v2"))


def kept(folder: Path, name: str, hours: float) -> Path:
    """A clone, or what an archive holds, of a kilobyte, last used so long ago."""
    path = folder / name
    used = path.with_suffix(".lock") if name.endswith(".git") else path
    if name.endswith(".git"):
        (path / "objects").mkdir(parents=True)
        (path / "objects" / "pack").write_bytes(b"x" * 1000)
        used.touch()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 1000)
    os.utime(used, times=(time.time() - hours * 3600,) * 2)
    return path


def test_what_was_not_used_for_longest_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git, archives = tmp_path / "git", tmp_path / "archives"
    oldest, old = kept(git, "a.git", 9), kept(archives, "0f/b", 8)
    recent, used = kept(git, "c.git", 7), kept(archives, "0f/d", 0)
    monkeypatch.setattr(budget, "MOST_KEPT", 25_000)
    make_room(git, archives, tmp_path / "nothing")
    assert oldest.exists()
    monkeypatch.setattr(budget, "MOST_KEPT", _size_of(recent) + 1000)
    make_room(git, archives)
    assert [path.exists() for path in (oldest, old, recent, used)] == [False, False, True, True]


def _size_of(clone: Path) -> int:
    return sum(path.lstat().st_size for path in clone.rglob("*"))


def test_where_all_is_in_use_no_more_is_fetched(
    repository: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = remotes(tmp_path, place(repository.url))
    own.fetch(wanted(repository.url, "1.0.0"))
    monkeypatch.setattr(budget, "MOST_KEPT", 10)
    with pytest.raises(InputError, match="within the hour takes more than"):
        own.fetch(wanted(repository.url, "1.1.0"))
    assert remotes(tmp_path, place(repository.url)).fetch(wanted(repository.url, "1.0.0")).entries()
