"""OPA as a one-shot child: a whole batch of inputs per process, restricted capabilities, no environment."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from review_bot.checks.context import Jail
from review_bot.core.errors import ToolError
from review_bot.core.tools import cache_dir, find

TIMEOUT_SECONDS = 30
# What a policy must not do: reach the network, or learn about the machine and its environment.
FORBIDDEN = ("http.send", "net.lookup_ip_addr", "opa.runtime", "providers.aws.sign_req")


@dataclass(frozen=True)
class OpaProblem:
    """One thing that OPA said is wrong: `path` (as given to it) and `line` where known."""

    message: str
    code: str = ""
    path: str | None = None
    line: int | None = None


class OpaFailed(Exception):
    """OPA could not evaluate; `problems` say why."""

    def __init__(self, *problems: OpaProblem) -> None:
        super().__init__("; ".join(p.message for p in problems))
        self.problems = problems


async def evaluate(
    query: str,
    files: Sequence[Path],
    document: Any,
    folder: Path,
    *,
    v0: bool = False,
    jail: Jail | None = None,
) -> Any:
    """The value of one query, None where it is undefined. Raises OpaFailed."""
    allowed = capabilities()
    if jail is not None:
        # In there nothing but the folder can be seen.
        (folder / "capabilities.json").write_bytes(allowed.read_bytes())
        (folder / "input.json").write_text(json.dumps(document))
        words = ["eval", "--format", "json", "--input", "input.json", "--capabilities", "capabilities.json"]
    else:
        words = ["eval", "--format", "json", "--stdin-input", "--capabilities", str(allowed)]
    words += ["--v0-compatible"] if v0 else []
    for file in files:
        words += ["--data", str(file.relative_to(folder))]
    output = await _run([*words, query], folder, b"" if jail else json.dumps(document).encode(), jail)
    try:
        answer = json.loads(output)
    except ValueError as error:
        raise OpaFailed(OpaProblem(output.decode(errors="replace")[:300])) from error
    if answer.get("errors"):
        raise OpaFailed(*(_problem(row) for row in answer["errors"]))
    results = answer.get("result")
    return results[0]["expressions"][0]["value"] if results else None


async def metadata(
    files: Sequence[Path], folder: Path, *, v0: bool = False, jail: Jail | None = None
) -> list[Mapping[str, Any]]:
    """The METADATA of the rules: rows with `path` (of the rule), `location` and `annotations`."""
    with tempfile.TemporaryDirectory(prefix="review-bot-inspect-") as work:
        for file in files:
            copy = Path(work) / file.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
        words = ["inspect", "--annotations", "--format", "json", *(["--v0-compatible"] if v0 else []), "."]
        output = await _run(words, Path(work), b"", jail)
    try:
        rows = json.loads(output).get("annotations")
    except ValueError:
        return []
    return [row for row in rows or [] if isinstance(row, dict)]


async def rules(file: Path, folder: Path, *, v0: bool = False, jail: Jail | None = None) -> set[tuple[str, str]]:
    """The (package, rule) names that a module defines; none if it does not parse."""
    words = ["parse", "--format", "json", *(["--v0-compatible"] if v0 else []), str(file.relative_to(folder))]
    try:
        module = json.loads(await _run(words, folder, b"", jail))
    except (ToolError, OpaFailed, ValueError):
        return set()
    package = ".".join(str(p.get("value")) for p in module.get("package", {}).get("path", [])[1:])
    heads = [rule.get("head", {}) for rule in module.get("rules") or []]
    return {(package, str(head.get("name") or (head.get("ref") or [{}])[0].get("value"))) for head in heads}


def capabilities() -> Path:
    """A capabilities file for this OPA without the forbidden builtins, made once a version."""
    opa = find("opa")
    about = opa.stat()
    path = cache_dir() / "opa" / f"capabilities-{about.st_size}-{about.st_mtime_ns}.json"
    if not path.is_file():
        done = subprocess.run([str(opa), "capabilities", "--current"], capture_output=True, check=True, timeout=30)
        content = json.loads(done.stdout)
        content["builtins"] = [b for b in content["builtins"] if b["name"] not in FORBIDDEN]
        content["allow_net"] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as partial:
            json.dump(content, partial)
        os.replace(partial.name, path)
    return path


async def _run(words: Sequence[str], folder: Path, stdin: bytes, jail: Jail | None) -> bytes:
    if jail is not None:
        ran = await jail.run(find("opa"), words, folder)
        return _output(ran.stdout, ran.stderr, ran.status, ran.trouble)
    process = await asyncio.create_subprocess_exec(
        str(find("opa")),
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=str(folder),
        env={"HOME": str(folder), "LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            stdout, stderr = await process.communicate(stdin)
    except TimeoutError as error:
        raise OpaFailed(OpaProblem(f"evaluation took longer than {TIMEOUT_SECONDS} s", "timeout")) from error
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return _output(stdout, stderr.decode(errors="replace"), process.returncode or 0, "")


def _output(stdout: bytes, stderr: str, status: int, trouble: str) -> bytes:
    if trouble:
        raise OpaFailed(OpaProblem(trouble, "stopped"))
    if not stdout.strip() and status:
        raise ToolError(f"opa failed: {stderr.strip()[:500]}", help="run `review-bot doctor`")
    return stdout


def _problem(row: Mapping[str, Any]) -> OpaProblem:
    location = row.get("location") or {}
    path = location.get("file") or None
    return OpaProblem(str(row.get("message")), str(row.get("code", "")), path, location.get("row"))
