"""Which releases a change adds, removes, moves to another version or sets otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from review_bot.core.jenkins_x.helmfile import Helmfiles, Release
from review_bot.core.jenkins_x.layout import ROOT_FOLDER
from review_bot.core.model import CheckName, Finding, Severity, Source

RULE = "helmfile-release"
SEEN_LATER = "what it brings to the cluster shows in config-root/ once that is generated again"


def moves(base: Helmfiles, head: Helmfiles) -> Iterator[Finding]:
    """A sentence each, with the release's name and its old and new version.

    Where some releases are hidden on one side, those that the other has alone may be among them.
    """
    before, after = _by_name(base.releases), _by_name(head.releases)
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if (old is None and not base.whole) or (new is None and not head.whole):
            continue
        if old is None and new is not None:
            yield _finding(new.source, f"{_named(new)} is added{_state(new)}", Severity.NOTICE)
        elif new is None and old is not None:
            # The place is gone: shown on the file.
            message = f"{_named(old)} is removed, with what it brought to the cluster"
            help = "see in config-root/ what goes, once that is generated again"
            yield _finding(Source(old.source.path), message, Severity.WARNING, help)
        elif old is not None and new is not None and (what := "; ".join(_differences(old, new))):
            yield _finding(new.source, f"release {new.name} in {new.namespace}: {what}{_state(new)}", Severity.NOTICE)


def moved(base: Helmfiles, head: Helmfiles) -> frozenset[str]:
    """The namespaces whose releases come, go, or get another chart or version; none where some are hidden."""
    if not (base.whole and head.whole):
        return frozenset()
    sides = [
        {(r.namespace, r.name, r.chart, r.version) for r in side.releases if r.on is True} for side in (base, head)
    ]
    return frozenset(namespace for namespace, *_ in sides[0] ^ sides[1])


def problems(helmfiles: Helmfiles, before: Helmfiles | None = None) -> Iterator[Finding]:
    """What of the helmfiles can't be seen or is wrong, and releases that are given twice.

    What hides releases that were rendered `before` is an error: nobody could tell that from their end.
    """
    known = {(r.namespace, r.name) for r in helmfiles.releases}
    lost = [r for r in before.releases if r.folder and (r.namespace, r.name) not in known] if before else []
    for problem in helmfiles.problems:
        heavier = Severity.ERROR if lost and problem.hides else problem.severity
        yield Finding(
            check=CheckName.SCHEMA,
            rule="helmfile",
            severity=heavier,
            message=problem.message,
            path=problem.source.path,
            line=problem.source.line,
            help=problem.help,
        )
    seen: dict[tuple[str, str], Release] = {}
    for release in helmfiles.releases:
        first = seen.setdefault((release.namespace, release.name), release)
        # Switched by conditions, one of them may be meant at a time.
        if first is not release and first.on and release.on:
            yield Finding(
                check=CheckName.SCHEMA,
                rule="helmfile",
                severity=Severity.ERROR,
                message=f"the release {release.name} in {release.namespace} is given twice, "
                f"also in {first.source.path}:{first.source.line}",
                path=release.source.path,
                line=release.source.line,
                help="remove one of them, or give it another name",
            )


def not_followed(paths: Iterable[str]) -> Iterator[Finding]:
    """That a folder of helmfiles is not read, where something of it changes."""
    changed = sorted(path for path in paths if path.startswith(ROOT_FOLDER))
    if changed:
        message = f"{ROOT_FOLDER} is not followed, so the releases of its helmfiles are not seen"
        help = "name them under helmfiles: of a helmfile.yaml at the root"
        yield Finding(CheckName.SCHEMA, "helmfile", Severity.NOTICE, message, path=changed[0], help=help)


def unseen(helmfiles: Helmfiles, paths: frozenset[str], before: Helmfiles | None = None) -> Iterator[Finding]:
    """Charts of this repository whose values are not all followed, where the change touches them.

    Of one that was rendered `before` it is an error: what is no longer rendered looks like its end.
    """
    rendered = {
        (r.folder, r.namespace, r.name)
        for r in (before.releases if before else ())
        if r.folder and r.on is True and not r.unseen
    }
    for release in helmfiles.releases:
        if release.folder is None or not release.unseen or release.on is False:
            continue
        if paths & release.reads or any(p.startswith(f"{release.folder}/") for p in paths):
            what = ", ".join(release.unseen)
            message = f"release {release.name} renders the chart {release.folder} with {what}, which is not followed"
            help = "use value files whose templates name fields only, and its effect is shown as a target"
            was = (release.folder, release.namespace, release.name) in rendered
            yield _finding(release.source, message, Severity.ERROR if was else Severity.NOTICE, help)


def _by_name(releases: Sequence[Release]) -> dict[tuple[str, str], Release]:
    return {(r.namespace, r.name): r for r in releases}


def _named(release: Release) -> str:
    version = f" {release.version}" if release.version else ""
    return f"release {release.name} ({release.chart}{version}) in {release.namespace}"


def _state(release: Release) -> str:
    if release.on is False:
        return f", and its condition {release.condition} switches it off" if release.condition else ", switched off"
    return f", if {release.condition}" if release.on is None and release.condition else ""


def _differences(old: Release, new: Release) -> Iterator[str]:
    if old.chart != new.chart:
        yield f"chart {old.chart} {old.version} → {new.chart} {new.version}".replace("  ", " ")
    elif old.version != new.version:
        yield f"{new.chart} {old.version or 'any version'} → {new.version or 'any version'}"
    if (old.values, old.sets, old.unseen) != (new.values, new.sets, new.unseen):
        yield "its values are given otherwise"
    if old.on != new.on:
        yield {True: "is switched on", False: "is switched off"}.get(bool(new.on), "may be switched otherwise")


def _finding(source: Source, message: str, severity: Severity, help: str = SEEN_LATER) -> Finding:
    return Finding(
        check=CheckName.RENDER,
        rule=RULE,
        severity=severity,
        message=message,
        path=source.path,
        line=source.line,
        help=help,
    )
