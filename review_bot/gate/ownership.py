"""Who owns a path, by every owner format that counts."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from review_bot.core.errors import InputError
from review_bot.core.model import Tree
from review_bot.gate import codeowners, owners


@dataclass(frozen=True, slots=True)
class Owned:
    """One format's answer: `owners` as it writes them (logins, `@org/team`), where that stands, how many must agree."""

    owners: tuple[str, ...]
    source: str
    minimum: int = 1


@dataclass(frozen=True)
class Ownership:
    """The owner files of a tree. `formats` says which count."""

    owners: owners.Owners | None
    codeowners: codeowners.CodeOwners | None

    @property
    def any_named(self) -> bool:
        """Does any file name an owner of anything?"""
        listed = self.codeowners is not None and any(line.owners for line in self.codeowners.lines)
        return listed or (self.owners is not None and self.owners.any_named)

    def of(self, path: str) -> tuple[Owned, ...]:
        """An answer a format that names owners. Raises the InputError of a file that can't be read."""
        found = []
        if self.owners is not None:
            names, file = self.owners.approvers_of(path)
            if names and file:
                found.append(Owned(tuple(f"@{n}" for n in names), file.path, file.minimum))
        if self.codeowners is not None:
            line = self.codeowners.owners_of(path)
            if line is not None and line.owners:
                found.append(Owned(line.owners, f"{self.codeowners.path}:{line.number}"))
        return tuple(found)


def files_of(tree: Tree) -> dict[str, str]:
    """The owner files of a tree as text, whatever formats will count."""
    names = [p for p in tree.entries() if _is_owner_file(p)]
    return {path: data.decode(errors="replace") for path, data in tree.read_many(names).items()}


def read(tree: Mapping[str, str], formats: tuple[str, ...]) -> Ownership:
    """Read what counts. Raises InputError where a broken file concerns every path."""
    return _read(tuple((path, text) for path, text in tree.items() if _is_owner_file(path)), formats)


# The base changes seldom, and every look at its pull requests asks.
@lru_cache(maxsize=16)
def _read(files: tuple[tuple[str, str], ...], formats: tuple[str, ...]) -> Ownership:
    tree = dict(files)
    return Ownership(
        owners.read(tree) if "OWNERS" in formats else None,
        codeowners.find(tree) if "CODEOWNERS" in formats else None,
    )


def _is_owner_file(path: str) -> bool:
    return path in codeowners.PLACES or path == owners.ALIASES or posixpath.basename(path) == owners.NAME


def logins(names: tuple[str, ...], teams: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The people behind owners, in lower case. Raises InputError for a team that is not known.

    An e-mail address names nobody that GitHub would tell us.
    """
    found: set[str] = set()
    for name in names:
        bare = name.removeprefix("@").lower()
        if "/" in bare:
            if bare not in teams:
                raise InputError(f"the team @{bare} is not known, or can't be read", help="check its name and rights")
            found |= teams[bare]
        elif name.startswith("@"):
            found.add(bare)
    return frozenset(found)
