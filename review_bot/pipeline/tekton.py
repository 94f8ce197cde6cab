"""Tekton's objects of both sides, held against each other and against what the repository defines elsewhere.

What is judged is rendered by a touched target. Other files are read for two reasons only: a name is used that nothing
rendered defines, or a definition changes that they may use; and only those in whose bytes such a name stands.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from review_bot.core import repo_urls
from review_bot.core.closure import Files, folder_of
from review_bot.core.discovery import aside, may_be_plain
from review_bot.core.errors import YamlError
from review_bot.core.globs import matches
from review_bot.core.model import Action, Finding, Rendered, Resource, ResourceId, Severity, Tree
from review_bot.core.planning import TEXTS
from review_bot.core.resources import from_documents
from review_bot.core.tekton import Catalogue, is_tekton, judge
from review_bot.core.tekton.catalogue import PIPELINES, Found, InGit
from review_bot.core.yaml_reader import parse
from review_bot.pipeline.saying import Said, Seen

# Branches that mean "what is merged" to most; what a resolver takes from others is not seen.
USUAL_BRANCHES = ("", "HEAD", "main", "master", "refs/heads/main", "refs/heads/master")
Objects = list[tuple[str, Resource]]


@dataclass(frozen=True)
class _Side:
    """Tekton's objects of what was rendered; `unsure` are those of the other side where this one failed to render."""

    tree: Tree
    rendered: Objects
    unsure: list[Found]


def said(seen: Seen) -> Said:
    """Findings on what changes, and on what the change breaks without touching it."""
    base, head = _sides(seen)
    used = _used_definitions(seen)
    missed = {name for side in (base, head) for _, name in _asked(side, Catalogue(side.rendered)).missed}
    others = _others(seen, (base, head), missed | used.keys()) if missed or used else ([], [])
    before = Catalogue(base.rendered, [*base.unsure, *others[0]], in_git=_in_git(seen, base.tree))
    after = Catalogue(head.rendered, [*head.unsure, *others[1]], before, _in_git(seen, head.tree))
    old = [f for target, resource in base.rendered for f in judge(target, resource, before)]
    if missed:
        # What is expected here is known when everything was asked for once.
        _asked(head, after)
    new = [f for target, resource in head.rendered for f in judge(target, resource, after)]
    known = {_identity(f) for f in old}
    changed = {(c.target, c.id) for c in seen.changes}
    shown = [f for f in new if (f.target, f.resource) in changed or _identity(f) not in known]
    broken = _broken(used, others, before, after) if used else []
    return Said((*shown, *broken), tuple(old))


def _in_git(seen: Seen, tree: Tree) -> InGit:
    """Files of the side, for resolvers that name this repository at what is merged."""
    origin = seen.repository.origin

    def held(url: str, revision: str, path: str) -> list[Resource] | None:
        if not origin or not repo_urls.same(url, origin) or revision not in USUAL_BRANCHES:
            return None
        data = tree.read(path) if path in tree.entries() else None
        return list(_parsed(path, data)) if data is not None else []

    return held


def _sides(seen: Seen) -> tuple[_Side, _Side]:
    sides, rendered = seen.planned.sides, seen.rendered
    base = _Side(sides.base, *_objects(rendered.base, {}))
    return base, _Side(sides.head, *_objects(rendered.head, rendered.base))


def _objects(side: Mapping[str, Rendered], other: Mapping[str, Rendered]) -> tuple[Objects, list[Found]]:
    whole = [(id, r) for id, one in side.items() if not one.failed for r in one.resources if is_tekton(r.id)]
    failed = [other[id] for id, one in side.items() if one.failed and id in other]
    return whole, [Found(r, False) for one in failed for r in one.resources if is_tekton(r.id)]


def _used_definitions(seen: Seen) -> dict[str, str]:
    """The names of changed objects that others may use, each with its target; what is new breaks nobody."""
    changes = [c for c in seen.changes if is_tekton(c.id) and c.action is not Action.CREATE]
    return {c.id.name: c.target for c in changes}


