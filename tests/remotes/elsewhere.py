"""What lies elsewhere in these tests: packed charts, and small web servers that hold them."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from review_bot.core.remote_hosts import RemoteHost, RemoteHosts
from review_bot.core.tools import cache_dir
from review_bot.remotes.fetching import Remotes

TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}"}
data: {version: "{{ .Chart.Version }}", greeting: "{{ .Values.greeting }}"}
"""


def packed(files: Mapping[str, bytes], *, links: Mapping[str, str] | None = None, hard: bool = False) -> bytes:
    """A .tgz as `helm package` makes it."""
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for name, data in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
        for name, to in (links or {}).items():
            about = tarfile.TarInfo(name)
            about.type, about.linkname = tarfile.LNKTYPE if hard else tarfile.SYMTYPE, to
            archive.addfile(about)
    return stream.getvalue()


def chart(version: str) -> bytes:
    about = f"apiVersion: v2\nname: web\nversion: {version}\n".encode()
    files = {"web/Chart.yaml": about, "web/values.yaml": b"greeting: hi\n", "web/templates/map.yaml": TEMPLATE.encode()}
    return packed(files, links={"web/link": "/etc/passwd"})


class Served(dict[str, bytes]):
    """What is served, by path; `asked` are the requests with their headers."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.url = ""
        self.redirects: dict[str, str] = {}

    def holds_charts(self, *versions: str) -> None:
        """Make it a Helm repository with these versions of one chart."""
        rows = ""
        for version in versions:
            data = chart(version)
            self[f"/web-{version}.tgz"] = data
            digest = hashlib.sha256(data).hexdigest()
            rows += f"    - {{name: web, version: {version}, urls: [web-{version}.tgz], digest: {digest}}}\n"
        self["/index.yaml"] = f"apiVersion: v1\nentries:\n  web:\n{rows}".encode()

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address at which the handler answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


@contextmanager
def served() -> Iterator[Served]:
    found = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append((self.path, dict(self.headers)))
            if self.path in found.redirects:
                self.send_response(302)
                # Proxies write the names of headers in lower case.
                self.send_header("location", found.redirects[self.path])
                self.end_headers()
                return
            body = found.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with listening(Handler) as found.url:
        yield found


def place(url: str) -> str:
    """As the operator's file names it."""
    return url.partition("://")[2]


def remotes(root: Path, *places: str, private: bool = True, **more: Any) -> Remotes:
    hosts = {p: RemoteHost(p, private=private, plain_http=True, **more) for p in places}
    return Remotes(RemoteHosts.of(hosts), root / "cache")


def operator(root: Path, *places: str, more: str = "") -> dict[str, str]:
    """The environment of a command that may fetch from these places, with a cache of its own."""
    rows = "".join(f'  "{p}": {{private: true, plain_http: true{more}}}\n' for p in places)
    (root / "operator.yaml").write_text(f"version: 1\nremotes:\n{rows}")
    cache = root / "xdg" / "review-bot"
    cache.mkdir(parents=True)
    (cache / "tools").symlink_to(cache_dir() / "tools")
    return {"REVIEW_BOT_CONFIG": str(root / "operator.yaml"), "XDG_CACHE_HOME": str(cache.parent)}
