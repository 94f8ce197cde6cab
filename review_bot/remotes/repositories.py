"""Other git repositories, at a commit or a tag."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from review_bot.core.errors import InputError, ToolError
from review_bot.core.model import Remote, Tree
from review_bot.core.remote_hosts import PORTS, RemoteHost
from review_bot.github.git_process import GitError, run
from review_bot.github.workspace import Repository
from review_bot.remotes.addresses import address_of
from review_bot.remotes.web import Web, split

SECONDS = 120
_SHA = re.compile(r"[0-9a-f]{40}\Z")
_SCP = re.compile(r"(?:[^@/:]+@)?([^@/:]+):(?!/{2})(.+)\Z")
# What git takes for the name of a tag, more or less; the rest it says itself.
_NAME = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\-][^\x00-\x20\x7f~^:?*\[\\]*\Z")
# What git says where the server has no such thing; everything else is about the server.
_NO_SUCH = ("remote ref", "not our ref", "invalid refspec", "unadvertised object")
# What a git that was ended leaves behind.
_LEFT = ("*.lock", "refs/**/*.lock", "objects/pack/tmp_*")


def tree(remote: Remote, web: Web, folder: Path) -> Tree:
    """The repository's tree at the revision, from a bare clone of only what was asked for. Raises InputError.

    One clone holds all revisions of an address, each under a name of its own. Processes take turns.
    """
    url = https(remote.url)
    host = _row(url, web)
    if not _NAME.match(remote.revision):
        raise _no_such(remote)
    path = folder / f"{_short(f'{url} {host.terms}')}.git"
    ref = f"refs/review-bot/{_short(remote.revision)}"
    try:
        with _turn(path):
            if not _holds(path, ref):
                _fetch(path, ref, url, remote.revision, host)
        repository = Repository(path, url)
        return repository.tree(repository.resolve(ref))
    except GitError as error:
        raise _explained(remote, error) from error
    except ToolError as error:
        raise InputError(
            f"{remote.url} takes longer than {SECONDS} s to fetch", help="try again later, or commit what it holds"
        ) from error


def _short(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]


def _row(url: str, web: Web) -> RemoteHost:
    """The operator's row; a repository's name with `.git` and the one without are the same."""
    bare = url.rstrip("/").removesuffix(".git")
    return web.allowed(next((way for way in (url, bare, f"{bare}.git") if web.hosts.find(way)), url))


def https(url: str) -> str:
    """The address for HTTPS, as which ssh's spellings are fetched too; without what else may stand in one."""
    short = _SCP.match(url) if "://" not in url else None
    if short:
        return f"https://{short[1]}/{short[2]}"
    parts = split(url)
    # The port of ssh is none for HTTPS.
    ssh = parts.scheme in ("ssh", "git+ssh")
    port = f":{parts.port}" if parts.port and not ssh else ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return f"{'https' if ssh else parts.scheme}://{host}{port}{parts.path}"


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """One after another, other processes too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _holds(path: Path, ref: str) -> bool:
    """Is the revision there with all that belongs to it? A clone of which something was deleted goes."""
    try:
        run(path, "rev-parse", "--verify", "--quiet", ref)
    except (GitError, OSError):
        return False
    return _is_whole(path, ref)


def _is_whole(path: Path, *names: str) -> bool:
    try:
        run(path, "rev-list", "--objects", "--quiet", *names, "--")
    except GitError:
        shutil.rmtree(path, ignore_errors=True)
        return False
    return True


def _fetch(path: Path, ref: str, url: str, revision: str, host: RemoteHost) -> None:
    """Into the clone; into a new one where the old one was damaged. Raises GitError, ToolError."""
    is_new = _made(path)
    try:
        _fetched(path, ref, url, revision, host)
    except GitError:
        if is_new or _is_whole(path, "--all"):
            raise
        _made(path)
        _fetched(path, ref, url, revision, host)


def _made(path: Path) -> bool:
    """Make the clone, whole or not at all. False if it was there."""
    if path.is_dir():
        return False
    made = Path(tempfile.mkdtemp(dir=path.parent))
    try:
        run(made, "init", "--quiet", "--bare")
        os.rename(made, path)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return True


def _fetched(path: Path, ref: str, url: str, revision: str, host: RemoteHost) -> None:
    for left in (found for pattern in _LEFT for found in path.glob(pattern)):
        left.unlink(missing_ok=True)
    source = revision if _SHA.match(revision) else f"refs/tags/{revision.removeprefix('refs/tags/')}"
    words = ["fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--end-of-options", url]
    run(path, *words, f"+{source}:{ref}", extra=_environment(url, host), timeout=SECONDS)
    run(path, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")


def _explained(remote: Remote, error: GitError) -> InputError:
    said = str(error).strip().splitlines()
    if not said or any(words in line for line in said for words in _NO_SUCH):
        return _no_such(remote)
    return InputError(
        f"{remote.url} can't be fetched: {said[-1][:300]}",
        help="look at the address, or give the bot credentials (docs/remotes.md)",
    )


def _no_such(remote: Remote) -> InputError:
    return InputError(
        f"{remote.url} has no commit or tag {remote.revision!r} that can be fetched",
        help="name a tag or a full commit; a branch is not pinned, and is not fetched",
    )


def _environment(url: str, host: RemoteHost) -> dict[str, str]:
    """Settings by the environment, so that no password stands in an argument or a file."""
    parts = urlsplit(url)
    address = address_of(parts.hostname or "", host)
    address = f"[{address}]" if ":" in address else address
    settings = {
        "http.followRedirects": "false",
        # The very address that was looked at.
        "http.curloptResolve": f"{parts.hostname}:{parts.port or PORTS[parts.scheme]}:{address}",
        "protocol.allow": "never",
        "protocol.https.allow": "always",
    }
    if host.plain_http:
        settings["protocol.http.allow"] = "always"
    if host.password:
        pair = base64.b64encode(f"{host.username}:{host.password}".encode()).decode()
        settings["http.extraHeader"] = f"Authorization: Basic {pair}"
    found = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found