def _asked(side: _Side, catalogue: Catalogue) -> Catalogue:
    """The catalogue, once all that the side uses was looked for in it."""
    for target, resource in side.rendered:
        judge(target, resource, catalogue)
    return catalogue


def _others(seen: Seen, sides: tuple[_Side, _Side], names: Collection[str]) -> tuple[list[Found], list[Found]]:
    """Per side, the objects of files that no touched target reads and that hold one of the names."""
    targets = [t for p in seen.planned.targets for t in (p.base, p.head) if t is not None]
    read = {path for target in targets for path in target.reads or ()}
    wanted = [name.encode(errors="surrogateescape") for name in names]
    parsed: dict[tuple[str, str], list[Resource]] = {}
    found = []
    for side in sides:
        holding = seen.repository.holding(side.tree, [f"{PIPELINES}/"], TEXTS)
        paths = [p for p in sorted(holding - read) if _deployed(p, seen)]
        contents = {
            path: data
            for path, data in side.tree.read_many(paths).items()
            if b"{{" not in data and any(name in data for name in wanted)
        }
        sure = _plain(side.tree, contents) if contents else frozenset()
        own = []
        for path, data in contents.items():
            key = (path, side.tree.entries()[path].blob)
            if key not in parsed:
                parsed[key] = list(_parsed(path, data))
            own += [Found(resource, path in sure) for resource in parsed[key]]
        found.append(own)
    return found[0], found[1]


def _deployed(path: str, seen: Seen) -> bool:
    config = seen.planned.config
    return not aside(path, config) and not any(matches(pattern, path) for pattern in config.exclude)


def _parsed(path: str, data: bytes) -> Iterator[Resource]:
    try:
        resources, _ = from_documents(parse(data, path=path), path=path)
    except YamlError:
        return  # what can't be read defines nothing; its own target says why
    yield from (r for r in resources if is_tekton(r.id))


def _plain(tree: Tree, paths: Collection[str]) -> frozenset[str]:
    """The files that get to the cluster as they are: no chart and, by its words, no kustomization takes them in."""
    files = Files(tree)
    texts = list(tree.read_many(files.kustomizations).values())

    def spoken_of(path: str) -> bool:
        folder = posixpath.basename(folder_of(path))
        names = [posixpath.basename(path).encode(), *([folder.encode()] if folder != "." else [])]
        return any(name in text for text in texts for name in names)

    return frozenset(p for p in paths if may_be_plain(files, folder_of(p)) and not spoken_of(p))


def _broken(
    used: Mapping[str, str], others: tuple[list[Found], list[Found]], before: Catalogue, after: Catalogue
) -> list[Finding]:
    """What the change breaks in files that it leaves alone; shown at the target of what they use."""
    stands = {(f.resource.id, f.resource.source.path): f for f in others[0]}
    broken: list[Finding] = []
    for found in others[1]:
        target = _target(found.resource, used)
        old = stands.get((found.resource.id, found.resource.source.path))
        if target is None or old is None:
            continue
        known = {_identity(f) for f in judge(target, old.resource, before)}
        new = [f for f in judge(target, found.resource, after) if _identity(f) not in known]
        broken += [f if found.sure or f.severity is not Severity.ERROR else _lighter(f) for f in new]
    return broken


def _target(resource: Resource, used: Mapping[str, str]) -> str | None:
    """The target of a changed definition whose name stands somewhere in the object."""
    return next((used[text] for text in _texts(resource.manifest) if text in used), None)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _lighter(finding: Finding) -> Finding:
    return replace(finding, severity=Severity.WARNING)


def _identity(finding: Finding) -> tuple[str, Severity, str, str | None, ResourceId | None]:
    return (finding.rule, finding.severity, finding.message, finding.target, finding.resource)
