"""A bare mirror of each repository, holding just the branches that open pull requests touch.

git gets its token through a pipe that only its credential helper reads: it stands in no argument, environment, remote
or file. Reviews read the mirror's objects by plumbing, so a second tree of a repository costs nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from review_bot.core.errors import ToolError
from review_bot.github.git_process import GitError, run
from review_bot.github.workspace import Repository

FETCH_SECONDS = 300
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
# The transport that GitHub speaks, and no other: a redirect must not lead to a local path or a command.
_PROTOCOLS = (
    "protocol.allow=never",
    "protocol.file.allow=never",
    "protocol.https.allow=always",
    "protocol.http.allow=always",
)


class FetchError(Exception):
    """The repository could not be fetched or pushed to; the text says what git said."""


class PushRefused(Exception):
    """GitHub does not take the push and will not later: a rule or a right stands against it."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The commits that a pull request stands on now: the tip of its base branch, and its head."""

    repository: Repository
    tip: str
    head: str


class Mirrors:
    """All mirrors below one folder. One fetch a repository at a time."""

    def __init__(self, folder: Path, github_url: str) -> None:
        self._folder = folder
        self._url = github_url.rstrip("/")
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    async def fetch(self, repository: str, number: int, base_ref: str, head_sha: str, token: str) -> Fetched:
        """Bring the base branch and the pull request's head up to date. Raises FetchError."""
        return await asyncio.to_thread(self._fetch, repository, number, base_ref, head_sha, token)

    def local(self, repository: str) -> Repository | None:
        """The mirror as it is, None if there is none yet."""
        path = self._path(repository)
        return Repository(path, self._remote(repository)) if (path / "HEAD").is_file() else None

    async def fetch_branch(self, repository: str, branch: str, token: str) -> tuple[Repository, str]:
        """Bring one branch up to date; its tip. Raises FetchError."""
        return await asyncio.to_thread(self._fetch_branch, repository, branch, token)

    async def push(self, repository: str, sha: str, branch: str, token: str) -> None:
        """Let a branch of the bot's own be this commit. Raises PushRefused, FetchError."""
        words = ["push", "--quiet", "--force", "--no-verify", self._remote(repository), f"{sha}:refs/heads/{branch}"]
        try:
            await asyncio.to_thread(_git_with_token, self._path(repository), words, token)
        except FetchError as error:
            if any(word in str(error) for word in ("rejected", "denied", "error: 403")):
                raise PushRefused(str(error)) from error
            raise

    def _fetch(self, repository: str, number: int, base_ref: str, head_sha: str, token: str) -> Fetched:
        path = self._path(repository)
        tip_ref, head_ref = f"refs/review-bot/base/{_safe(base_ref)}", f"refs/review-bot/pull/{number}"
        base, head = f"+refs/heads/{base_ref}:{tip_ref}", f"+refs/pull/{number}/head:{head_ref}"
        with self._lock(repository):
            _prepare(path)
            try:
                _git_fetch(path, self._remote(repository), [base, head], token)
            except FetchError as error:
                if "remote ref refs/pull/" not in str(error):
                    raise
                # It may not be there yet; the commit itself is asked for below.
                _git_fetch(path, self._remote(repository), [base], token)
            found = Repository(path, self._remote(repository))
            tip = found.resolve(tip_ref)
            if not _has(path, head_sha) and _SHA.match(head_sha):
                # The API may know a push before refs/pull does; GitHub serves the commit all the same.
                with suppress(FetchError):
                    _git_fetch(path, self._remote(repository), [f"+{head_sha}:{head_ref}"], token)
            if not _has(path, head_sha):
                raise FetchError(f"GitHub does not serve the commit {head_sha[:12]} yet")
        return Fetched(found, tip, head_sha)

    def _fetch_branch(self, repository: str, branch: str, token: str) -> tuple[Repository, str]:
        path, ref = self._path(repository), f"refs/review-bot/base/{_safe(branch)}"
        with self._lock(repository):
            _prepare(path)
            _git_fetch(path, self._remote(repository), [f"+refs/heads/{branch}:{ref}"], token)
            found = Repository(path, self._remote(repository))
            return found, found.resolve(ref)

    def _path(self, repository: str) -> Path:
        # Names differ by case on GitHub's side never, on some file systems always: the digest settles it.
        digest = hashlib.sha256(repository.lower().encode()).hexdigest()[:12]
        return self._folder / f"{_safe(repository.replace('/', '_'))}-{digest}.git"

    def _remote(self, repository: str) -> str:
        return f"{self._url}/{quote(repository)}.git"

    def _lock(self, repository: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(repository.lower(), threading.Lock())


def _prepare(path: Path) -> None:
    if not (path / "HEAD").is_file():
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        run(path, "init", "--quiet", "--bare", "--template=", "-b", "none", ".")


def _git_fetch(path: Path, remote: str, refspecs: list[str], token: str) -> None:
    """One fetch. A mirror that a killed fetch left with stale locks is freed of them first."""
    for lock in (*path.glob("*.lock"), *path.glob("refs/**/*.lock")):
        lock.unlink(missing_ok=True)
    words = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--end-of-options"]
    _git_with_token(path, [*words, remote, *refspecs], token)


def _git_with_token(path: Path, command: list[str], token: str) -> None:
    """Run git with a token that only its credential helper reads. Raises FetchError."""
    reader, writer = os.pipe()
    try:
        os.write(writer, f"username=x-access-token\npassword={token}\n".encode())
        os.close(writer)
        helper = f'!f() {{ test "$1" = get && cat /dev/fd/{reader}; }}; f'
        settings = [*_PROTOCOLS, "credential.helper=", f"credential.helper={helper}", "transfer.fsckObjects=false"]
        words = [word for setting in settings for word in ("-c", setting)]
        run(path, *words, *command, timeout=FETCH_SECONDS, pass_fds=(reader,))
    except (GitError, ToolError) as error:
        raise FetchError(_said(str(error))) from error
    finally:
        os.close(reader)


def _has(path: Path, sha: str) -> bool:
    try:
        run(path, "cat-file", "-e", f"{sha}^{{commit}}")
    except GitError:
        return False
    return True


def _said(text: str) -> str:
    """git's own words on one line."""
    lines = [line.removeprefix("fatal: ").strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines[:3])[:400] or "git gave no reason"


def _safe(name: str) -> str:
    """A name as a part of a ref or file: never an option, a hidden file or a way up."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda m: f"%{ord(m.group()):02x}", name).lstrip("-") or "%"
