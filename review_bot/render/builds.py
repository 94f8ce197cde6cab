"""Build kustomizations: many in one long-lived process where ours is the same kustomize, else a process for each.

The sandbox and its limits are the same both ways. A build that takes too long or writes too much ends its worker and
is told so; one that takes its worker down with it is built once more by itself, so that its own words are heard. The
others go on in a new worker.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from review_bot.core.errors import ToolError
from review_bot.core.tools import find
from review_bot.render.go_modules import modules
from review_bot.render.sandbox import CHECKOUT, Limits, Outcome, Sandbox, end, works

BATCH = "kustomize-batch"
# What decides about the output; two programs that agree on these write the same.
DECIDING = ("sigs.k8s.io/kustomize/api", "sigs.k8s.io/kustomize/kyaml")


@dataclass(frozen=True, slots=True)
class Build:
    """A `folder` of a checkout to build; its file `entry` is read as `content`, as it lies there for None."""

    checkout: Path
    folder: str
    entry: str
    content: str | None = None


class Builder(Protocol):
    async def build(self, wanted: Build) -> Outcome:
        """What kustomize writes. Raises ToolError where a tool or the sandbox is missing."""
        ...

    async def close(self) -> None:
        """End what is still running."""
        ...


def builder(sandbox: Sandbox) -> Builder:
    """The faster one, if it answers to the letter what the kustomize of this machine would. Raises ToolError."""
    kustomize = find("kustomize")
    alone = Processes(sandbox, kustomize)
    try:
        batch = find(BATCH)
    except ToolError:
        return alone
    theirs, ours = modules(kustomize), modules(batch)
    same = all(name in ours and ours[name] == theirs.get(name) for name in DECIDING)
    return Workers(sandbox, batch, alone) if same else alone


@dataclass(frozen=True)
class Processes:
    """One kustomize process a build."""

    sandbox: Sandbox
    kustomize: Path

    async def build(self, wanted: Build) -> Outcome:
        verb = ["kustomize"] if self.kustomize.name == "kubectl" else ["build"]
        words = [*verb, f"{{repo}}/{wanted.folder}"]
        if wanted.content is None:
            return await self.sandbox.run(self.kustomize, words, wanted.checkout)
        with tempfile.TemporaryDirectory(prefix="review-bot-entry-") as work:
            copy = Path(work) / "kustomization.yaml"
            copy.write_text(wanted.content)
            return await self.sandbox.run(self.kustomize, words, wanted.checkout, overlays={wanted.entry: copy})

    async def close(self) -> None:
        """Nothing runs on between builds."""


@dataclass
class Workers:
    """Processes that build one kustomization after another, each in the sandbox of one checkout."""

    sandbox: Sandbox
    tool: Path
    alone: Processes
    _idle: list[_Worker] = field(default_factory=list)
    _usable: bool = True

    async def build(self, wanted: Build) -> Outcome:
        # JSON has no letters for a name that is not UTF-8.
        if self._usable and wanted.folder.isprintable():
            outcome = await self._by_worker(wanted)
            if outcome is not None:
                return outcome
            # It took its worker down, or there is no sandbox here and no worker ever comes up.
            self._usable = works()
        return await self.alone.build(wanted)

    async def _by_worker(self, wanted: Build) -> Outcome | None:
        try:
            worker = await self._worker(wanted.checkout)
        except ToolError:
            return None
        outcome = None
        try:
            outcome = await worker.build(wanted)
        finally:
            if outcome is None or outcome.trouble:
                await end(worker.process)
            else:
                self._idle.append(worker)
        return outcome

    async def _worker(self, checkout: Path) -> _Worker:
        for worker in self._idle:
            if worker.checkout == checkout:
                self._idle.remove(worker)
                return worker
        if self._idle:
            # No more processes than builds at a time: the checkout that nobody asks for makes room.
            await end(self._idle.pop(0).process)
        process = await self.sandbox.start(self.tool, [], checkout, answers=True)
        return _Worker(process, checkout, self.sandbox.limits)

    async def close(self) -> None:
        while self._idle:
            await end(self._idle.pop().process)


@dataclass(frozen=True)
class _Worker:
    process: asyncio.subprocess.Process
    checkout: Path
    limits: Limits

    async def build(self, wanted: Build) -> Outcome | None:
        """The answer, None if there is none because the process has ended."""
        request = {
            "path": f"{CHECKOUT}/{wanted.folder}",
            "entry": f"{CHECKOUT}/{wanted.entry}",
            "content": wanted.content,
        }
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await self._ask(json.dumps(request).encode() + b"\n")
        except TimeoutError:
            return self.limits.too_slow()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            return None

    async def _ask(self, request: bytes) -> Outcome:
        requests, answers = self.process.stdin, self.process.stdout
        assert requests is not None and answers is not None  # noqa: S101 - it was started with both
        requests.write(request)
        await requests.drain()
        status, _, size = (await answers.readuntil(b"\n")).decode().strip().partition(" ")
        if int(size) > self.limits.output_bytes:
            return self.limits.too_much()
        output = await answers.readexactly(int(size))
        if status == "ok":
            return Outcome(0, output, "")
        return Outcome(1, b"", f"error: {output.decode(errors='replace')}")
