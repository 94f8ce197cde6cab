"""OPA that stays up, one server a policy set, asked through opa-python-client over a unix socket.

For the service: its policies change seldom and its reviews come often, so parsing and compiling them again for each
review is work done twice. What a server can't answer (a policy that does not compile or raises) is left to the one-shot
`opa eval`, which can say what is wrong and where.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import signal
import tempfile
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
from opa_client.opa_async import AsyncOpaClient

from review_bot.checks import opa
from review_bot.checks.context import NoAnswer
from review_bot.core.tools import find

# Each holds a compiled policy set; a service rarely serves more repositories at once than this.
MOST_SERVERS = 8
READY_SECONDS = 10.0
ANSWER_SECONDS = 30.0


class _SocketClient(AsyncOpaClient):  # type: ignore[misc]
    """opa-python-client's client, on a unix socket that nobody else can open."""

    def __init__(self, socket: Path) -> None:
        super().__init__(host="opa", port=80, retries=0, timeout=ANSWER_SECONDS)
        self._socket = socket

    async def _init_session(self) -> None:
        self._connector = aiohttp.UnixConnector(path=str(self._socket))
        self._session = aiohttp.ClientSession(
            connector=self._connector, timeout=aiohttp.ClientTimeout(total=self.timeout)
        )


class OpaServers:
    """The servers of one process, the least used ended first. Close it at the end."""

    def __init__(self) -> None:
        self._servers: OrderedDict[str, _Server] = OrderedDict()
        self._lock = asyncio.Lock()

    async def query(self, files: Sequence[Path], package: str, document: Any) -> Any:
        """The value of a package for an input document, None where it is undefined. Raises NoAnswer."""
        server = await self._server(await asyncio.to_thread(_read, files))
        try:
            answer = await server.client.query_rule(document, package)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NoAnswer(str(error)) from error
        return answer.get("result") if isinstance(answer, dict) else None

    async def close(self) -> None:
        async with self._lock:
            for server in self._servers.values():
                await server.stop()
            self._servers.clear()

    async def _server(self, contents: dict[str, bytes]) -> _Server:
        parts = [name.encode() + b"\0" + hashlib.sha256(data).digest() for name, data in sorted(contents.items())]
        digest = hashlib.sha256(b"".join(parts)).hexdigest()
        async with self._lock:
            known = self._servers.get(digest)
            if known is not None and known.alive:
                self._servers.move_to_end(digest)
                return known
            if known is not None:
                await self._servers.pop(digest).stop()
            made = await _Server.start(contents)
            self._servers[digest] = made
            while len(self._servers) > MOST_SERVERS:
                _, oldest = self._servers.popitem(last=False)
                await oldest.stop()
            return made


class _Server:
    """One running OPA in a folder of its own."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process) -> None:
        self._folder, self._process = folder, process
        self.client = _SocketClient(folder / "socket")

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @classmethod
    async def start(cls, contents: dict[str, bytes]) -> _Server:
        """Raises NoAnswer where OPA does not come up with these policies."""
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="review-bot-opa-"))
        try:
            await asyncio.to_thread(_lay_out, folder, contents)
            names = sorted(contents)
            # The server knows no capabilities file: what may not be called is looked for before it starts.
            await opa.evaluate("true", [folder / name for name in names], {}, folder)
            words = ["run", "--server", "--addr", f"unix://{folder}/socket", "--unix-socket-perm", "600"]
            words += ["--disable-telemetry", "--log-level", "error", *names]
            process = await asyncio.create_subprocess_exec(
                str(find("opa")),
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                cwd=str(folder),
                env={"HOME": str(folder), "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
        except (OSError, opa.OpaFailed) as error:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            raise NoAnswer(str(error)) from error
        server = cls(folder, process)
        try:
            async with asyncio.timeout(READY_SECONDS):
                await server._ready()
        except BaseException as error:
            # A review that was stopped meanwhile must not leave a server behind that nobody knows of.
            await asyncio.shield(server.stop())
            if isinstance(error, TimeoutError | NoAnswer):
                raise NoAnswer("OPA does not come up with these policies") from error
            raise
        return server

    async def _ready(self) -> None:
        await self.client._init_session()
        while not await self.client.check_health():
            if not self.alive:
                raise NoAnswer("OPA ended")
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        await self.client.close_connection()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


def _read(files: Sequence[Path]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in files}


def _lay_out(folder: Path, contents: dict[str, bytes]) -> None:
    for name, data in contents.items():
        (folder / name).write_bytes(data)
