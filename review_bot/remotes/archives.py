"""Archives unpacked so that nothing in them can reach out of their folder."""

from __future__ import annotations

import gzip
import io
import posixpath
import tarfile

from review_bot.core.errors import InputError
from review_bot.remotes.folders import Files

MOST_FILES = 20_000
MOST_BYTES = 256 << 20


def unpacked(data: bytes, what: str) -> Files:
    """The plain files of a .tar.gz by path; links and devices are left out. Raises InputError."""
    files: dict[str, bytes] = {}
    size = 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream, tarfile.open(fileobj=_bounded(stream, what)) as archive:
            for member in archive:
                path = posixpath.normpath(member.name)
                if not member.isfile() or path.startswith(("/", "../")) or path == "..":
                    continue
                size += member.size
                if size > MOST_BYTES or len(files) >= MOST_FILES:
                    raise InputError(f"{what} unpacks to too much", help="vendor a smaller one")
                content = archive.extractfile(member)
                files[path] = content.read() if content is not None else b""
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise InputError(f"{what} is no .tar.gz: {error}", help="look at what lies there") from error
    return files


def _bounded(stream: gzip.GzipFile, what: str) -> io.BytesIO:
    data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise InputError(f"{what} unpacks to too much", help="vendor a smaller one")
    return io.BytesIO(data)


def without_top(files: Files) -> Files:
    """The files of an archive's single top folder, as charts are packed."""
    tops = {path.partition("/")[0] for path in files}
    if len(tops) != 1 or any("/" not in path for path in files):
        return files
    return {path.partition("/")[2]: data for path, data in files.items()}
