"""Terraform files as blocks: HCL read by its own parser, which gitops-words holds, JSON by our own reader."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from review_bot.core.errors import InputError, YamlError
from review_bot.core.model import FieldPath
from review_bot.core.terraform.blocks import LABELS, Block
from review_bot.core.yaml_reader import parse
from review_bot.render.expander import Expander

MAX_BYTES = 1024 * 1024
# Many files that each take long must not hold a review up for ever.
SECONDS_FOR_ALL = 120
HELP = "mend the syntax; `tofu fmt` or `terraform fmt` names the place too"


@dataclass(frozen=True, slots=True)
class Read:
    """A file's blocks, or why there are none: `error` with its line."""

    blocks: tuple[Block, ...] = ()
    error: str = ""
    line: int | None = None


class Parser:
    """Reads each file of a review once."""

    def __init__(self, expander: Expander) -> None:
        self._expander = expander
        self._turn = asyncio.Lock()
        self._known: dict[tuple[str, bytes], Read] = {}
        self._seconds_left: float = SECONDS_FOR_ALL

    async def read(self, contents: Mapping[str, bytes]) -> dict[str, Read]:
        """Every file's blocks by its path. Raises ToolError where gitops-words is missing."""
        async with self._turn:
            return await asyncio.to_thread(self._all, contents)

    def _all(self, contents: Mapping[str, bytes]) -> dict[str, Read]:
        return {path: self._once(path, data) for path, data in contents.items()}

    def _once(self, path: str, data: bytes) -> Read:
        key = path, hashlib.sha256(data).digest()
        if key not in self._known:
            started = time.monotonic()
            self._known[key] = self._file(path, data) if self._seconds_left > 0 else Read(error=_TOO_LONG)
            self._seconds_left -= time.monotonic() - started
        return self._known[key]

    def _file(self, path: str, data: bytes) -> Read:
        if len(data) > MAX_BYTES:
            return Read(error=f"it is larger than {MAX_BYTES >> 20} MiB")
        if path.endswith(".json"):
            return _json(path, data)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            return Read(error="it is not UTF-8", line=data.count(b"\n", 0, error.start) + 1)
        try:
            return _read(path, self._expander.hcl(text, path))
        except InputError:
            return Read(error=_TOO_LONG)


_TOO_LONG = "it takes too long or too much to be read"


def _read(path: str, row: Mapping[str, Any]) -> Read:
    if row.get("error"):
        return Read(error=row["error"], line=row["line"])
    blocks = (
        Block(path, b["type"], tuple(b["labels"]), b["line"], b["body"], {tuple(p): line for p, line in b["lines"]})
        for b in row["blocks"]
    )
    return Read(tuple(blocks))


def _json(path: str, data: bytes) -> Read:
    """JSON by its own rules; YAML's reader, which takes nearly all JSON, knows the lines."""
    try:
        document = json.loads(data, object_pairs_hook=_object, parse_constant=_no_number)
    except ValueError as error:
        return Read(error=str(error), line=getattr(error, "lineno", 1))
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


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Blocks may be named several times, arguments may not."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found and name != "//":
            known = found[name]
            if not (isinstance(known, dict | list) and isinstance(value, dict | list)):
                raise ValueError(f"{name} is set twice")
            value = [*(known if isinstance(known, list) else [known]), *(value if isinstance(value, list) else [value])]
        found[name] = value
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


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
