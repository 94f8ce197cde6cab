"""Run git so that nothing from a repository or the environment changes what it does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from review_bot.core.errors import ToolError
from review_bot.core.tools import find

TIMEOUT_SECONDS = 120
# Hooks, filters, file system monitors, lazy fetches and replaced objects are ways in; none is needed to read.
SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "protocol.ext.allow=never",
    "protocol.file.allow=user",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "safe.directory=*",
    "gc.auto=0",
    "core.quotePath=false",
)
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "SSL_CERT_FILE", "GIT_SSL_CAINFO", "SYSTEMROOT")


class GitError(Exception):
    """git said no; the text is what it wrote to stderr."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A clean environment: no credentials, no prompts, no system or user configuration."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
        **(extra or {}),
    }


def command(folder: Path, *words: str) -> list[str]:
    """The words of a git command in `folder`."""
    settings = [word for setting in SETTINGS for word in ("-c", setting)]
    return [str(find("git")), "-C", str(folder), *settings, *words]


def run(
    folder: Path,
    *words: str,
    stdin: bytes | None = None,
    extra: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT_SECONDS,
    pass_fds: tuple[int, ...] = (),
) -> bytes:
    """git's stdout. Raises GitError, ToolError when it takes longer than `timeout` seconds."""
    try:
        done = subprocess.run(
            command(folder, *words),
            input=stdin if stdin is not None else b"",
            capture_output=True,
            env=environment(extra),
            timeout=timeout,
            pass_fds=pass_fds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"git {words[0]} took longer than {timeout:.0f} s") from error
    if done.returncode != 0:
        raise GitError(done.stderr.decode(errors="replace").strip())
    return done.stdout
