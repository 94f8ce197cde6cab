"""Terraform files as blocks: HCL read by python-hcl2 in a process that can be ended, JSON by our own reader."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from review_bot.core.errors import ToolError, YamlError
from review_bot.core.model import FieldPath
from review_bot.core.terraform.blocks import LABELS, Block
from review_bot.core.yaml_reader import parse
from review_bot.render.sandbox import Sandbox, end

WORKER = Path(__file__).with_name("hcl_worker.py")
MAX_BYTES = 1024 * 1024
# All files of a review together may take so many times what one may.
MOST_TIMES = 4
HELP = "mend the syntax; `terraform fmt` names the place too"


@dataclass(frozen=True, slots=True)
class Read:
    """A file's blocks, or why there are none: `error` with its line."""

    blocks: tuple[Block, ...] = ()
    error: str = ""
    line: int | None = None


class Parser:
    """One process for all files of a review, started when the first one comes; each file is read once."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._known: dict[tuple[str, bytes], Read] = {}
        # Many files that each take long must not hold a review up for ever.
        self._seconds_left = MOST_TIMES * sandbox.limits.seconds

    async def read(self, contents: Mapping[str, bytes]) -> dict[str, Read]:
        """Every file's blocks by its path. Raises ToolError where the parser is missing."""
        return {path: await self._once(path, data) for path, data in contents.items()}

    async def close(self) -> None:
        if self._process is not None:
            await end(self._process)
            self._process = None

    async def _once(self, path: str, data: bytes) -> Read:
        key = path, hashlib.sha256(data).digest()
        async with self._turn:
            if key not in self._known:
                self._known[key] = await self._file(path, data)
            return self._known[key]

    async def _file(self, path: str, data: bytes) -> Read:
        if len(data) > MAX_BYTES:
            return Read(error=f"it is larger than {MAX_BYTES >> 20} MiB")
        if path.endswith(".json"):
            return await asyncio.to_thread(_json, path, data)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            return Read(error="it is not UTF-8", line=data.count(b"\n", 0, error.start) + 1)
        answer = await self._asked(text)
        return _read(path, answer) if answer is not None else Read(error="it takes too long or too much to be read")

    async def _asked(self, text: str) -> Mapping[str, Any] | None:
        """The worker's answer, None if it was ended over this file: another one starts with the next."""
        fresh = self._process is None
        process = self._process = self._process or await self._sandbox.start_script(WORKER)
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both are pipes
        line, started = b"", time.monotonic()
        with contextlib.suppress(TimeoutError, ValueError, BrokenPipeError, ConnectionResetError):
            async with asyncio.timeout(max(0, min(self._sandbox.limits.seconds, self._seconds_left))):
                process.stdin.write(json.dumps(text).encode() + b"\n")
                await process.stdin.drain()
                line = await process.stdout.readline()
        self._seconds_left -= time.monotonic() - started
        if line.endswith(b"\n"):
            answer: Mapping[str, Any] = json.loads(line)
            return answer
        cause = await self._last_words(process) if fresh else ""
        await self.close()
        if "ImportError" in cause or "ModuleNotFoundError" in cause:
            raise ToolError(f"the HCL parser failed: {cause}", help="`pip install` the bot again with its packages")
        # An old one may have used up its time over others.
        return None if fresh else await self._asked(text)

    async def _last_words(self, process: asyncio.subprocess.Process) -> str:
        assert process.stderr is not None  # noqa: S101 - it is a pipe
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                said = await process.stderr.read(1 << 16)
                return said.decode(errors="replace").strip().rpartition("\n")[2]
        return ""


def _read(path: str, row: Mapping[str, Any]) -> Read:
    if "error" in row:
        return Read(error=row["error"], line=row["line"])
    blocks = (
        Block(path, b["type"], tuple(b["labels"]), b["line"], b["body"], {tuple(p): line for p, line in b["lines"]})
        for b in row["blocks"]
    )
    return Read(tuple(blocks))


def _json(path: str, data: bytes) -> Read:
    """JSON by its own rules; YAML's reader, which takes nearly all JSON, knows the lines."""
    try:
        document = json.loads(data)
    except ValueError as error:
        return Read(error=str(error), line=getattr(error, "lineno", None))
    except RecursionError:
        return Read(error="it is nested too deeply to be read", line=1)
    if not isinstance(document, dict):
        return Read(error="an object is expected here", line=1)
    lines: Mapping[FieldPath, int] = {}
    with contextlib.suppress(YamlError, IndexError):
        lines = parse(data, path=path, strict=False)[0].lines
    if path.endswith(".tfvars.json"):
        return Read((Block(path, "", (), 1, document, lines),))
    return Read(tuple(b for type, value in document.items() if type != "//" for b in _blocks(path, type, value, lines)))


def _blocks(path: str, type: str, value: Any, lines: Mapping[FieldPath, int]) -> Iterator[Block]:
    for labels, body, place in _labelled(value, LABELS.get(type, 0), (type,)):
        below = {p[len(place) :]: line for p, line in lines.items() if p[: len(place)] == place}
        yield Block(path, type, labels, below.get(()), body, below)


def _labelled(
    value: Any, levels: int, place: FieldPath, labels: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, Any], FieldPath]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _labelled(item, levels, (*place, index), labels)
    elif isinstance(value, dict):
        if levels == 0:
            yield labels, {k: v for k, v in value.items() if k != "//"}, place
            return
        for name, item in value.items():
            yield from _labelled(item, levels - 1, (*place, name), (*labels, name))
