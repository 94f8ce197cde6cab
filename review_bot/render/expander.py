"""The small languages of delivery tools, spoken by gitops-words: a Go program of ours in the sandbox."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from review_bot.core.delivery import Assignment, ValuesSource, Variable
from review_bot.core.errors import InputError, ToolError
from review_bot.core.tools import PINNED, find
from review_bot.render.sandbox import Sandbox

PROGRAM = "gitops-words"
# What it says first, with the number of what it understands.
GREETING = f"{PROGRAM} {PINNED[PROGRAM].rpartition('-')[2]}\n".encode()


class Expander:
    """One process, started when it is first asked and kept until `close`. Safe to use from several threads.

    Is a core.delivery.Templating.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def go_templates(
        self,
        template: Any,
        parameters: Sequence[Mapping[str, Any]],
        options: Sequence[str] = (),
        delimiters: tuple[str, str] = ("{{", "}}"),
    ) -> list[Any]:
        """See core.delivery.Templating."""
        wanted = {"template": template, "parameters": list(parameters), "options": list(options)}
        answer = self._ask("template", wanted | {"delimiters": list(delimiters)})
        return list(answer) if parameters else []

    def substitute(self, values: Sequence[Any], variables: Mapping[str, str]) -> list[Any]:
        """See core.delivery.Templating. The message of an InputError begins with the value's number and a colon."""
        return list(self._ask("substitute", {"values": list(values), "variables": dict(variables)}))

    def compose(self, own: Mapping[str, Any], sources: Sequence[ValuesSource]) -> dict[str, Any]:
        """See core.delivery.Templating. The message of an InputError begins with the path and a colon."""
        rows = [
            {"path": s.path, "value": s.value, "literal": s.literal} if isinstance(s, Assignment) else {"values": s}
            for s in sources
        ]
        return dict(self._ask("compose", {"object": dict(own), "sources": rows}))

    def resource_set(self, templates: Sequence[Any], inputs: Sequence[Mapping[str, Any] | None]) -> list[Any]:
        """See core.delivery.Templating. The message of an InputError begins with the template's number and a colon."""
        return list(self._ask("resources", {"templates": list(templates), "inputs": list(inputs)}))

    def jsonnet(
        self,
        path: str,
        files: Mapping[str, str],
        libraries: Sequence[str] = (),
        external: Sequence[Variable] = (),
        top_level: Sequence[Variable] = (),
    ) -> Any:
        """See core.delivery.Templating."""
        wanted = {"path": path, "files": dict(files), "libraries": list(libraries)}
        return self._ask("jsonnet", wanted | {"external": _rows(external), "top_level": _rows(top_level)})

    def hcl(self, text: str, path: str) -> Mapping[str, Any]:
        """A file of Terraform's: `blocks` (with `type`, `labels`, `line`, `body`, `lines`), or `error` and `line`.

        In a body nested blocks are lists of bodies (with labels: lists of mappings from the label), literals are what
        they mean, and every other expression is a text `${…}` that no comment and no space tells from an equal one.
        `lines` are pairs of a path into the body and its line. Raises InputError where it takes too long or too much.
        """
        return dict(self._ask("hcl", {"text": text, "path": path}))

    def helmfile(
        self, path: str, environment: str, names: Sequence[str], files: Mapping[str, str]
    ) -> Mapping[str, Any]:
        """See core.delivery.Templating."""
        wanted = {"path": path, "environment": environment, "names": list(names), "files": dict(files)}
        return dict(self._ask("helmfile", wanted))

    def close(self) -> None:
        """End the process; a later question starts another."""
        with self._lock:
            self._end()

    def _ask(self, operation: str, wanted: Mapping[str, Any]) -> Any:
        request = json.dumps({"operation": operation, **wanted}).encode() + b"\n"
        with self._lock:
            # One that is asked for the second time may have been taken down by what it was asked before.
            for _ in range(2):
                fresh = self._process is None
                process = self._process = self._process or self._started()
                status, output = self._exchange(process, request)
                if status is not None:
                    break
                self._end()
                if fresh or output:
                    break
        text = output.decode(errors="replace")
        if status == "ok":
            return json.loads(output)
        raise InputError(text.replace("\0", ": ", 1) or f"{PROGRAM} ended while it was evaluating this")

    def _exchange(self, process: subprocess.Popen[bytes], request: bytes) -> tuple[str | None, bytes]:
        """Status and output; no status where the process ended, with words where it was stopped."""
        limits = self._sandbox.limits
        stopped: list[str] = []

        def stop() -> None:
            stopped.append(limits.too_slow().trouble)
            _kill(process)

        clock = threading.Timer(limits.seconds, stop)
        clock.start()
        try:
            assert process.stdin is not None and process.stdout is not None  # noqa: S101 - it was started with both
            process.stdin.write(request)
            process.stdin.flush()
            status, _, size = process.stdout.readline().decode().strip().partition(" ")
            if not size:
                return None, "".join(stopped).encode()
            if int(size) > limits.output_bytes:
                return None, limits.too_much().trouble.encode()
            return status, process.stdout.read(int(size))
        except (OSError, ValueError):
            return None, "".join(stopped).encode()
        finally:
            clock.cancel()

    def _started(self) -> subprocess.Popen[bytes]:
        process = self._sandbox.open(find(PROGRAM), Path(tempfile.gettempdir()))
        assert process.stdout is not None  # noqa: S101 - it was started with one
        if process.stdout.readline() != GREETING:
            self._process = process
            self._end()
            raise ToolError(f"{PROGRAM} does not run here, or is of another version", help="run `make tools` again")
        return process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            _kill(process)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _rows(variables: Sequence[Variable]) -> list[dict[str, Any]]:
    return [{"name": v.name, "value": v.value, "code": v.code} for v in variables]
