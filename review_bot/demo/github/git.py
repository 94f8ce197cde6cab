"""Bare repositories: every git command that the stand-in needs, in a clean environment."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from review_bot.core.tools import find

ZERO = "0" * 40
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG")
_FORMAT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"


class GitError(Exception):
    """git said no; the text is what it wrote to stderr."""


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Commit:
    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """No credentials, no prompts, no system or user configuration."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    fixed = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    return {**kept, **fixed, **(extra or {})}


async def run(folder: Path, *words: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> bytes:
    """git's stdout. Raises GitError."""
    code, out, err = await attempt(folder, *words, stdin=stdin, extra=extra)
    if code != 0:
        raise GitError(err.decode(errors="replace").strip() or f"git {words[0]} ended with {code}")
    return out


async def attempt(
    folder: Path, *words: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None
) -> tuple[int, bytes, bytes]:
    """git's exit status, stdout and stderr."""
    child = await asyncio.create_subprocess_exec(
        str(find("git")),
        "-C",
        str(folder),
        "-c",
        "core.quotePath=false",
        "-c",
        "gc.auto=0",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(extra),
    )
    out, err = await child.communicate(stdin)
    return child.returncode or 0, out, err


class Git:
    """One bare repository. What an object id names never changes, so answers about ids are kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._commits: dict[str, Commit] = {}
        self._bases: dict[tuple[str, str], str | None] = {}

    async def run(self, *words: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> bytes:
        return await run(self.path, *words, stdin=stdin, extra=extra)

    async def refs(self, prefix: str = "refs/") -> dict[str, str]:
        out = await self.run("for-each-ref", "--format=%(refname) %(objectname)", prefix)
        return dict(line.split(" ", 1) for line in out.decode().splitlines())

    async def resolve(self, revision: str) -> str | None:
        """The commit of a revision; None if there is none."""
        if revision in self._commits:
            return revision
        words = ("rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}")
        code, out, _ = await attempt(self.path, *words)
        return out.decode().strip() if code == 0 else None

    async def branch(self, name: str) -> str | None:
        return await self.resolve(f"refs/heads/{name}")

    async def update_ref(self, ref: str, sha: str | None) -> None:
        await self.run("update-ref", *(["-d", ref] if sha is None else [ref, sha]))

    async def commit(self, sha: str) -> Commit:
        if sha not in self._commits:
            (found,) = await self.log("--max-count=1", sha)
            self._commits[sha] = found
        return self._commits[sha]

    async def log(self, *words: str) -> list[Commit]:
        """Commits, the newest first."""
        out = await self.run("log", "-z", "--topo-order", f"--format=tformat:{_FORMAT}", *words, "--")
        parts = out.decode(errors="replace").split("\0")
        rows = [parts[i : i + 10] for i in range(0, len(parts) - 9, 10)]
        return [_commit(row) for row in rows]

    async def count(self, *words: str) -> int:
        return int(await self.run("rev-list", "--count", *words, "--"))

    async def merge_base(self, one: str, other: str) -> str | None:
        key = (one, other)
        if key not in self._bases:
            _, out, _ = await attempt(self.path, "merge-base", one, other)
            self._bases[key] = out.decode().split()[0] if out.strip() else None
        return self._bases[key]

    async def commit_tree(self, tree: str, parents: list[str], message: str, author: Person, committer: Person) -> str:
        words = [word for parent in parents for word in ("-p", parent)]
        extra = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": author.date,
            "GIT_COMMITTER_NAME": committer.name,
            "GIT_COMMITTER_EMAIL": committer.email,
            "GIT_COMMITTER_DATE": committer.date,
        }
        out = await self.run("commit-tree", tree, *words, "-F", "-", stdin=message.encode(), extra=extra)
        return out.decode().strip()

    async def merge_tree(self, ours: str, theirs: str) -> str | None:
        """The tree of a merge; None where it conflicts."""
        words = ["merge-tree", "--write-tree", "--allow-unrelated-histories"]
        code, out, err = await attempt(self.path, *words, ours, theirs)
        if code == 0:
            return out.decode().split()[0]
        if code == 1:
            return None
        raise GitError(err.decode(errors="replace"))

    async def write_blob(self, content: bytes) -> str:
        return (await self.run("hash-object", "-w", "--stdin", stdin=content)).decode().strip()

    async def read(self, revision: str, path: str) -> bytes | None:
        code, out, _ = await attempt(self.path, "cat-file", "blob", f"{revision}:{path}")
        return out if code == 0 else None

    async def listing(self, revision: str, path: str) -> list[tuple[str, str, str, str]]:
        """Mode, type, id and path of the entries of a folder (or of the one file)."""
        target = f"{path.rstrip('/')}/" if path else ""
        out = await self.run("ls-tree", "-z", revision, "--", *([target] if target else []))
        rows = [row.split("\t", 1) for row in out.decode(errors="replace").split("\0") if row]
        return [(*head.split(" "), name) for head, name in rows]  # type: ignore[misc]

    async def edit(self, base: str | None, changes: Mapping[str, bytes | None]) -> str:
        """The tree of `base` with files written or (None) removed."""
        index = self.path / f"index-{os.urandom(6).hex()}"
        extra = {"GIT_INDEX_FILE": str(index)}
        try:
            if base:
                await self.run("read-tree", base, extra=extra)
            lines = []
            for name, content in changes.items():
                if content is None:
                    lines.append(f"0 {ZERO}\t{name}")
                else:
                    lines.append(f"100644 {await self.write_blob(content)}\t{name}")
            await self.run("update-index", "-z", "--index-info", stdin="\0".join([*lines, ""]).encode(), extra=extra)
            return (await self.run("write-tree", extra=extra)).decode().strip()
        finally:
            index.unlink(missing_ok=True)


def _commit(row: list[str]) -> Commit:
    return Commit(
        sha=row[0].strip(),
        tree=row[1],
        parents=tuple(row[2].split()),
        author=Person(row[3], row[4], row[5]),
        committer=Person(row[6], row[7], row[8]),
        message=row[9].rstrip("\n"),
    )
