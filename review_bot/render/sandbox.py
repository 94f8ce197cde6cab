"""Run a tool over a checkout so that hostile content has nothing to reach: bubblewrap, limits, a clean environment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from review_bot.core.errors import ToolError
from review_bot.core.tools import find

CHECKOUT = "/repo"
TOOL = "/tool"
NO_SANDBOX = "there is no sandbox: bubblewrap can't make user namespaces on this machine"
ALLOW_SANDBOX = "allow them (sysctl kernel.unprivileged_userns_clone=1), or pass --no-sandbox for trusted content"
# The buffer of a process that is talked to: bytes that wait to be read.
_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool wrote; `trouble` says in words why it was stopped, "" if it ended by itself."""

    status: int
    stdout: bytes
    stderr: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """`seconds` of wall time, `cpu_seconds`, bytes of output and of one written file, for each process."""

    seconds: float = 60
    cpu_seconds: int = 60
    output_bytes: int = 64 * 1024 * 1024
    file_bytes: int = 128 * 1024 * 1024
    memory_bytes: int = 2 * 1024 * 1024 * 1024

    def too_slow(self) -> Outcome:
        return Outcome(-1, b"", "", f"it took longer than {self.seconds:g} s")

    def too_much(self) -> Outcome:
        return Outcome(-1, b"", "", f"it wrote more than {self.output_bytes >> 20} MiB")


