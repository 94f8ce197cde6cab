"""git ends when it is told to, with all that it has started."""

from __future__ import annotations

import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from elsewhere import listening

from review_bot.core.errors import ToolError
from review_bot.github.git_process import run


def test_a_server_without_end_is_left_with_all_that_was_started(tmp_path: Path) -> None:
    closed = threading.Event()

    class Dripping(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
            self.end_headers()
            with suppress(OSError):
                while not closed.wait(0.05):
                    self.wfile.write(b"0")
            closed.set()

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with listening(Dripping) as url:
        with pytest.raises(ToolError, match="took longer"):
            run(tmp_path, "ls-remote", f"{url}/shared", timeout=1)
        assert closed.wait(30)
