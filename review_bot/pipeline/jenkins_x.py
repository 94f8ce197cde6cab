"""What a change to a Jenkins X repository means beyond its rendered targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from review_bot.core.helmfile.roots import evaluated
from review_bot.core.jenkins_x import lighthouse, regeneration, releases, stale
from review_bot.core.jenkins_x.helmfile import Helmfiles, declared, read_all
from review_bot.core.jenkins_x.layout import OUTPUT, REQUIREMENTS, ROOTS, leads_to_releases
from review_bot.core.model import Finding, Tree
from review_bot.pipeline.saying import Said, Seen

# Of each environment that either side declares: its releases on both.
Read = Mapping[str, tuple[Helmfiles, Helmfiles]]


def said(seen: Seen) -> Said:
    """Releases that move, output that was not generated again, and triggers."""
    sides, files = seen.planned.sides, seen.planned.files
    paths = frozenset(p for f in files for p in (f.path, f.previous_path) if p)
    names = sorted({*declared(sides.base), *declared(sides.head)})
    if evaluated(sides.base) or evaluated(sides.head):
        names = []  # what they come to is rendered, and their problems are told with that
    read = {name: (read_all(sides.base, name), read_all(sides.head, name)) for name in names}
    found: list[Finding] = []
    before: list[Finding] = []
    if any(leads_to_releases(p) or p in _asked(read) for p in paths):
        found += _of_all({n: releases.moves(b, h) for n, (b, h) in read.items()})
        # Not told by environment, lest one that is added makes all that stands look new.
        found += dict.fromkeys(f for b, h in read.values() for f in releases.problems(h, b))
        before += dict.fromkeys(f for b, _ in read.values() for f in releases.problems(b))
    found += releases.not_followed(paths) if read else ()
    found += _of_all({n: releases.unseen(h, paths, b) for n, (b, h) in read.items()})
    if any(_is_jenkins_x(tree) for tree in (sides.base, sides.head)):
        charts = frozenset(r.folder for pair in read.values() for side in pair for r in side.releases if r.folder)
        moved = frozenset(namespace for pair in read.values() for namespace in releases.moved(*pair))
        output = regeneration.judged(sides.base, sides.head, files, charts, _asked(read), moved)
        # Of a whole namespace that was left out, its releases are not told one by one.
        trees = (sides.base, sides.head)
        told = {f for b, h in read.values() for f in stale.stale(b, h, trees, files)} if not output else ()
        found += output or sorted(told, key=lambda f: f.message)
    found += lighthouse.judged(sides.head, sorted(paths))
    before += lighthouse.judged(sides.base, sorted(paths))
    return Said(tuple(found), tuple(before))


def _of_all(said: Mapping[str, Iterable[Finding]]) -> list[Finding]:
    """What is said of environments, once; it names those that it concerns where that is not all of them."""
    concerned: dict[Finding, list[str]] = {}
    for name, findings in said.items():
        for finding in findings:
            concerned.setdefault(finding, []).append(name)
    return [
        f if len(set(names)) == len(said) else replace(f, message=f"{f.message} (environment {', '.join(names)})")
        for f, names in concerned.items()
    ]


def _asked(read: Read) -> set[str]:
    """The files that say more about releases: values of their conditions, versions."""
    return {path for pair in read.values() for side in pair for release in side.releases for path in release.reads}


def _is_jenkins_x(tree: Tree) -> bool:
    entries = tree.entries()
    rooted = any(root in entries for root in ROOTS)
    return REQUIREMENTS in entries or (rooted and any(p.startswith(f"{OUTPUT}/") for p in entries))
