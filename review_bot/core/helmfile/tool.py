"""Releases of helmfiles as targets: each with its chart, here or elsewhere, and the values that templates give it."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from review_bot.core import version_ranges
from review_bot.core.charts import with_dependencies
from review_bot.core.closure import Files, helm_reads, join, outside
from review_bot.core.delivery import Expansion, Surroundings
from review_bot.core.errors import InputError
from review_bot.core.graft import Graft
from review_bot.core.helmfile.evaluation import DEFAULT, Evaluated, evaluate
from review_bot.core.helmfile.explaining import explained
from review_bot.core.helmfile.roots import candidates, evaluated
from review_bot.core.jenkins_x.targets import is_release
from review_bot.core.lenient import rows, text
from review_bot.core.model import (
    CheckName,
    Delivery,
    Finding,
    HelmOptions,
    RemoteKind,
    RendererName,
    ResourceId,
    Severity,
    Source,
    Target,
    Tree,
)

TOOL = "helmfile"
_KIND = "helmfile.dev/v1"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class _Release:
    """A release of one environment."""

    of: Evaluated
    raw: Mapping[str, Any]

    def text(self, field: str) -> str:
        return text(self.raw.get(field))

    @property
    def id(self) -> str:
        """As core.jenkins_x.targets names releases; a root elsewhere names its folder."""
        folder = posixpath.dirname(self.of.root)
        environment = f"{self.of.environment}/" if self.of.several else ""
        place = f"{folder}/" if folder else ""
        named = f"{place}{environment}{self.text('namespace') or 'default'}/{self.text('name')}"
        return f"{RendererName.HELM}:{self.folder or self.text('chart')}#{named}"

    @property
    def folder(self) -> str | None:
        """Where the chart would lie in the repository; None if it is one of a repository of charts."""
        chart = self.text("chart")
        folder = posixpath.normpath(posixpath.join(self.text("folder"), chart))
        return None if "://" in chart or outside(folder) else folder

    @property
    def source(self) -> Source:
        return Source(self.text("path"))

    def place(self, files: Files) -> Source:
        """The line on which its name stands, where that is written out once."""
        rows = (files.tree.read(self.text("path")) or b"").decode(errors="replace").splitlines()
        named = re.compile(rf"""[\s{{-]*name:\s*["']?{re.escape(self.text("name"))}["']?\s*(#.*|[,}}].*)?$""")
        lines = [number for number, row in enumerate(rows, 1) if named.match(row)]
        return Source(self.text("path"), lines[0] if len(lines) == 1 else None)


def chart_of(target: Target) -> tuple[str, str] | None:
    """The chart of a release as its helmfile names it, and its version; None for another target."""
    if target.delivery is None or target.delivery.tool != TOOL:
        return None
    settings = json.loads(target.delivery.settings)
    return settings["chart"], settings["version"]


class _Broken(InputError):
    """Something that helmfile would stop at."""


class Helmfiles:
    """Is a core.delivery.Reader."""

    name = TOOL

    def __init__(self) -> None:
        # A side is asked again in every round, and its helmfiles say the same each time.
        self._known: WeakKeyDictionary[Graft, list[Evaluated]] = WeakKeyDictionary()

    def leads(self, tree: Tree) -> bool:
        """See core.delivery.Reader."""
        return evaluated(tree)

    def tells(self, target: Target) -> bool:
        """See core.delivery.Reader."""
        return is_release(target)

    def expand(self, around: Surroundings) -> Expansion:
        """See core.delivery.Reader."""
        found = self._known.get(around.graft)
        if found is None:
            found = self._known[around.graft] = _evaluated(around)
        targets: dict[str, Target] = {}
        findings: list[Finding] = []
        for one in found:
            findings += _problems(one)
            for raw in one.releases:
                release = _Release(one, raw)
                if raw.get("on") is False:
                    continue
                if release.id in targets:
                    findings.append(_twice(release, around.files))
                    continue
                targets[release.id], said = _target(release, around)
                findings += said
        incomplete = any(one.problems for one in found)
        return Expansion(tuple(targets.values()), tuple(findings), incomplete=incomplete)


def _evaluated(around: Surroundings) -> list[Evaluated]:
    """Each helmfile that no other leads to, in each of its environments."""
    found: list[Evaluated] = []
    read: set[str] = set()
    for root in candidates(around.graft.own):
        if root not in read:
            own = evaluate(root, around.graft.own, around.files, around.templating)
            read |= {path for one in own for path in one.reads}
            found += own
    return found


def _problems(one: Evaluated) -> Iterator[Finding]:
    where = "" if one.environment == DEFAULT else f" in the environment {one.environment}"
    for problem in one.problems:
        place, cause = explained(problem.message, Source(problem.path))
        if problem.world:
            help = "see what it comes to where helmfile runs; what a repository says by itself is shown here"
            message = f"{problem.path} is not seen{where}: {cause}"
            yield _finding(place, "not-seen", Severity.WARNING, message, help)
        else:
            message = f"{problem.path} can't be evaluated{where}: {cause}"
            yield _finding(place, TOOL, Severity.ERROR, message, "helmfile stops at this: mend it")
    if one.unset:
        names = ", ".join(one.unset[:10])
        message = f"{one.root} asks the environment for {names}, which is taken for empty here{where}"
        help = "where helmfile runs it may be something else; a value in the repository is seen"
        yield _finding(Source(one.root), "not-seen", Severity.NOTICE, message, help)


def _target(release: _Release, around: Surroundings) -> tuple[Target, list[Finding]]:
    """The release's target, without parts where it is not seen, and what is to be said of it."""
    raw = release.raw
    findings: list[Finding] = []
    parts: tuple[Target, ...] = ()
    path = posixpath.dirname(release.text("path")) or "."
    if release.folder is not None and join(release.folder, "Chart.yaml") in around.files.entries:
        path = release.folder
    settings: dict[str, Any] = {"version": release.text("version"), "chart": release.text("chart")}
    try:
        if raw.get("error"):
            raise (InputError if raw.get("world") is True else _Broken)(text(raw["error"]))
        part = _part(release, around)
        parts, path = (part,), part.path if part.path not in around.graft.made else path
    except InputError as error:
        settings["unseen"] = error.message
        findings.append(_unseen(release, error, around.files))
    if raw.get("unfollowed"):
        what = ", ".join(raw["unfollowed"])
        message = f"release {release.text('name')} is changed by {what}, which is not followed"
        help = "what it changes in the objects is not shown here"
        findings.append(_finding(release.place(around.files), "not-seen", Severity.WARNING, message, help, release.id))
    own = frozenset(p for p in release.of.reads if p in around.graft.entries())
    return Target(
        id=release.id,
        renderer=RendererName.HELM,
        path=path,
        entry=release.text("path"),
        reads=frozenset(p for part in parts for p in part.reads or ()) | own,
        name=release.text("name"),
        environment=release.of.environment if release.of.several else None,
        namespace=release.text("namespace") or "default",
        delivery=Delivery(
            tool=TOOL,
            object=ResourceId(_KIND, "Release", release.text("namespace") or None, release.text("name")),
            parent="",
            source=release.place(around.files),
            settings=json.dumps(settings, sort_keys=True),
        ),
        parts=parts,
    ), findings


def _part(release: _Release, around: Surroundings) -> Target:
    name = release.text("name")
    if not name or name.startswith("-"):
        raise _Broken(f"{name!r} is no name for a release", help="correct its name")
    chart = _chart(release, around)
    values = []
    for number, content in enumerate(release.raw.get("values") or ()):
        path = f".~helmfile/{_UNSAFE.sub('-', release.id)}/{number}.yaml"
        values.append(around.write(path, text(content).encode(), release.source))
    options = HelmOptions(
        release=name,
        namespace=release.text("namespace") or "default",
        values=tuple(values),
        sets=tuple(release.raw.get("sets") or ()),
    )
    reads = helm_reads(around.files, chart, options.values)
    return Target(f"{release.id}/0", RendererName.HELM, chart, join(chart, "Chart.yaml"), reads, helm=options)


def _chart(release: _Release, around: Surroundings) -> str:
    """The folder of the chart: of the repository, or fetched from where its helmfile says. Raises InputError."""
    chart, version, folder = release.text("chart"), release.text("version"), release.folder
    if folder is not None and join(folder, "Chart.yaml") in around.files.entries:
        return with_dependencies(folder, release.source, around)
    first, _, rest = chart.partition("/")
    repository = next((r for r in rows(release.raw.get("repositories")) if r.get("name") == first), None)
    if chart.startswith("oci://"):
        return around.fetched(version_ranges.chart(RemoteKind.OCI, chart, "", version), release.source)
    if repository is not None:
        url = text(repository.get("url"))
        if repository.get("oci") is True or url.startswith("oci://"):
            address = f"oci://{url.removeprefix('oci://').rstrip('/')}/{rest}"
            return around.fetched(version_ranges.chart(RemoteKind.OCI, address, "", version), release.source)
        return around.fetched(version_ranges.chart(RemoteKind.HELM, url, rest, version), release.source)
    if chart.startswith((".", "/")):
        raise _Broken(f"there is no chart in {folder}", help="correct the path, or add its Chart.yaml")
    raise _Broken(
        f"no repository {first} is declared for its chart {chart}", help="declare it under repositories, with its url"
    )


def _unseen(release: _Release, error: InputError, files: Files) -> Finding:
    name, where, broken = release.text("name"), release.of.environment, isinstance(error, _Broken)
    named = f"release {name}" if where == DEFAULT else f"release {name} in the environment {where}"
    place, cause = explained(error.message, release.place(files))
    message = f"{named} {'can not be evaluated' if broken else 'is not seen'}: {cause}"
    help = error.help or ("helmfile stops at this: mend it" if broken else "its effect is not reviewed here")
    rule, severity = (TOOL, Severity.ERROR) if broken else ("not-seen", Severity.WARNING)
    return _finding(place, rule, severity, message, help, release.id)


def _twice(release: _Release, files: Files) -> Finding:
    message = f"the release {release.text('name')} in {release.text('namespace') or 'default'} is given twice"
    return _finding(release.place(files), TOOL, Severity.ERROR, message, "remove one of them, or give it another name")


def _finding(
    source: Source, rule: str, severity: Severity, message: str, help: str, target: str | None = None
) -> Finding:
    return Finding(CheckName.RENDER, rule, severity, message, target, path=source.path, line=source.line, help=help)
