"""Releases that move while config-root/ was generated again for others only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from review_bot.core.jenkins_x.helmfile import Helmfiles, Release
from review_bot.core.jenkins_x.layout import OUTPUT, is_output
from review_bot.core.model import CheckName, FileChange, Finding, Severity, Tree

RULE = "jenkins-x-not-regenerated"


def stale(
    base: Helmfiles, head: Helmfiles, trees: tuple[Tree, Tree], changes: Sequence[FileChange]
) -> Iterator[Finding]:
    """Releases that come, go or move while the change generates other output again, and theirs not."""
    paths = {p for c in changes for p in (c.path, c.previous_path) if p and is_output(p)}
    releases = (*base.releases, *head.releases)
    before, after = _kept(releases, trees[0]), _kept(releases, trees[1])
    # Only where output lies by the names of releases can it be missed.
    if not paths or not (base.whole and head.whole) or not any({**before, **after}.values()):
        return
    old, new = ({(r.namespace, r.name): r for r in side.releases} for side in (base, head))
    for key in sorted(old.keys() | new.keys()):
        one, other = old.get(key), new.get(key)
        shown = other or one
        if shown is None or any(p.startswith(_folders(shown)) for p in paths):
            continue
        what = _moved(one, other, bool(before.get(key)), bool(after.get(key)))
        if what:
            message = (
                f"{OUTPUT}/ was generated again, but not for release {shown.name} in {shown.namespace}, which {what}"
            )
            help = "let the pull request's job push what it generates, or run `make regen` and commit it"
            line = other.source.line if other is not None else None
            yield Finding(
                CheckName.RENDER, RULE, Severity.WARNING, message, path=shown.source.path, line=line, help=help
            )


def _moved(one: Release | None, other: Release | None, was: bool, is_: bool) -> str:
    if other is None or other.on is False:
        return "goes: what it brought is still there" if is_ and one is not None and one.on else ""
    if one is None or one.on is False:
        return "is new" if other.on and not is_ else ""
    if (one.chart, one.version) == (other.chart, other.version) or not was:
        return ""
    return f"moves from {one.chart} {one.version} to {other.chart} {other.version}"


def _kept(releases: Sequence[Release], tree: Tree) -> Mapping[tuple[str, str], bool]:
    """Of each release, is there output of it?"""
    outputs = [p for p in tree.entries() if is_output(p)]
    return {(r.namespace, r.name): any(p.startswith(_folders(r)) for p in outputs) for r in releases}


def _folders(release: Release) -> tuple[str, ...]:
    below = f"{release.namespace}/{release.name}/"
    return tuple(
        f"{OUTPUT}/{kind}/{below}" for kind in ("namespaces", "cluster/resources", "customresourcedefinitions")
    )
