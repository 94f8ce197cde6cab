"""Other git repositories, at a commit or a tag."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

from review_bot.core.errors import InputError
from review_bot.core.model import Remote, Tree
from review_bot.core.remote_hosts import RemoteHost
from review_bot.github.git_process import GitError, run
from review_bot.github.workspace import Repository
from review_bot.remotes.web import Web, address_of

_SHA = re.compile(r"[0-9a-f]{40}\Z")
_SCP = re.compile(r"(?:[^@/:]+@)?([^@/:]+):(?!/{2})(.+)\Z")


def tree(remote: Remote, web: Web, folder: Path) -> Tree:
    """The repository's tree at the revision, from a bare clone of only that. Raises InputError."""
    url = https(remote.url)
    host = web.allowed(url)
    address_of(urlsplit(url).hostname or "", host)
    path = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:24]}.git"
    name = f"refs/review-bot/{hashlib.sha256(remote.revision.encode()).hexdigest()[:24]}"
    try:
        if not (path / "HEAD").is_file():
            path.mkdir(parents=True, exist_ok=True)
            run(path, "init", "--quiet", "--bare")
        if not _has(path, name):
            _fetch(path, url, remote, name, host)
        repository = Repository(path, url)
        return repository.tree(repository.resolve(name))
    except GitError as error:
        raise InputError(
            f"{remote.url} has no commit or tag {remote.revision!r} that can be fetched",
            help="name a tag or a full commit; a branch is not pinned, and is not fetched",
        ) from error


def https(url: str) -> str:
    """The address for HTTPS, as which ssh's spellings are fetched too."""
    short = _SCP.match(url) if "://" not in url else None
    if short:
        return f"https://{short[1]}/{short[2]}"
    if url.startswith(("ssh://", "git+ssh://")):
        parts = urlsplit(url)
        return f"https://{parts.hostname}{parts.path}"
    return url


def _fetch(path: Path, url: str, remote: Remote, name: str, host: RemoteHost) -> None:
    sha = _SHA.match(remote.revision)
    source = remote.revision if sha else f"refs/tags/{remote.revision}"
    words = ["fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--end-of-options", url]
    run(path, *words, f"+{source}:{name}", extra=_environment(host), timeout=120)


def _environment(host: RemoteHost) -> dict[str, str]:
    """Settings by the environment, so that no password stands in an argument or a file."""
    settings = {"http.followRedirects": "false", "protocol.allow": "never", "protocol.https.allow": "always"}
    if host.plain_http:
        settings["protocol.http.allow"] = "always"
    if host.password:
        pair = base64.b64encode(f"{host.username}:{host.password}".encode()).decode()
        settings["http.extraHeader"] = f"Authorization: Basic {pair}"
    found = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found


def _has(path: Path, name: str) -> bool:
    try:
        run(path, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    except GitError:
        return False
    return True
