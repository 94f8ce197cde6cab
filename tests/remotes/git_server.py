"""Git repositories served by git's own `http-backend`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import repositories
from elsewhere import listening


class Repositories:
    """Everything below `root`; `asked` are the requests with their headers, `credentials` what is wanted of them.

    Another `status` than 200 is all that it answers; an `is_old` one speaks git's first protocol only.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.url, self.credentials = root, "", ""
        self.asked: list[tuple[str, str]] = []
        self.redirects: dict[str, str] = {}
        self.status, self.is_old = 200, False

    def add(self, name: str, *versions: tuple[str, Mapping[str, str | None]]) -> list[str]:
        """A repository with a commit and tag for each version; the commits."""
        work = self.root / name
        work.mkdir(parents=True)
        repositories.git(work, "init", "-q", "-b", "main")
        commits = []
        for tag, files in versions:
            repositories.write(work, files)
            repositories.commit(work, tag)
            repositories.git(work, "tag", "-a", "-m", tag, tag)
            commits.append(repositories.git(work, "rev-parse", "HEAD"))
        return commits


@contextmanager
def git_server(root: Path) -> Iterator[Repositories]:
    found = Repositories(root)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append((self.path, self.headers.get("Authorization", "")))
            name = self.path.split("/")[1]
            if found.status != 200:
                self.send_error(found.status)
            elif name in found.redirects:
                self.send_response(302)
                self.send_header("Location", self.path.replace(f"/{name}", found.redirects[name], 1))
                self.end_headers()
            elif found.credentials and self.headers.get("Authorization") != found.credentials:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.end_headers()
            else:
                self._answer()

        do_POST = do_GET

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            variables = {
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": parts.path,
                "QUERY_STRING": parts.query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": "" if found.is_old else self.headers.get("Git-Protocol", ""),
            }
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            # It ends with 1 where it refuses, having said so to the client.
            done = subprocess.run(
                ["git", "http-backend"], input=body, capture_output=True, check=False, env={**os.environ, **variables}
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(lines.pop("Status", "200").split()[0]))
            for key, value in lines.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with listening(Handler) as found.url:
        yield found
