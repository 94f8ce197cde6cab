"""Which modules a Go program was built from, read from the program itself without running it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

_MAGIC = b"\xff Go buildinf:"
# Programs say it with their strings inline since Go 1.18; the header before them has a fixed size.
_INLINE, _HEADER = 2, 32
_MOST = 1 << 20


def modules(program: Path) -> Mapping[str, str]:
    """From module to version; {} for what is no 64-bit Linux program of Go 1.18 or newer. Never raises."""
    try:
        text = _build_info(program).decode()
    except (OSError, ValueError, IndexError, struct.error):
        return {}
    found, last = {}, ""
    for fields in (row.split("\t") for row in text.splitlines()):
        if fields[0] == "dep" and len(fields) > 2:
            last = fields[1]
            found[last] = fields[2]
        elif fields[0] == "=>":
            # Replaced by other code: its version says nothing.
            found.pop(last, None)
    return found


def _build_info(program: Path) -> bytes:
    """The text that `go version -m` prints, framed by 16 bytes on either side. The format: debug/buildinfo in Go."""
    with program.open("rb") as file:
        head = file.read(64)
        if head[:6] != b"\x7fELF\x02\x01":
            raise ValueError("not a 64-bit little-endian ELF file")
        (start,) = struct.unpack_from("<Q", head, 0x28)
        size, count = struct.unpack_from("<HH", head, 0x3A)
        file.seek(start)
        table = file.read(size * count)
        for row in range(count):
            _, kind, _, _, offset, length = struct.unpack_from("<IIQQQQ", table, row * size)
            file.seek(offset)
            if kind == 1 and length < _MOST and file.read(len(_MAGIC)) == _MAGIC:
                file.seek(offset)
                return _second_string(file.read(length))
    raise ValueError("not a Go program")


def _second_string(section: bytes) -> bytes:
    """Go's version stands first, the modules second; each after its length as a varint."""
    if not section[len(_MAGIC) + 1] & _INLINE:
        raise ValueError("built by an older Go")
    length, start = _varint(section, _HEADER)
    length, start = _varint(section, start + length)
    return section[start : start + length][16:-16]


def _varint(data: bytes, start: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[start]
        start += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, start
        shift += 7
