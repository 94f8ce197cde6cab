"""A proxy in front of the real API server that misbehaves on demand. It speaks plain HTTP to the bot."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import urllib3

from review_bot.core.clusters import ClusterSettings
from review_bot.demo.cluster import RunningCluster

Fault = Callable[["Handler"], None]


class Proxy(ThreadingHTTPServer):
    """Passes requests on; those that `when` says yes to (method, path, how many came before) meet the fault."""

    daemon_threads = True
    # The bot opens many connections at once; with the default of 5 the kernel drops some of them.
    request_queue_size = 128

    def __init__(self, cluster: RunningCluster, fault: Fault | None, when: Callable[[str, str, int], bool]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        config = json.loads(cluster.kubeconfig.read_text())
        self.pool = urllib3.PoolManager(ca_certs=config["clusters"][0]["cluster"]["certificate-authority"], maxsize=32)
        self.upstream = cluster.server
        self.fault = fault
        self.when = when
        self.seen = 0
        self.methods: Counter[str] = Counter()
        self.over = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A bot that hangs up is no error here."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy = self.server
        before, proxy.seen = proxy.seen, proxy.seen + 1
        proxy.methods[self.command] += 1
        if proxy.fault is not None and proxy.when(self.command, self.path, before):
            proxy.fault(self)
            return
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        url = proxy.upstream + self.path
        answer = proxy.pool.request(self.command, url, headers=headers, body=body or None, retries=False)
        self.send(answer.status, answer.data, [(k, v) for k, v in answer.headers.items() if k == "Warning"])

    do_GET = do_PATCH = do_POST = do_DELETE = answer

    def send(self, status: int, data: bytes, headers: list[tuple[str, str]], length: int | None = None) -> None:
        self.send_response(status)
        for name, value in [("Content-Type", "application/json"), *headers]:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""


def stall(handler: Handler) -> None:
    """Takes the request and never answers."""
    handler.server.over.wait(60)
    handler.close_connection = True


def drip(handler: Handler) -> None:
    """Sends a byte now and then, so that no single read ever times out."""
    handler.send(200, b"{", [], length=1000)
    while not handler.server.over.wait(0.2):
        handler.wfile.write(b" ")


def drip_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.server.over.wait(0.2):
        handler.wfile.write(b"x")


def reset(handler: Handler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def busy(handler: Handler) -> None:
    handler.send(429, b'{"kind": "Status", "message": "too many requests"}', [("Retry-After", "1")])


def broken(handler: Handler) -> None:
    handler.send(500, b"<html>internal error</html>", [])


def truncated(handler: Handler) -> None:
    handler.send(200, b'{"kind": "Deployment", "metadata": {', [])


def nonsense(handler: Handler) -> None:
    """JSON, but nothing that an API server would say."""
    status = 200 if handler.command == "GET" else 409
    handler.send(status, b'{"kind": "APIGroupDiscoveryList", "items": 7, "details": {"causes": 7}}', [])


def cut_off(handler: Handler) -> None:
    """Promises more than it sends."""
    handler.send(200, b'{"kind": "Deployment"', [], length=5000)
    handler.close_connection = True


@contextmanager
def behind(
    cluster: RunningCluster,
    folder: Path,
    fault: Fault | None,
    when: Callable[[str, str, int], bool] = lambda method, path, before: True,
    context: str = "admin",
    **more: Any,
) -> Iterator[tuple[ClusterSettings, Proxy]]:
    """Settings that lead through the proxy, as administrator if nobody else is named."""
    proxy = Proxy(cluster, fault, when)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    config = json.loads(cluster.kubeconfig.read_text())
    config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{proxy.server_port}"}
    path = folder / f"kubeconfig-{proxy.server_port}"
    path.write_text(json.dumps(config))
    try:
        yield ClusterSettings("test", kubeconfig=path, context=context, **more), proxy
    finally:
        proxy.over.set()
        proxy.shutdown()
        proxy.server_close()
        proxy.pool.clear()
        thread.join()