@dataclass(frozen=True)
class Sandbox:
    """Runs tools with no network, no credentials and sight of one checkout only."""

    limits: Limits
    allow_unsandboxed: bool = False

    async def run(
        self,
        tool: Path,
        words: Sequence[str],
        checkout: Path,
        *,
        overlays: Mapping[str, Path] | None = None,
        beside: Mapping[str, Path] | None = None,
        environment: Mapping[str, str] | None = None,
        writable: bool = False,
    ) -> Outcome:
        """Run `tool` with the checkout as its working folder.

        `overlays` lay files or folders over paths of the checkout, `beside` names more folders to be read. The checkout
        is at /repo, read-only unless `writable`; `{repo}` in the words becomes its path, and so do the names of what
        is beside it. Raises ToolError where no sandbox can be had.
        """
        beside, environment = beside or {}, {**_ENVIRONMENT, **(environment or {})}
        mounts = {CHECKOUT: checkout, **{f"{CHECKOUT}/{path}": source for path, source in (overlays or {}).items()}}
        mounts |= {f"/{name}": source for name, source in beside.items()}
        inside = _placed(words, {"repo": CHECKOUT, **{name: f"/{name}" for name in beside}})
        outcome = None
        with contextlib.suppress(ToolError):
            wrapped = self._wrapped(tool, inside, mounts, CHECKOUT, environment, writable)
            outcome = await self._bounded(await self._spawn(wrapped, checkout))
        # The sandbox is tried and not tested first: a test costs as much as a small build.
        if outcome is not None and (outcome.status == 0 or not outcome.stderr.startswith("bwrap: ") or works()):
            return outcome
        if not self.allow_unsandboxed:
            raise ToolError(NO_SANDBOX, help=ALLOW_SANDBOX)
        _lay_over(checkout, overlays or {})
        places = {"repo": str(checkout), **{name: str(source) for name, source in beside.items()}}
        command = [str(tool), *_placed(words, places)]
        return await self._bounded(await self._spawn(command, checkout, environment=environment))

    async def start(self, tool: Path, mounts: Mapping[str, Path], folder: Path) -> asyncio.subprocess.Process:
        """Start a `tool` that is talked to, with `mounts` read-only where they say, for the caller to `end`.

        Raises ToolError if there is no bubblewrap.
        """
        return await self._spawn(self._wrapped(tool, [], mounts, "/", _ENVIRONMENT), folder, talks=True)

    def open(self, tool: Path, folder: Path) -> subprocess.Popen[bytes]:
        """Start a `tool` that is talked to from a thread, with nothing but itself to see, for the caller to end.

        Raises ToolError where no sandbox can be had.
        """
        if works():
            command = self._wrapped(tool, [], {}, "/", _ENVIRONMENT)
        elif self.allow_unsandboxed:
            command = [str(tool)]
        else:
            raise ToolError(NO_SANDBOX, help=ALLOW_SANDBOX)
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, **self._surroundings(folder))

    def _wrapped(
        self,
        tool: Path,
        words: Sequence[str],
        mounts: Mapping[str, Path],
        folder: str,
        environment: Mapping[str, str],
        writable: bool = False,
    ) -> list[str]:
        command = [str(find("bwrap")), "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
        command += ["--cap-drop", "ALL", "--tmpfs", "/tmp", "--dev", "/dev", "--ro-bind", str(tool), TOOL]  # noqa: S108
        for library in ("/lib", "/lib64", "/usr/lib"):
            if Path(library).exists():
                command += ["--ro-bind", library, library]
        for place, source in mounts.items():
            command += ["--bind" if writable and place == folder else "--ro-bind", str(source), place]
        for name, value in environment.items():
            command += ["--setenv", name, value]
        return [*command, "--chdir", folder, "--", TOOL, *words]

    async def _spawn(
        self,
        command: Sequence[str],
        checkout: Path,
        talks: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE if talks else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL if talks else asyncio.subprocess.PIPE,
            limit=_LINE,
            **self._surroundings(checkout, environment),
        )

    def _surroundings(self, folder: Path, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What every process is started with."""
        return {
            "env": dict(environment or _ENVIRONMENT),
            "cwd": str(folder),
            "start_new_session": True,
            "preexec_fn": self._limit,
        }

    async def _bounded(self, process: asyncio.subprocess.Process) -> Outcome:
        try:
            async with asyncio.timeout(self.limits.seconds):
                stdout, stderr = await asyncio.gather(
                    self._read(process.stdout), self._read(process.stderr, self.limits.output_bytes // 16)
                )
                status = await process.wait()
            return Outcome(status, stdout, stderr.decode(errors="replace"))
        except TimeoutError:
            return self.limits.too_slow()
        except _TooMuch:
            return self.limits.too_much()
        finally:
            await end(process)

    def _limit(self) -> None:
        limits = self.limits
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds))
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_bytes, limits.file_bytes))
        # RLIMIT_DATA counts what is used; Go reserves far more address space than it touches.
        resource.setrlimit(resource.RLIMIT_DATA, (limits.memory_bytes, limits.memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    async def _read(self, stream: asyncio.StreamReader | None, most: int | None = None) -> bytes:
        if stream is None:
            return b""
        most = most or self.limits.output_bytes
        parts, size = [], 0
        while part := await stream.read(1 << 16):
            parts.append(part)
            size += len(part)
            if size > most:
                raise _TooMuch
        return b"".join(parts)


class _TooMuch(Exception):
    """A tool wrote more than it may."""


_ENVIRONMENT = {
    "HOME": "/tmp",  # noqa: S108 - the sandbox's own, empty
    "PATH": "/nowhere",
    "HELM_CACHE_HOME": "/tmp/helm/cache",  # noqa: S108
    "HELM_CONFIG_HOME": "/tmp/helm/config",  # noqa: S108
    "HELM_DATA_HOME": "/tmp/helm/data",  # noqa: S108
    "GOMAXPROCS": "2",
    "LC_ALL": "C.UTF-8",
}


async def end(process: asyncio.subprocess.Process) -> None:
    """Whatever happens, the whole process group is gone afterwards."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        await asyncio.shield(process.wait())
    # The transport holds the pipes; waiting does not close them after a read that was given up.
    process._transport.close()  # type: ignore[attr-defined]


def _placed(words: Sequence[str], places: Mapping[str, str]) -> list[str]:
    """The words with each `{name}` as the path that it stands for."""
    placed = list(words)
    for name, path in places.items():
        placed = [word.replace(f"{{{name}}}", path) for word in placed]
    return placed


def _lay_over(checkout: Path, overlays: Mapping[str, Path]) -> None:
    for path, source in overlays.items():
        if source.is_file():
            (checkout / path).write_bytes(source.read_bytes())


@lru_cache(maxsize=1)
def works() -> bool:
    """Can bubblewrap make a sandbox on this machine? Found out once a process."""
    try:
        bwrap = find("bwrap")
    except ToolError:
        return False
    probe = [str(bwrap), "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0
