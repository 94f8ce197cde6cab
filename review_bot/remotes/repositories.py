"""Other git repositories, at a commit or a tag."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from review_bot.core.errors import InputError, ToolError
from review_bot.core.model import Remote, Tree
from review_bot.core.remote_hosts import RemoteHost
from review_bot.github.git_process import GitError, run
from review_bot.github.workspace import Repository
from review_bot.remotes.web import PORTS, Web, address_of, split

SECONDS = 120
REF = "refs/review-bot/it"
_SHA = re.compile(r"[0-9a-f]{40}\Z")
_SCP = re.compile(r"(?:[^@/:]+@)?([^@/:]+):(?!/{2})(.+)\Z")
# What git says where the server has no such thing; everything else is about the server.
_NO_SUCH = ("remote ref", "not our ref", "invalid refspec", "unadvertised object")


def tree(remote: Remote, web: Web, folder: Path) -> Tree:
    """The repository's tree at the revision, from a bare clone of only that. Raises InputError."""
    url = https(remote.url)
    host = web.allowed(url)
    wanted = hashlib.sha256(f"{url}\n{remote.revision}".encode(errors="surrogateescape")).hexdigest()
    path = folder / f"{wanted[:32]}.git"
    if not path.is_dir():
        _clone(path, url, remote, host)
    repository = Repository(path, url)
    return repository.tree(repository.resolve(REF))


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


def _clone(path: Path, url: str, remote: Remote, host: RemoteHost) -> None:
    """Whole or not at all: what is made is put in its place when it is done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=path.parent))
    try:
        run(made, "init", "--quiet", "--bare")
        _fetch(made, url, remote.revision, host)
        # Another one may have been faster.
        if not path.is_dir():
            os.rename(made, path)
    except GitError as error:
        raise _explained(remote, error) from error
    except ToolError as error:
        raise InputError(
            f"{remote.url} takes longer than {SECONDS} s to fetch", help="try again later, or commit what it holds"
        ) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _fetch(path: Path, url: str, revision: str, host: RemoteHost) -> None:
    source = revision if _SHA.match(revision) else f"refs/tags/{revision.removeprefix('refs/tags/')}"
    words = ["fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--end-of-options", url]
    run(path, *words, f"+{source}:{REF}", extra=_environment(url, host), timeout=SECONDS)
    run(path, "rev-parse", "--verify", "--quiet", f"{REF}^{{commit}}")


def _explained(remote: Remote, error: GitError) -> InputError:
    said = str(error).strip().splitlines()
    if not said or any(words in line for line in said for words in _NO_SUCH):
        return InputError(
            f"{remote.url} has no commit or tag {remote.revision!r} that can be fetched",
            help="name a tag or a full commit; a branch is not pinned, and is not fetched",
        )
    return InputError(
        f"{remote.url} can't be fetched: {said[-1][:300]}",
        help="look at the address, or give the bot credentials (docs/remotes.md)",
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
