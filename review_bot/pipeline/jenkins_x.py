"""What a change to a Jenkins X repository means beyond its rendered targets."""

from __future__ import annotations

from review_bot.core.jenkins_x import lighthouse, regeneration, releases
from review_bot.core.jenkins_x.helmfile import Helmfiles, read_all
from review_bot.core.jenkins_x.layout import HELMFILE, OUTPUT, REQUIREMENTS, leads_to_releases
from review_bot.core.model import Finding, Tree
from review_bot.pipeline.saying import Said, Seen


def said(seen: Seen) -> Said:
    """Releases that move, output that was not generated again, and triggers."""
    sides, files = seen.planned.sides, seen.planned.files
    paths = frozenset(p for f in files for p in (f.path, f.previous_path) if p)
    base, head = read_all(sides.base), read_all(sides.head)
    found: list[Finding] = []
    before: list[Finding] = []
    if any(leads_to_releases(p) or p in _asked(base, head) for p in paths):
        found += [*releases.moves(base, head), *releases.problems(head, base)]
        before += releases.problems(base)
    found += releases.unseen(head, paths)
    if any(_is_jenkins_x(tree) for tree in (sides.base, sides.head)):
        charts = frozenset(r.folder for side in (base, head) for r in side.releases if r.folder)
        found += regeneration.judged(sides.base, sides.head, files, charts)
    found += lighthouse.judged(sides.head, sorted(paths))
    before += lighthouse.judged(sides.base, sorted(paths))
    return Said(tuple(found), tuple(before))


def _asked(*sides: Helmfiles) -> set[str]:
    """The files that say more about releases: values of their conditions, versions."""
    return {path for side in sides for release in side.releases for path in release.reads}


def _is_jenkins_x(tree: Tree) -> bool:
    entries = tree.entries()
    return REQUIREMENTS in entries or (HELMFILE in entries and any(p.startswith(f"{OUTPUT}/") for p in entries))
