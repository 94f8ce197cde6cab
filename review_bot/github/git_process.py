"""Run git so that nothing from a repository or the environment changes what it does."""

from __future__ import annotations

import contextlib
import io
import os
import resource
import signal
import subprocess
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

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
    """git said no; the text is what it wrote to stderr, `output` what it wrote to stdout."""

    def __init__(self, text: str, status: int = 1, output: bytes = b"") -> None:
        super().__init__(text)
        self.status, self.output = status, output


@dataclass(frozen=True)
class Bounds:
    """What git and its children may need: of each file that they write, and of memory each."""

    file_bytes: int
    memory_bytes: int

    def apply(self) -> None:
        """For the process that calls it."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.file_bytes, self.file_bytes))
        resource.setrlimit(resource.RLIMIT_DATA, (self.memory_bytes, self.memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


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
    bounds: Bounds | None = None,
) -> bytes:
    """git's stdout. Raises GitError, ToolError when it takes longer than `timeout` seconds."""
    process = subprocess.Popen(
        command(folder, *words),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(extra),
        pass_fds=pass_fds,
        start_new_session=True,
        preexec_fn=bounds.apply if bounds is not None else None,
    )
    try:
        output, errors = process.communicate(stdin if stdin is not None else b"", timeout)
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"git {words[0]} took longer than {timeout:.0f} s") from error
    finally:
        if process.returncode is None:
            # With the children that speak to the server.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode != 0:
        raise GitError(errors.decode(errors="replace").strip(), process.returncode, output)
    return output


class Objects:
    """A repository's objects, read through `cat-file`; what was read once is kept. Safe to use from several threads."""

    # Above this many, a process of its own that does not flush after each is faster.
    FEW = 48
    # Bytes that are kept; a service that stays up reads other ones tomorrow.
    KEPT = 256 * 1024 * 1024

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._blobs: dict[str, bytes] = {}
        self._size = 0
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def read_many(self, shas: Iterable[str]) -> Mapping[str, bytes]:
        """The contents by sha. Raises GitError for one that is not there."""
        wanted = set(shas)
        with self._lock:
            missing = sorted(wanted - self._blobs.keys())
            read = self._read_all(missing) if len(missing) > self.FEW else {sha: self._ask(sha)[1] for sha in missing}
            found = {sha: read[sha] if sha in read else self._blobs[sha] for sha in wanted}
            self._keep(read)
        return found

    def resolve(self, name: str) -> str:
        """The sha of the object that a name means. Raises GitError."""
        if "\n" in name or "\0" in name or not name:
            raise GitError(f"{name!r} names no object")
        with self._lock:
            return self._ask(name)[0]

    def _keep(self, read: Mapping[str, bytes]) -> None:
        self._size += sum(map(len, read.values()))
        if self._size > self.KEPT:
            self._blobs.clear()
            self._size = 0
        else:
            self._blobs.update(read)

    def _read_all(self, shas: Sequence[str]) -> dict[str, bytes]:
        names = "".join(f"{sha}\n" for sha in shas).encode()
        stream = io.BytesIO(run(self._folder, "cat-file", "--batch", "--buffer", stdin=names))
        try:
            return {sha: _read_object(stream, sha)[1] for sha in shas}
        except EOFError as error:
            raise GitError("git ended before it had written everything") from error

    def _ask(self, name: str) -> tuple[str, bytes]:
        process = self._started()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 - it was started with both
        # Reading has no time-out of its own: a git that hangs is ended, and then there is nothing to read.
        watch = threading.Timer(TIMEOUT_SECONDS, process.kill)
        watch.daemon = True
        watch.start()
        try:
            process.stdin.write(name.encode(errors="surrogateescape") + b"\n")
            process.stdin.flush()
            return _read_object(process.stdout, name)
        except (BrokenPipeError, EOFError) as error:
            self._process = None
            raise GitError(f"git ended while it read {name}") from error
        finally:
            watch.cancel()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                command(self._folder, "cat-file", "--batch"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(),
            )
            weakref.finalize(self, _end, self._process)
        return self._process


def _read_object(stream: IO[bytes], name: str) -> tuple[str, bytes]:
    """The object's sha and content. Raises GitError for what git does not know, EOFError if it has ended."""
    head = stream.readline()
    if not head.endswith(b"\n"):
        raise EOFError
    fields = head.split()
    # For what is missing or ambiguous git says so after the name, which may hold anything.
    if head.rstrip(b"\n").endswith((b" missing", b" ambiguous")) or len(fields) != 3:
        raise GitError(f"there is no object {name}")
    data = stream.read(int(fields[2]) + 1)
    if len(data) != int(fields[2]) + 1:
        raise EOFError
    return fields[0].decode(), data[:-1]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()
