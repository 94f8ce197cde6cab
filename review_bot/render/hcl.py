"""Terraform files as blocks: HCL read by python-hcl2 in a process that can be ended, JSON by our own reader."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from review_bot.core.errors import ToolError, YamlError
from review_bot.core.model import FieldPath
from review_bot.core.terraform.blocks import LABELS, Block
from review_bot.core.yaml_reader import parse
from review_bot.render.sandbox import Sandbox

WORKER = Path(__file__).with_name("hcl_worker.py")
MAX_BYTES = 1024 * 1024
HELP = "mend the syntax; `terraform fmt` names the place too"


@dataclass(frozen=True, slots=True)
class Read:
    """A file's blocks, or why there are none: `error` with its line."""

    blocks: tuple[Block, ...] = ()
    error: str = ""
    line: int | None = None


async def read(contents: Mapping[str, bytes], sandbox: Sandbox) -> dict[str, Read]:
    """Every file's blocks by its path. Raises ToolError where the parser is missing."""
    found = {path: Read(error=f"it is larger than {MAX_BYTES >> 20} MiB") for path in contents}
    texts: dict[str, str] = {}
    for path, data in contents.items():
        if len(data) > MAX_BYTES:
            continue
        if path.endswith(".json"):
            found[path] = await asyncio.to_thread(_json, path, data)
            continue
        try:
            texts[path] = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            found[path] = Read(error="it is not UTF-8", line=data.count(b"\n", 0, error.start) + 1)
    if texts:
        found |= await _parsed(texts, sandbox)
    return found


async def _parsed(texts: Mapping[str, str], sandbox: Sandbox) -> dict[str, Read]:
    outcome = await sandbox.parse(WORKER, json.dumps(texts).encode())
    if outcome.trouble:
        # One file spoils it for all: ask for each by itself, so that the others are not blamed.
        if len(texts) == 1:
            return {path: Read(error=f"it can't be read: {outcome.trouble}") for path in texts}
        single = [await _parsed({path: text}, sandbox) for path, text in texts.items()]
        return {path: one for rows in single for path, one in rows.items()}
    try:
        answer = json.loads(outcome.stdout)
    except ValueError as error:
        last = outcome.stderr.strip().rpartition("\n")[2]
        raise ToolError(
            f"the HCL parser failed: {last}", help="`pip install` the bot again with its packages"
        ) from error
    return {path: _read(path, row) for path, row in answer.items()}


def _read(path: str, row: Mapping[str, Any]) -> Read:
    if "error" in row:
        return Read(error=row["error"], line=row["line"])
    blocks = (
        Block(path, b["type"], tuple(b["labels"]), b["line"], b["body"], {tuple(p): line for p, line in b["lines"]})
        for b in row["blocks"]
    )
    return Read(tuple(blocks))


def _json(path: str, data: bytes) -> Read:
    """JSON by its own rules; YAML's reader, which takes nearly all JSON, knows the lines."""
    try:
        document = json.loads(data)
    except ValueError as error:
        return Read(error=str(error), line=getattr(error, "lineno", None))
    except RecursionError:
        return Read(error="it is nested too deeply to be read", line=1)
    if not isinstance(document, dict):
        return Read(error="an object is expected here", line=1)
    lines: Mapping[FieldPath, int] = {}
    with contextlib.suppress(YamlError, IndexError):
        lines = parse(data, path=path, strict=False)[0].lines
    if path.endswith(".tfvars.json"):
        return Read((Block(path, "", (), 1, document, lines),))
    return Read(tuple(b for type, value in document.items() if type != "//" for b in _blocks(path, type, value, lines)))


def _blocks(path: str, type: str, value: Any, lines: Mapping[FieldPath, int]) -> Iterator[Block]:
    for labels, body, place in _labelled(value, LABELS.get(type, 0), (type,)):
        below = {p[len(place) :]: line for p, line in lines.items() if p[: len(place)] == place}
        yield Block(path, type, labels, below.get(()), body, below)


def _labelled(
    value: Any, levels: int, place: FieldPath, labels: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, Any], FieldPath]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _labelled(item, levels, (*place, index), labels)
    elif isinstance(value, dict):
        if levels == 0:
            yield labels, {k: v for k, v in value.items() if k != "//"}, place
            return
        for name, item in value.items():
            yield from _labelled(item, levels - 1, (*place, name), (*labels, name))
