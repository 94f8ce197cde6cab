"""Was config-root/ generated again with what it is generated from?"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from review_bot.core.jenkins_x.layout import OUTPUT, is_output, is_source
from review_bot.core.model import CheckName, FileChange, Finding, Severity, Tree


def judged(
    base: Tree,
    head: Tree,
    changes: Sequence[FileChange],
    charts: frozenset[str],
    read: Collection[str] = (),
    moved: Collection[str] = (),
) -> list[Finding]:
    """At most one finding.

    `charts` are folders of charts that releases take from this repository, `read` the files that say what they are
    given, `moved` the namespaces whose releases come, go or get another chart or version.
    """
    paths = sorted({p for c in changes for p in (c.path, c.previous_path) if p})
    given = [p for p in paths if not is_output(p)]
    sources = [p for p in given if is_source(p) or p in read or any(p.startswith(f"{f}/") for f in charts)]
    outputs = [p for p in paths if is_output(p)]
    kept = any(is_output(p) for tree in (base, head) for p in tree.entries())
    if sources and not kept:
        message = f"{OUTPUT}/ is generated from {_listed(sources)}, and this repository does not keep it"
        help = "what it changes in the cluster is not seen here; see the job that generates it"
        return [_finding(sources[0], "jenkins-x-no-output", Severity.NOTICE, message, help)]
    if sources and not outputs:
        message = f"{OUTPUT}/ was not generated again, though {_listed(sources)} changed: its effect is not seen yet"
        help = "let the pull request's job push what it generates, or run `make regen` and commit it"
        return [_finding(sources[0], "jenkins-x-not-regenerated", Severity.WARNING, message, help)]
    left = [n for n in sorted(moved) if not any(p.startswith(f"{OUTPUT}/namespaces/{n}/") for p in outputs)]
    if sources and left and kept:
        message = f"{OUTPUT}/ was generated again, but for the namespace {left[0]}, whose releases change"
        help = "let the pull request's job push what it generates, or run `make regen` and commit it"
        return [_finding(sources[0], "jenkins-x-not-regenerated", Severity.WARNING, message, help)]
    if outputs and not sources:
        message = f"of generated files, {_listed(outputs)} changed, and nothing that they are generated from"
        help = "change its source (helmfiles, values): the next generation writes over it"
        return [_finding(outputs[0], "jenkins-x-edited-output", Severity.NOTICE, message, help)]
    return []


def _listed(paths: Sequence[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def _finding(path: str, rule: str, severity: Severity, message: str, help: str) -> Finding:
    return Finding(CheckName.RENDER, rule, severity, message, path=path, help=help)
