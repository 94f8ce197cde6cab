"""Trees are read through few git processes and say what git says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from review_bot.core.errors import UsageError
from review_bot.github.git_process import GitError, Objects
from review_bot.github.git_tree import GitTree
from review_bot.github.workspace import Repository

IDENTITY = {f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), "-c", "protocol.file.allow=always", *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | IDENTITY)
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two commits between which everything happens that can happen to a file; the first is tagged one."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    for name in (
        "kept",
        "changed",
        "gone",
        "moved",
        "run",
        "a b\tc",
        "sub/x",
        "umläut",
        "becomes-link",
        "becomes-folder",
    ):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(f"{name}\n" * 20)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")
    git(root, "tag", "-a", "one", "-m", "one")
    (root / "changed").write_text("other\n")
    (root / "gone").unlink()
    (root / "moved").rename(root / "sub/moved")
    (root / "run").chmod(0o755)
    (root / "becomes-link").unlink()
    (root / "becomes-link").symlink_to("kept")
    (root / "becomes-folder").unlink()
    (root / "becomes-folder").mkdir()
    (root / "becomes-folder/x").write_text("x\n")
    git(root, "add", "-A")
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    git(root, "commit", "-qm", "two")
    return root


def test_a_tree_that_is_derived_is_the_one_that_is_listed(root: Path) -> None:
    repository = Repository(root)
    one, two = repository.resolve("one"), repository.resolve("main")
    derived = repository.tree(two, like=one)
    assert derived.entries() == GitTree(root, two).entries()
    assert repository.tree(one).entries() == GitTree(root, one).entries()
    backwards = Repository(root)
    assert backwards.tree(one, like=two).entries() == GitTree(root, one).entries()


def test_changes_name_what_happened_to_each_file(root: Path) -> None:
    repository = Repository(root)
    changes = repository.changes(repository.resolve("one"), repository.resolve("main"))
    assert {(c.path, c.status, c.previous_path) for c in changes} == {
        ("changed", "modified", None),
        ("gone", "removed", None),
        ("sub/moved", "renamed", "moved"),
        ("run", "modified", None),
        ("becomes-link", "modified", None),
        ("becomes-folder", "removed", None),
        ("becomes-folder/x", "added", None),
        ("module", "added", None),
    }


def test_few_and_many_files_are_read_alike(root: Path) -> None:
    for number in range(3 * Objects.FEW):
        (root / f"n{number}").write_text(f"{number}")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "many")
    repository = Repository(root)
    tree = repository.tree(repository.resolve("main"))
    assert tree.read("n7") == b"7" and tree.read("becomes-link") == b"kept" and tree.read("module") is None
    names = [f"n{n}" for n in range(3 * Objects.FEW)]
    assert dict(tree.read_many([*names, "not there"])) == {n: n[1:].encode() for n in names}


@pytest.mark.parametrize("name", ["nothing", "main\nmain", "", "-x", "main missing", "one two three", "HEAD:kept"])
def test_a_revision_that_is_none_is_wrong_usage_and_the_next_is_found(root: Path, name: str) -> None:
    repository = Repository(root)
    with pytest.raises(UsageError):
        repository.resolve(name)
    assert repository.resolve("main") == git(root, "rev-parse", "main")
    assert repository.resolve("one") == git(root, "rev-parse", "one^{commit}")


def test_an_object_that_is_not_there_is_an_error(root: Path) -> None:
    objects = Objects(root)
    for count in (1, Objects.FEW + 1):
        with pytest.raises(GitError):
            objects.read_many([f"{n:040x}" for n in range(1, count + 1)])


def test_a_git_that_was_killed_is_replaced(root: Path) -> None:
    repository = Repository(root)
    repository.resolve("main")
    process = repository._objects._process
    assert process is not None
    process.kill()
    process.wait()
    assert repository.resolve("main") == git(root, "rev-parse", "main")


def test_what_is_read_is_not_kept_without_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Objects, "KEPT", 30)
    repository = Repository(root)
    tree = repository.tree(repository.resolve("main"))
    assert [tree.read(name) for name in ("changed", "kept", "changed")] == [b"other\n", b"kept\n" * 20, b"other\n"]
    assert repository._objects._size <= 30


def test_the_top_is_found_from_below_and_of_a_bare_repository(root: Path, tmp_path: Path) -> None:
    assert Repository(root / "sub").path == root == Repository(root).path
    git(tmp_path, "clone", "-q", "--bare", str(root), str(tmp_path / "bare.git"))
    bare = Repository(tmp_path / "bare.git")
    assert bare.path == tmp_path / "bare.git"
    assert bare.tree(bare.resolve("main")).read("changed") == b"other\n"
    with pytest.raises(UsageError):
        bare.worktree()
    with pytest.raises(UsageError):
        Repository(root / ".git")
    with pytest.raises(UsageError):
        Repository(tmp_path)
