"""What a kustomization's reference to elsewhere means: a folder of a repository, or one file, at a pinned revision.

Follows kustomize (api/internal/git/repospec.go) in what it takes for the repository, its folder and the revision.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from review_bot.core.errors import InputError
from review_bot.core.model import Remote, RemoteKind

_SCHEME = re.compile(r"(?:https?|ssh|file)://", re.IGNORECASE)
_USER = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*@")
_GITHUB = re.compile(r"github\.com[/:]", re.IGNORECASE)
_FILE = re.compile(r"https?://[^?#]+\.(?:ya?ml|json)(?:[?#].*)?\Z", re.IGNORECASE)
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_VERSION = re.compile(r"v?\d+(?:\.\d+)*(?:[-+][\w.+-]+)?\Z", re.ASCII)
_FULL_VERSION = re.compile(r"(?:[a-z0-9]+-)*v?\d+\.\d+\.\d+(?:[-+][\w.+-]+)?\Z", re.ASCII)
# With a dot at least, where nothing else tells that it is a version of what lies there.
_DOTTED = re.compile(r"v?\d+(?:\.\d+)+(?:[-+][\w.+-]+)?\Z", re.ASCII)
_MOVING = frozenset(
    ("main", "master", "head", "latest", "stable", "develop", "dev", "trunk", "nightly", "edge", "current", "heads")
)
_PIN = "name a tag or a full commit"


@dataclass(frozen=True)
class Base:
    """`folder` of what `remote` names, "." for its root; of a single file a kustomization that has only that."""

    remote: Remote
    folder: str = "."


def base_of(reference: str) -> Base:
    """What kustomize would fetch. Raises InputError for what is not pinned, and for what it would not understand."""
    if _FILE.match(reference) and not _revision(reference):
        return _file(reference)
    address, revision = reference.partition("?")[0], _revision(reference)
    if address[:5].lower() == "git::":
        address = address[5:]
    host, rest = _host(address)
    repository, folder = _split(rest)
    folder = posixpath.normpath(folder.strip("/") or ".")
    if not host or not repository or folder == ".." or folder.startswith("../"):
        raise InputError(
            f"{reference} names no folder of a repository", help="write https://HOST/OWNER/NAME//FOLDER?ref=TAG"
        )
    if not revision:
        raise InputError(f"{reference} names no revision, so what it means changes", help=f"add ?ref=, and {_PIN}")
    return Base(Remote(RemoteKind.GIT, f"{host}{repository}", "", revision), folder)


def _revision(reference: str) -> str:
    query = parse_qs(reference.partition("?")[2])
    return next((query[key][0] for key in ("ref", "version") if query.get(key)), "")


def _host(address: str) -> tuple[str, str]:
    """Scheme, user and host up to the path, and the path; no host for what kustomize does not take."""
    scheme = found[0].lower() if (found := _SCHEME.match(address)) else ""
    rest = address[len(scheme) :]
    user = found[0] if scheme != "file://" and (found := _USER.match(rest)) else ""
    rest = rest[len(user) :]
    is_github = _GITHUB.match(rest) is not None
    if scheme == "file://" or not (scheme or user or is_github):
        return "", rest
    border = _border(rest, colon=not scheme)
    if is_github:
        return ("git@github.com:" if user or scheme == "ssh://" else "https://github.com/"), rest[border + 1 :]
    return f"{scheme}{user}{rest[: border + 1]}", rest[border + 1 :] if border >= 0 else ""


def _border(rest: str, *, colon: bool) -> int:
    slash, at = rest.find("/"), rest.find(":")
    return at if colon and at > 0 and (slash < 0 or at < slash) else slash


def _split(path: str) -> tuple[str, str]:
    """The repository and the folder in it: at `_git/`, `//` or `.git`, else after two names."""
    marker = path.find("_git/")
    if marker >= 0:
        name, _, folder = path[marker + 5 :].partition("/")
        return f"{path[: marker + 5]}{name}", folder
    if "//" in path:
        repository, _, folder = path.partition("//")
        return repository, folder
    end = path.find(".git")
    if end >= 0:
        return path[: end + 4], path[end + 4 :]
    names = path.split("/")
    return ("/".join(names[:2]), "/".join(names[2:])) if len(names) >= 2 and all(names[:2]) else ("", "")


def _file(url: str) -> Base:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InputError(f"{url} is no address", help="correct it") from error
    if not _is_pinned((parts.hostname or "").lower(), [p for p in parts.path.split("/") if p]):
        raise InputError(
            f"{url} holds no version, so what it means changes",
            help=f"use an address with one: {_PIN} in place of a branch",
        )
    return Base(Remote(RemoteKind.FILE, url))


def _is_pinned(host: str, names: list[str]) -> bool:
    """Does the path name a release, a tag or a commit? Where the host's addresses are known, in the right place."""
    if host == "raw.githubusercontent.com":
        return _is_a_version(names[2:-1])
    if names[2:4] == ["releases", "download"] and host == "github.com":
        # What stands here is always the tag of a release.
        return len(names) > 5
    if "raw" in names[:-1]:
        return _is_a_version(names[names.index("raw") + 1 : -1])
    above = [name.lower() for name in names[:-1]]
    return _MOVING.isdisjoint(above) and any(
        _COMMIT.match(n) or _DOTTED.match(n) or _FULL_VERSION.match(n) for n in above
    )


def _is_a_version(names: list[str]) -> bool:
    """Names that begin with a revision, or with what kind of one it is."""
    if names[:2] == ["refs", "tags"]:
        return len(names) > 2
    if names[:1] in (["tag"], ["tags"], ["commit"]):
        names = names[1:]
    return bool(names) and any(way.match(names[0]) for way in (_COMMIT, _VERSION, _FULL_VERSION))
