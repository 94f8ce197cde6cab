"""Requests to one cluster: bounded in time, counted, retried only where that can't do harm.

The official client gives credentials and the connection pool. Its typed models are not used: objects pass as they are.
Every write that the bot asks for carries `dryRun=All`; there is no way through this module to send another one.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3

from review_bot.cluster.connection import Connection, connect
from review_bot.core.clusters import ClusterSettings
from review_bot.core.errors import ClusterError

APPLY = "application/apply-patch+yaml"
JSON = "application/json"
CONNECT_SECONDS = 5.0
MOST_TRIES = 3
MOST_WAIT_SECONDS = 5.0
MOST_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
# So many failures one after another are no accident: the rest is not asked.
MOST_FAILURES = 3
TOKEN_SECONDS = 20.0
TOO_MANY = 429
UNAUTHORIZED = 401
_WARNING = re.compile(r'\b299 \S+ "((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is the JSON object; `warnings` the texts of the API server's Warning headers."""

    status: int
    body: Mapping[str, Any]
    warnings: tuple[str, ...] = ()

    @property
    def fine(self) -> bool:
        return 200 <= self.status < 300


class ClusterClient:
    """Asks one cluster; safe to use from many threads."""

    def __init__(self, settings: ClusterSettings, connection: Connection | None = None) -> None:
        from kubernetes.client.rest import RESTClientObject

        found = connection or connect(settings)
        self.settings = settings
        self.namespace = found.namespace
        self.requests = 0
        self._configuration = found.configuration
        rest: Any = RESTClientObject(found.configuration)
        self._pools: urllib3.PoolManager = rest.pool_manager
        host = str(found.configuration.host)
        # One host needs no choice among pools, which takes longer than sending a request. Plain HTTP may go by a proxy,
        # which wants the whole address.
        secure = host.startswith("https://")
        self._open = self._pools.connection_from_url(host).urlopen if secure else self._pools.urlopen
        self._base = urlsplit(host).path.rstrip("/") if secure else host
        self._timeout = urllib3.Timeout(
            connect=min(CONNECT_SECONDS, settings.timeout_seconds), read=settings.timeout_seconds
        )
        self._lock = threading.Lock()
        self._failures = 0
        self._down: ClusterError | None = None
        self._bearer: str | None = None
        self._token_until = 0.0

    def close(self) -> None:
        self._pools.clear()

    def get(self, path: str, query: Mapping[str, str] | None = None, accept: str = JSON) -> Answer:
        """Read; tried again after a failed connection. Raises ClusterError if the cluster gives no usable answer."""
        return self._send("GET", path, query or {}, accept=accept)

    def dry_run_apply(self, path: str, manifest: Mapping[str, Any], manager: str, *, force: bool) -> Answer:
        """A server-side apply that is not stored. Raises ClusterError as `get`."""
        query = {"fieldManager": manager, "force": str(force).lower(), "fieldValidation": "Strict", "dryRun": "All"}
        return self._send("PATCH", path, query, _json(manifest), APPLY)

    def dry_run_create(self, path: str, manifest: Mapping[str, Any], manager: str) -> Answer:
        """A creation that is not stored, for objects whose name the server makes up. Raises ClusterError as `get`."""
        query = {"fieldManager": manager, "fieldValidation": "Strict", "dryRun": "All"}
        return self._send("POST", path, query, _json(manifest), JSON)

    def dry_run_delete(self, path: str) -> Answer:
        """A deletion that is not done. Raises ClusterError as `get`."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", "dryRun": ["All"]}
        # Said twice: a server that gets a body does not read the query, and not every proxy passes a body on.
        return self._send("DELETE", path, {"dryRun": "All"}, _json(options), JSON)

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: bytes | None = None,
        content: str | None = None,
        accept: str = JSON,
    ) -> Answer:
        if method != "GET" and query.get("dryRun") != "All":
            raise AssertionError("the bot asks clusters and never writes to them")
        url = f"{self._base}{path}" + (f"?{urlencode(query)}" if query else "")
        for attempt in range(1, MOST_TRIES + 1):
            if self._down is not None:
                raise self._down
            last = attempt == MOST_TRIES
            try:
                answer, wait = self._once(method, url, body, self._headers(content, accept))
            except ClusterError as error:
                if method != "GET" or last:
                    self._failed(error)
                    raise
                time.sleep(_jitter(0.1 * attempt))
                continue
            if answer.status != TOO_MANY:
                self._judge(answer)
                return answer
            # The server has not looked at it, so that sending it again is no second request.
            if not last:
                time.sleep(_jitter(min(wait, MOST_WAIT_SECONDS, self.settings.timeout_seconds)))
        busy = self._error("has too much to do (429)", "review again later")
        self._failed(busy)
        raise busy

    def _once(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> tuple[Answer, float]:
        """One request; the answer, and the seconds that the server asks to wait."""
        deadline = time.monotonic() + self.settings.timeout_seconds
        with self._lock:
            self.requests += 1
        try:
            response = self._open(
                method,
                url,
                body=body,
                headers=headers,
                timeout=self._timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                data = self._read(response, deadline)
            finally:
                response.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise self._error(*_why(error)) from error
        # The header may also be a date; then a second will do.
        wait = response.headers.get("Retry-After", "1")
        return self._answer(response, data), float(wait) if wait.isdigit() else 1.0

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        """The body; the pool's time-out is for each piece, ours for all."""
        data = bytearray()
        try:
            # Not `stream`: that waits until a piece is full, however slowly the bytes come.
            while chunk := response.read1(CHUNK_BYTES):
                data += chunk
                if time.monotonic() > deadline:
                    raise self._error(f"did not answer within {self.settings.timeout_seconds:g} s", _SLOW)
                if len(data) > MOST_BYTES:
                    raise self._error(f"sent more than {MOST_BYTES >> 20} MiB in one answer", "look at that object")
        except BaseException:
            # What is left of the answer would be taken for the next one's.
            response.close()
            raise
        return bytes(data)

    def _answer(self, response: urllib3.BaseHTTPResponse, data: bytes) -> Answer:
        warnings = tuple(
            re.sub(r"\\(.)", r"\1", text)
            for header in response.headers.getlist("Warning")
            for text in _WARNING.findall(header)
        )
        try:
            body = json.loads(data)
        except ValueError as error:
            if response.status in (404, TOO_MANY, UNAUTHORIZED):
                return Answer(response.status, {}, warnings)
            cause = f"sent an answer that is not JSON (status {response.status}, {len(data)} bytes)"
            raise self._error(cause, "is something in front of it that answers instead?") from error
        return Answer(response.status, body if isinstance(body, dict) else {}, warnings)

    def _judge(self, answer: Answer) -> None:
        if answer.status == UNAUTHORIZED:
            error = self._error("does not accept the bot's credentials (401)", "renew the token or certificate")
            self._down = error
            raise error
        self._failures = 0

    def _failed(self, error: ClusterError) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= MOST_FAILURES:
                self._down = error

    def _headers(self, content: str | None, accept: str) -> dict[str, str]:
        headers = {"Accept": accept, "User-Agent": "review-bot"}
        if content is not None:
            headers["Content-Type"] = content
        token = self._token()
        if token:
            headers["Authorization"] = token
        return headers

    def _token(self) -> str | None:
        with self._lock:
            # Asks the client's hook, which reads a token anew that has ended; not each time, for it is slow.
            if time.monotonic() >= self._token_until:
                found = self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
                self._bearer = str(found) if found else None
                self._token_until = time.monotonic() + TOKEN_SECONDS
            return self._bearer

    def _error(self, cause: str, help: str) -> ClusterError:
        return ClusterError(f"the cluster {self.settings.name} {cause}", help=help)


_SLOW = "look at its load and at the way to it, or raise timeout_seconds in the operator's file"


def _why(error: Exception) -> tuple[str, str]:
    """What went wrong on the way, and the next step."""
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError | urllib3.exceptions.NameResolutionError):
        return "can't be reached (no connection)", "check its address and the network between"
    if isinstance(error, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ProxyError):
        return "can't be reached (connection refused)", "check its address and that it runs"
    if isinstance(error, urllib3.exceptions.SSLError):
        return "can't be trusted: its certificate or ours is not accepted", "check the kubeconfig's certificates"
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "did not answer in time", _SLOW
    return "broke off its answer", "check what is between the bot and it"


def _json(manifest: Mapping[str, Any]) -> bytes:
    # JSON is YAML, and the server reads it faster.
    return json.dumps(manifest, separators=(",", ":")).encode()


def _jitter(seconds: float) -> float:
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - only to spread retries
