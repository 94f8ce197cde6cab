"""Tokens and keys reach nobody but GitHub and git's credential hand-over."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import pytest
from repositories import DEPLOYMENT
from town import Town, played, until

from review_bot.core.tools import find

SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {password: correct-horse-battery}
"""


@pytest.fixture
def spied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every tool that the bot starts first writes down its arguments and environment."""
    log, folder = tmp_path / "spied", tmp_path / "bin"
    folder.mkdir()
    log.mkdir()
    for name in ("git", "bwrap", "opa"):
        script = folder / name
        script.write_text(
            f'#!/bin/sh\n{{ echo "$0 $*"; tr "\\0" "\\n" < /proc/self/environ; }} > {log}/$$.{name}\n'
            f'exec {find(name)} "$@"\n'
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return log


def test_no_child_and_no_file_holds_a_token_key_or_secret(
    tmp_path: Path, spied: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    issued: set[str] = set()

    async def story(here: Town) -> None:
        number, sha = await here.open("secret", {"app/secret.yaml": SECRET})
        await here.completed(sha)

        async def comment() -> list[str] | None:
            return await here.sticky(number) or None

        (said,) = await until(comment, "the comment")
        issued.update(here.github.hub.tokens._installations)
        hidden = [*issued, here.github.app.webhook_secret, here.github.app.private_key.splitlines()[1]]
        assert issued
        assert "correct-horse" not in said
        for root in (here.root / "state", spied):
            for path in (p for p in root.rglob("*") if p.is_file()):
                text = path.read_bytes().decode(errors="replace")
                assert not [h for h in hidden if h in text], path
                assert "correct-horse" not in text or (path.suffix in (".pack", "") and "objects" in path.parts)
        assert not [h for h in hidden if h in caplog.text]

    played(tmp_path / "town", story, {"app/deploy.yaml": DEPLOYMENT, "OWNERS": "approvers: [carol]\n"})
    assert {p.suffix for p in spied.iterdir()} >= {".git"}
