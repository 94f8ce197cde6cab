"""Other git repositories, at a commit or a tag."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from review_bot.core.errors import InputError, ToolError
from review_bot.core.model import Remote, Tree
from review_bot.core.remote_hosts import RemoteHost
from review_bot.github.git_process import GitError
from review_bot.remotes.clones import FETCH_SECONDS, MOST_PACKED, Clone, short
from review_bot.remotes.web import Web, split

TAGS, HEADS = "refs/tags/", "refs/heads/"
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_PART_OF_A_COMMIT = re.compile(r"[0-9a-fA-F]{7,40}\Z")
_SCP = re.compile(r"(?:[^@/:]+@)?([^@/:]+):(?!/{2})(.+)\Z")
# What git takes for the name of a tag, more or less; the rest it says itself.
_NAME = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\-][^\x00-\x20\x7f~^:?*\[\\]*\Z")
# What Argo CD and Flux take for a range of versions (Masterminds/semver).
_RANGE = re.compile(r".*[<>=!^~*|,].*|v?(?:\d+|[xX])(?:\.(?:\d+|[xX])){0,2}(?:[-+].*)?\Z", re.DOTALL)
_VERSION = re.compile(r"v?\d+(?:\.\d+){0,2}(?:[-+].*)?\Z", re.DOTALL)
_PIN = "name a tag or a full commit, so that what is approved is what is deployed"
# What git says where the server has no such thing, and where it gives only what has a name.
_NO_SUCH, _UNNAMED = ("remote ref", "not our ref", "invalid refspec"), "unadvertised object"
# What it says of a server that did not answer.
_UNREACHED = ("onnect to", "onnection", "timed out", "Empty reply", "returned error: 50")
# What it says where a child of it was ended for being over its bounds.
_TOO_MUCH = ("index-pack", "signal 25", "ut of memory")


def tree(remote: Remote, web: Web, folder: Path, make_room: Callable[[], None]) -> tuple[Tree, int]:
    """The repository's tree at the revision, from a bare clone of only what was asked for; and the size of its texts.

    Raises InputError, as `make_room` may, which is called before something is fetched.
    What a tag stands for is asked each time: it may have been moved. A commit that is there needs no network.
    """
    url = https(remote.url)
    host, revision = _row(url, web), _pinned(remote)
    clone = Clone(folder, url, host)
    try:
        with clone.turn():
            return _at(clone, revision, remote, make_room)
    except GitError as error:
        raise _explained(remote, error) from error
    except ToolError as error:
        raise InputError(
            f"{remote.url} takes longer than {FETCH_SECONDS} s to fetch",
            help="try again later, or commit what it holds",
        ) from error


def _at(clone: Clone, revision: str, remote: Remote, make_room: Callable[[], None]) -> tuple[Tree, int]:
    """From the clone if it is there as it should be, else fetched."""
    ref = f"refs/review-bot/{short(revision)}"
    held = clone.held(ref)
    wanted = revision if _COMMIT.match(revision) else _stands_for(clone, revision, remote, held)
    if held == wanted:
        try:
            return clone.tree(ref)
        except GitError:
            # Something of it was lost.
            clone.remove()
    make_room()
    clone.fetch(revision, ref)
    return clone.tree(ref)


def _stands_for(clone: Clone, tag: str, remote: Remote, held: str | None) -> str:
    """What the tag is now; what is held where the server can't be asked. Raises InputError, GitError, ToolError."""
    branch = f"{HEADS}{tag.removeprefix(TAGS)}"
    try:
        known = clone.advertised(tag, branch)
    except ToolError:
        if held is None:
            raise
        return held
    except GitError as error:
        # Whoever is refused by the server gets nothing of it.
        if held is None or not any(words in str(error) for words in _UNREACHED):
            raise
        return held
    if branch in known and remote.revision != tag:
        if tag in known:
            raise InputError(
                f"{remote.url} has a tag and a branch {remote.revision}, and the branch may be deployed",
                help=f"write {tag}, or a full commit",
            )
        raise InputError(f"{remote.revision} is a branch of {remote.url}: what it holds changes", help=_PIN)
    if tag not in known:
        raise _no_such(remote)
    return known[tag]


def _pinned(remote: Remote) -> str:
    """The full commit, or a tag's full name. Raises InputError for what names neither."""
    revision = remote.revision
    if _COMMIT.match(revision):
        return revision
    if revision in ("", "HEAD"):
        raise InputError(f"{remote.url} is followed at its default branch: what it holds changes", help=_PIN)
    if revision.startswith(HEADS):
        raise InputError(f"{revision} is a branch of {remote.url}: what it holds changes", help=_PIN)
    if not revision.startswith(TAGS) and _RANGE.match(revision) and not _VERSION.match(revision):
        raise InputError(f"{revision} is a range of versions of {remote.url}: it means another one later", help=_PIN)
    if not _NAME.match(revision):
        raise _no_such(remote)
    return f"{TAGS}{revision.removeprefix(TAGS)}"


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


def _explained(remote: Remote, error: GitError) -> InputError:
    said = str(error).strip().splitlines()
    if any(words in line for line in said for words in _TOO_MUCH):
        return InputError(
            f"{remote.url} is larger than {MOST_PACKED >> 20} MiB, unpacks to too much, or can't be unpacked",
            help="commit what it is needed for",
        )
    if any(_UNNAMED in line for line in said):
        return InputError(
            f"{remote.url} has no name for the commit {remote.revision}, and gives nothing without one",
            help="name a tag, or let the server give any commit (uploadpack.allowReachableSHA1InWant)",
        )
    if not said or any(words in line for line in said for words in _NO_SUCH):
        return _no_such(remote)
    return InputError(
        f"{remote.url} can't be fetched: {said[-1][:300]}",
        help="look at the address, or give the bot credentials (docs/remotes.md)",
    )


def _no_such(remote: Remote) -> InputError:
    if _PART_OF_A_COMMIT.match(remote.revision) and not _COMMIT.match(remote.revision):
        why = f"{remote.url} has no tag {remote.revision!r}, and a part of a commit's name is not asked for"
        return InputError(why, help="write all 40 letters of the commit, in lower case")
    return InputError(f"{remote.url} has no commit or tag {remote.revision!r}", help=_PIN)
