"""One file of a commit's tree written anew, by plumbing in a bare mirror."""

from __future__ import annotations

import tempfile
from pathlib import Path

from review_bot.github.git_process import run


def tree_with(folder: Path, commit: str, path: str, content: bytes) -> str:
    """The tree of `commit` with this content at `path`. Raises GitError."""
    blob = run(folder, "hash-object", "-w", "--stdin", stdin=content).decode().strip()
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": f"{scratch}/index"}
        run(folder, "read-tree", f"{commit}^{{tree}}", extra=index)
        run(folder, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", extra=index)
        return run(folder, "write-tree", extra=index).decode().strip()
