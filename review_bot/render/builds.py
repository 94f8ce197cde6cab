"""Build kustomizations: many in one long-lived process where ours is the same kustomize, else a process for each.

The sandbox and its limits are the same both ways. A build that takes too long or writes too much ends its worker and
is told so; one that takes its worker down with it is built once more by itself, so that its own words are heard. The
others go on in a new worker.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from review_bot.core.errors import ToolError
from review_bot.core.platform import Platform
from review_bot.core.tools import PINNED, find
from review_bot.render.go_modules import modules
from review_bot.render.sandbox import CHECKOUT, Limits, Outcome, Sandbox, end, works

BATCH = "kustomize-batch"
# What it says first, with the number of what it understands.
GREETING = f"{BATCH} {PINNED[BATCH].rpartition('-')[2]}\n".encode()
# Where it expects the checkouts (kustomize_batch/files.go).
SIDES = "/sides"
# Starting a worker costs as much as some ten builds.
WORTH_A_WORKER = 10
# Where a build that inflates charts finds helm, and what calls it (kustomize_batch/helm.go).
HELM, HELM_3, HELM_VARIABLE = "helm", "helm-3", "REVIEW_BOT_HELM"
# What decides about the output; two programs that agree on these write the same.
DECIDING = ("sigs.k8s.io/kustomize/api", "sigs.k8s.io/kustomize/kyaml")


@dataclass(frozen=True, slots=True)
class Build:
    """A `folder` of a checkout to build; its file `entry` is read as `content`, as it lies there for None.

    `unrestricted`: files of the checkout above the folder may be read. `helm`: charts are inflated, and told this.
    """

    checkout: Path
    folder: str
    entry: str
    content: str | None = None
    unrestricted: bool = False
    helm: Platform | None = None


class Builder(Protocol):
    async def build(self, wanted: Build) -> Outcome:
        """What kustomize writes. Raises ToolError where a tool or the sandbox is missing."""
        ...

    async def close(self) -> None:
        """End what is still running."""
        ...


def builder(sandbox: Sandbox, checkouts: Sequence[Path], expected: int) -> Builder:
    """The faster one, if it answers to the letter what the kustomize of this machine would. Raises ToolError.

    `expected` says about how many builds of the checkouts there will be.
    """
    kustomize = find("kustomize")
    alone = Processes(sandbox, kustomize)
    try:
        batch = find(BATCH)
    except ToolError:
        return alone
    theirs, ours = modules(kustomize), modules(batch)
    if any(name not in ours or ours[name] != theirs.get(name) for name in DECIDING):
        return alone
    width = max(1, min(os.cpu_count() or 1, expected // WORTH_A_WORKER))
    return Workers(sandbox, batch, alone, tuple(checkouts), width)


def _inflating(platform: Platform) -> list[str]:
    """As Argo CD has kustomize call helm. Kustomize asks for version 3, for which our own program answers."""
    words = ["--enable-helm", "--helm-command", f"{{{HELM_3}}}", "--helm-kube-version", platform.kubernetes]
    return [*words, *(word for api in platform.apis for word in ("--helm-api-versions", api))]


@dataclass(frozen=True)
class Processes:
    """One kustomize process a build."""

    sandbox: Sandbox
    kustomize: Path

    async def build(self, wanted: Build) -> Outcome:
        verb = ["kustomize"] if self.kustomize.name == "kubectl" else ["build"]
        words = [*verb, f"{{repo}}/{wanted.folder}"]
        words += ["--load-restrictor", "LoadRestrictionsNone"] if wanted.unrestricted else []
        run = partial(self.sandbox.run, self.kustomize, words, wanted.checkout)
        if wanted.helm is not None:
            words += _inflating(wanted.helm)
            helm = find("helm")
            run = partial(run, beside={HELM: helm, HELM_3: find(BATCH)}, environment={HELM_VARIABLE: str(helm)})
        if wanted.content is None:
            return await run()
        with tempfile.TemporaryDirectory(prefix="review-bot-entry-") as work:
            copy = Path(work) / "kustomization.yaml"
            copy.write_text(wanted.content)
            return await run(overlays={wanted.entry: copy})

    async def close(self) -> None:
        """Nothing runs on between builds."""


class Workers:
    """At most `width` processes that build one kustomization after another, in a sandbox that holds the checkouts."""

    def __init__(self, sandbox: Sandbox, tool: Path, alone: Processes, checkouts: Sequence[Path], width: int) -> None:
        self._sandbox = sandbox
        self._tool = tool
        self._alone = alone
        self._places = {checkout: f"{SIDES}/{number}" for number, checkout in enumerate(checkouts)}
        self._slots = asyncio.Semaphore(width)
        self._idle: list[_Worker] = []
        self._usable = True
        self._greeted = False

    async def build(self, wanted: Build) -> Outcome:
        # JSON has no letters for a name that is not UTF-8.
        if self._usable and wanted.helm is None and wanted.folder.isprintable():
            async with self._slots:
                outcome = await self._by_worker(wanted)
            if outcome is not None:
                return outcome
            # It took its worker down; or no worker comes up here, which once is enough to know.
            self._usable = self._greeted and works()
        return await self._alone.build(wanted)

    async def _by_worker(self, wanted: Build) -> Outcome | None:
        worker = self._idle.pop() if self._idle else await self._started(wanted.checkout)
        if worker is None:
            return None
        outcome = None
        try:
            outcome = await worker.build(wanted, self._places[wanted.checkout])
        finally:
            if outcome is None or outcome.trouble:
                await end(worker.process)
            else:
                self._idle.append(worker)
        return outcome

    async def _started(self, folder: Path) -> _Worker | None:
        mounts = {place: checkout for checkout, place in self._places.items()}
        try:
            process = await self._sandbox.start(self._tool, mounts, folder)
        except ToolError:
            return None
        worker = _Worker(process, self._sandbox.limits)
        up = False
        try:
            up = await worker.greets()
        finally:
            if not up:
                await end(process)
        self._greeted = self._greeted or up
        return worker if up else None

    async def close(self) -> None:
        while self._idle:
            await end(self._idle.pop().process)


@dataclass(frozen=True)
class _Worker:
    process: asyncio.subprocess.Process
    limits: Limits

    async def greets(self) -> bool:
        """Has it come up, and does it understand what it will be asked?"""
        assert self.process.stdout is not None  # noqa: S101 - it was started with one
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await self.process.stdout.readexactly(len(GREETING)) == GREETING
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            return False

    async def build(self, wanted: Build, place: str) -> Outcome | None:
        """The answer, None if there is none because the process has ended. The checkout is mounted at `place`."""
        request = {
            "at": place,
            "path": f"{CHECKOUT}/{wanted.folder}",
            "entry": f"{CHECKOUT}/{wanted.entry}",
            "content": wanted.content,
            "unrestricted": wanted.unrestricted,
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
