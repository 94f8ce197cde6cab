"""Archives unpacked so that nothing in them can reach out of their folder."""

from __future__ import annotations

import gzip
import io
import os
import posixpath
import tarfile
import zlib

from review_bot.core.errors import InputError
from review_bot.core.files_tree import Files

MOST_FILES = 20_000
MOST_BYTES = 256 << 20
LONGEST_PATH, LONGEST_NAME = 1024, 255
_SMALLER = "vendor a smaller one"


def unpacked(data: bytes, what: str) -> Files:
    """The plain files of a .tar.gz by path; links and devices are left out. Raises InputError."""
    files: dict[str, bytes] = {}
    size = 0
    try:
        # Uncompressed once and no more: a tar may hold another compressed one.
        with tarfile.open(fileobj=io.BytesIO(_uncompressed(data, what)), mode="r:") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                path = _checked(member.name, what)
                size += member.size
                if size > MOST_BYTES or len(files) >= MOST_FILES:
                    raise InputError(f"{what} unpacks to too much", help=_SMALLER)
                content = archive.extractfile(member)
                files[path] = content.read() if content is not None else b""
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"{what} is no .tar.gz: {error}", help="look at what lies there") from error
    _no_file_is_a_folder(files, what)
    return files


def _checked(name: str, what: str) -> str:
    """The path without detours. Raises InputError for one that leaves the archive or fits into no folder."""
    path = posixpath.normpath(name)
    if path.startswith(("/", "../")) or path in (".", "..") or "\\" in path or "\0" in path:
        raise InputError(f"{what} holds {name!r}, which leads out of it", help="nobody should use this archive")
    if len(os.fsencode(path)) > LONGEST_PATH or any(len(os.fsencode(p)) > LONGEST_NAME for p in path.split("/")):
        raise InputError(f"{what} holds a file with too long a name", help="shorten it")
    return path


def _no_file_is_a_folder(files: Files, what: str) -> None:
    for path in files:
        above = posixpath.dirname(path)
        while above:
            if above in files:
                raise InputError(f"{what} holds {above!r} both as a file and as a folder", help="pack it again")
            above = posixpath.dirname(above)


def _uncompressed(data: bytes, what: str) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        found = stream.read(MOST_BYTES + 1)
    if len(found) > MOST_BYTES:
        raise InputError(f"{what} unpacks to too much", help=_SMALLER)
    return found


def without_top(files: Files) -> Files:
    """The files of an archive's single top folder, as charts are packed."""
    tops = {path.partition("/")[0] for path in files}
    if len(tops) != 1 or any("/" not in path for path in files):
        return files
    return {path.partition("/")[2]: data for path, data in files.items()}
