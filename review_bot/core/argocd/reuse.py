"""What both sides of a review have in common is worked out once.

An Application that is written alike on both sides asks for the same, unless something changed where it looks. Where
that is not plain to see (links, copies of folders, jsonnet's imports, what was fetched) it is worked out anew.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from review_bot.core.argocd.templates import Memo
from review_bot.core.configuration import ArgoCluster
from review_bot.core.delivery import Before, Expansion, Surroundings
from review_bot.core.graft import Graft
from review_bot.core.model import Resource, Target

_IMPORTING = (".jsonnet", ".libsonnet")
# Where a pattern begins that may find more tomorrow.
_WILD = re.compile(r"[*?\[]")


@dataclass
class Seen:
    """One side.

    `expansions` holds what an object asked for, which stays the same in every round; the object is kept lest another
    gets its identity. `applications` are the single ones by realm and id, `rendered` the templates of sets, `projects`
    those of all realms by namespace and name.
    """

    expansions: dict[Hashable, tuple[Resource, Expansion]] = field(default_factory=dict)
    applications: dict[tuple[str, str], tuple[Resource, Expansion]] = field(default_factory=dict)
    rendered: dict[Hashable, Memo] = field(default_factory=dict)
    projects: dict[tuple[str, str], list[Resource]] = field(default_factory=dict)
    clusters: tuple[ArgoCluster, ...] = ()


def known_before(resource: Resource, key: tuple[str, str], around: Surroundings, earlier: Seen) -> Expansion | None:
    """What the Application asked for on the other side, if it asks for just that on this one."""
    before, known = around.before, earlier.applications.get(key)
    if before is None or known is None or known[0] != resource or around.files.links:
        return None
    expansion = known[1]
    if expansion.findings or any(not _is_untouched(target, before) for target in expansion.targets):
        return None
    for path in _read(expansion):
        if before.graft.is_made(path) and around.graft.generated.get(path) is None:
            around.adopt(path)
    return expansion


def _is_untouched(target: Target, before: Before) -> bool:
    for part in target.parts:
        if part.reads is None or part.path in before.changed:
            return False
        if not all(_stays(path, before) for path in part.reads):
            return False
    return all(_stays(path, before) for path in target.reads or ())


def _stays(path: str, before: Before) -> bool:
    """Did nothing change beside the file, and is it one of the repository or made from the Application alone?"""
    wild = _WILD.search(path)
    folder = (path if wild is None else path[: wild.start()]).rpartition("/")[0]
    if (folder or ".") in before.changed or path.endswith(_IMPORTING):
        return False
    graft = before.graft
    return not graft.is_made(path) or (path in graft.generated and not _is_in_made_folder(path, graft))


def _is_in_made_folder(path: str, graft: Graft) -> bool:
    return any(path[:end] in graft.made for end in range(len(path)) if path[end] == "/")


def _read(expansion: Expansion) -> Iterator[str]:
    for target in expansion.targets:
        for part in target.parts:
            yield from part.reads or ()
