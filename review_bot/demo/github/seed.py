"""Bare repositories made before anyone asks for them: from a folder, from a git repository, as a fork."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from review_bot.core.tools import find
from review_bot.demo.github.accounts import Account
from review_bot.demo.github.git import environment
from review_bot.demo.github.git_http import UPDATE_HOOK


def _git(folder: Path, *words: str, extra: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(find("git")), "-C", str(folder), "-c", "gc.auto=0", *words],
        capture_output=True,
        env=environment(extra),
        check=True,
    )
    return done.stdout.decode().strip()


def create(path: Path, default_branch: str) -> None:
    """An empty repository with the settings that the stand-in needs."""
    path.mkdir(parents=True)
    _git(path, "init", "--quiet", "--bare", "--template=", f"--initial-branch={default_branch}")
    settings = {
        "http.receivepack": "true",
        "http.getanyfile": "false",
        "gc.auto": "0",
        "receive.autogc": "false",
        "receive.hideRefs": "refs/pull",
        "uploadpack.allowFilter": "true",
        "uploadpack.allowAnySHA1InWant": "true",
    }
    with (path / "config").open("a") as config:
        for name, value in settings.items():
            section, _, key = name.partition(".")
            config.write(f"[{section}]\n\t{key} = {value}\n")
    hook = path / "hooks" / "update"
    hook.parent.mkdir()
    hook.write_text(UPDATE_HOOK)
    hook.chmod(0o700)


def copy(path: Path, source: Path) -> None:
    """The branches of another repository."""
    _git(path, "fetch", "--quiet", str(source.resolve()), "+refs/heads/*:refs/heads/*")


def fill(path: Path, source: Path, default_branch: str, author: Account) -> None:
    """The branches of a git repository, or a folder's files as one commit."""
    if (source / ".git").exists() or (source / "HEAD").is_file():
        _git(path, "fetch", "--quiet", str(source.resolve()), "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        return
    index = path / "first-index"
    email = author.email or f"{author.login}@users.noreply.github.com"
    extra = {
        "GIT_INDEX_FILE": str(index),
        "GIT_AUTHOR_NAME": author.name or author.login,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": author.name or author.login,
        "GIT_COMMITTER_EMAIL": email,
    }
    work = f"--work-tree={source.resolve()}"
    _git(
        path,
        f"--git-dir={path.resolve()}",
        work,
        "-C",
        str(source.resolve()),
        "add",
        "--all",
        "--force",
        ".",
        extra=extra,
    )
    tree = _git(path, "write-tree", extra=extra)
    sha = _git(path, "commit-tree", tree, "-m", "First commit", extra=extra)
    _git(path, "update-ref", f"refs/heads/{default_branch}", sha)
    index.unlink()
