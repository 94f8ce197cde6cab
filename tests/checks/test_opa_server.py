"""OPA that stays up answers what a one-shot OPA answers, and leaves to it what it can't."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from review_bot.checks import opa
from review_bot.checks.context import NoAnswer
from review_bot.checks.opa_server import OpaServers

POLICY = """package main
deny_big contains msg if {
	input.size > 3
	msg := sprintf("%d is too big", [input.size])
}
"""


def written(folder: Path, **files: str) -> list[Path]:
    for name, text in files.items():
        (folder / f"{name}.rego").write_text(text)
    return [folder / f"{name}.rego" for name in files]


def test_it_answers_as_a_one_shot_does_and_again_without_a_new_process(tmp_path: Path) -> None:
    async def ask() -> None:
        servers = OpaServers()
        files = written(tmp_path, a=POLICY)
        try:
            for size in (1, 4, 5):
                expected = await opa.evaluate("data.main", files, {"size": size}, tmp_path)
                assert await servers.query(files, "main", {"size": size}) == expected
            assert len(servers._servers) == 1
            assert await servers.query(files, "nothing", {}) is None
        finally:
            await servers.close()

    asyncio.run(ask())


@pytest.mark.parametrize(
    "policy",
    [
        "package main\ndeny contains",
        'package main\ndeny contains x if { x := http.send({"method": "get", "url": "http://127.0.0.1"}) }',
        "package main\ndeny contains x if { x := opa.runtime() }",
        "package main\na := 1 if input.x\na := 2 if input.x",
    ],
)
def test_what_does_not_compile_is_forbidden_or_raises_is_left_to_the_one_shot(tmp_path: Path, policy: str) -> None:
    async def ask() -> None:
        servers = OpaServers()
        try:
            with pytest.raises(NoAnswer):
                await servers.query(written(tmp_path, a=policy), "main", {"x": True})
        finally:
            await servers.close()

    asyncio.run(ask())


def test_a_server_that_died_is_replaced(tmp_path: Path) -> None:
    async def ask() -> None:
        servers = OpaServers()
        files = written(tmp_path, a=POLICY)
        try:
            await servers.query(files, "main", {"size": 1})
            (server,) = servers._servers.values()
            os.kill(server._process.pid, signal.SIGKILL)
            await server._process.wait()
            assert await servers.query(files, "main", {"size": 4}) == {"deny_big": ["4 is too big"]}
        finally:
            await servers.close()

    asyncio.run(ask())
