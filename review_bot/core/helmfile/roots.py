"""Which helmfiles of a repository stand at the top, and which are read without being evaluated."""

from __future__ import annotations

from collections.abc import Iterable

from review_bot.core.closure import folder_of
from review_bot.core.jenkins_x.helmfile import declared, read_all, root_of
from review_bot.core.jenkins_x.layout import REQUIREMENTS, ROOTS
from review_bot.core.model import Tree

FOLDER = "helmfile.d"


def candidates(paths: Iterable[str]) -> list[str]:
    """What helmfile would find by itself in some folder; others of them may name it. The nearest to the root first."""
    return sorted((path for path in paths if _is_one(path)), key=lambda path: (path.count("/"), path))


def evaluated(tree: Tree) -> bool:
    """Are the tree's helmfiles evaluated? Those of Jenkins X are not: what they come to lies in config-root/.

    Nor are such that core.jenkins_x.helmfile can follow, which needs no program.
    """
    entries = tree.entries()
    found = candidates(entries)
    if not found or REQUIREMENTS in entries:
        return False
    root = root_of(tree)
    if root is None:
        return True
    read = frozenset({root})
    for environment in declared(tree):
        helmfiles = read_all(tree, environment)
        if not helmfiles.whole or any(r.unseen or r.chart.startswith("oci://") for r in helmfiles.releases):
            return True
        read |= helmfiles.files | {path for release in helmfiles.releases for path in release.reads}
    # Repositories of charts are for fetching; helmfiles that nothing leads to are roots too.
    texts = tree.read_many(sorted(path for path in read if path in entries))
    return bool(set(found) - read) or any(b"repositories:" in data for data in texts.values())


def _is_one(path: str) -> bool:
    folder, name = folder_of(path), path.rpartition("/")[2]
    if any(part.startswith(".") and part != "." for part in path.split("/")):
        return False
    in_folder = folder.rpartition("/")[2] == FOLDER and ".y" in name and name.endswith((".yaml", ".yml", ".gotmpl"))
    return name in ROOTS or in_folder
