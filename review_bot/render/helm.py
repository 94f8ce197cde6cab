"""Helm charts, templated by the real helm."""

from __future__ import annotations

import posixpath
import re
import shutil
import tempfile
from pathlib import Path

from review_bot.core.charts import dependencies, vendored
from review_bot.core.closure import Files, join, normal
from review_bot.core.errors import YamlError
from review_bot.core.graft import Graft
from review_bot.core.model import Finding, HelmOptions, Rendered, Resource, Source, Target
from review_bot.core.platform import Platform
from review_bot.core.repo_urls import without_secrets
from review_bot.core.resources import from_documents
from review_bot.core.tools import find
from review_bot.core.yaml_reader import Document, load, parse
from review_bot.render import randomness
from review_bot.render.problems import PLACE, failed
from review_bot.render.sandbox import CHECKOUT, Outcome, Sandbox
from review_bot.render.side import Side

APIS_AT_ONCE = 200
_SOURCE = re.compile(r"^# Source: (\S.*)$")


async def render(target: Target, side: Side, sandbox: Sandbox, platform: Platform) -> Rendered:
    """Template the chart without a cluster, plugins or network; dependencies must lie in the repository."""
    files, checkout = side.files, side.checkout
    options = target.helm or HelmOptions(release=posixpath.basename(target.path))
    missing = _missing(target, options, files)
    if missing:
        return Rendered(target, (), tuple(missing))
    with tempfile.TemporaryDirectory(prefix="review-bot-chart-") as work:
        overlays = _local_dependencies(target, files, checkout, Path(work))
        words = _words(target, options, platform)
        outcome = await sandbox.run(find("helm"), words, checkout, overlays=overlays)
        if outcome.status != 0:
            return Rendered(target, (), (_explained(target, outcome),))
        again = None
        if randomness.in_charts(target, side.tree):
            again = await sandbox.run(find("helm"), words, checkout, overlays=overlays)
    try:
        resources = _resources(outcome.stdout, target, files)
        if again is not None and again.status == 0:
            resources = randomness.pinned(resources, _resources(again.stdout, target, files))
    except YamlError as error:
        return Rendered(target, (), (failed(target, f"its output is not YAML: {error.message}", path=error.path),))
    return Rendered(target, tuple(r for r in resources if not _is_test(r)), ())


def _words(target: Target, options: HelmOptions, platform: Platform) -> list[str]:
    words = ["template", options.release, f"{{repo}}/{target.path}", "--namespace", options.namespace]
    words += ["--include-crds"] if options.crds else ["--skip-crds"]
    words += ["--kube-version", platform.kubernetes]
    # Whoever names some of them means these instead. One argument may hold 128 KiB, less than all of some clusters.
    served = platform.apis if "--api-versions" not in options.sets else ()
    for start in range(0, len(served), APIS_AT_ONCE):
        words += ["--api-versions", ",".join(served[start : start + APIS_AT_ONCE])]
    for values in options.values:
        words += ["--values", f"{{repo}}/{values}"]
    return [*words, *options.sets]


def _missing(target: Target, options: HelmOptions, files: Files) -> list[Finding]:
    """What helm would miss, told before it runs: value files and dependencies."""
    findings = [
        failed(target, f"the value file {v} does not exist", help=f"add {v}, or take it out of the target's values")
        for v in options.values
        if v not in files.entries
    ]
    why_not = files.tree.refused if isinstance(files.tree, Graft) else {}
    for dependency in dependencies(target.path, files):
        name, repository = str(dependency.get("name")), str(dependency.get("repository") or "")
        if repository.startswith("file://") or vendored(target.path, name, files):
            continue
        version = f" {dependency['version']}" if dependency.get("version") else ""
        cause = why_not.get((join(target.path, "Chart.yaml"), name))
        build = f"run `helm dependency build {target.path}` and commit {join(target.path, 'charts')}/"
        source = without_secrets(repository) or "charts/"
        findings.append(
            failed(
                target,
                f"the chart needs {name}{version} from {source}, which is not in charts/"
                + (f": {cause.message}" if cause else ""),
                line=_line_of(files, target.entry, name),
                help=f"{cause.help}; or {build}" if cause and cause.help else build,
                rule="missing-dependency",
            )
        )
    return findings


def _local_dependencies(target: Target, files: Files, checkout: Path, work: Path) -> dict[str, Path]:
    """Put `file://` dependencies where helm looks for them, in a private copy of the chart."""
    local = [
        (str(d.get("name")), normal(join(target.path, str(d["repository"]).removeprefix("file://"))))
        for d in dependencies(target.path, files)
        if str(d.get("repository") or "").startswith("file://")
    ]
    wanted = [(n, p) for n, p in local if not vendored(target.path, n, files) and (checkout / p).is_dir()]
    if not wanted:
        return {}
    copy = work / "chart"
    shutil.copytree(checkout / target.path, copy, symlinks=True)
    for name, path in wanted:
        shutil.copytree(checkout / path, copy / "charts" / posixpath.basename(name), symlinks=True)
    return {target.path: copy}


def _resources(output: bytes, target: Target, files: Files) -> list[Resource]:
    found: list[Resource] = []
    text = output.decode(errors="replace")
    for document in parse(output, path=target.entry, strict=False):
        source = _source_of(text.splitlines(), document, target)
        resources, _ = from_documents([document], path=source.path if source else target.entry)
        path = source.path if source and source.path in files.entries else target.entry
        found += [Resource(r.id, r.manifest, _first_line(files, path, r), {}) for r in resources]
    return found


def _source_of(rows: list[str], document: Document, target: Target) -> Source | None:
    """`# Source: chart/templates/x.yaml` stands between the divider and the document; the chart's name comes first."""
    for index in range(min(document.line, len(rows)) - 1, max(document.line - 40, -1), -1):
        match = _SOURCE.match(rows[index])
        if match:
            _, _, path = match.group(1).partition("/")
            return Source(join(target.path, path))
    return None


def _first_line(files: Files, path: str, resource: Resource) -> Source:
    """The line of the template's `kind:` that fits, where there is just one."""
    rows = (files.tree.read(path) or b"").decode(errors="replace").splitlines()
    lines = [n for n, row in enumerate(rows, 1) if row.strip() == f"kind: {resource.id.kind}"]
    return Source(path, lines[0] if len(lines) == 1 else None)


def _is_test(resource: Resource) -> bool:
    metadata = resource.manifest.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    hook = annotations.get("helm.sh/hook") if isinstance(annotations, dict) else None
    return isinstance(hook, str) and {h.strip() for h in hook.split(",")} <= {"test", "test-success", "test-failure"}


def _explained(target: Target, outcome: Outcome) -> Finding:
    text = outcome.trouble or " ".join(outcome.stderr.split()).removeprefix("Error: ")
    text = text.replace(f"{CHECKOUT}/", "").replace("Use --debug flag to render out invalid YAML", "").strip()
    place = PLACE.search(text)
    if place:
        _, _, path = place.group(1).partition("/")
        return failed(target, text[:800], path=join(target.path, path), line=int(place.group(2)))
    return failed(target, text[:800] or "helm failed without a word")


def _line_of(files: Files, path: str, name: str) -> int | None:
    data = files.tree.read(path)
    if data is None:
        return None
    try:
        load(data, path=path)
    except YamlError as error:
        return error.line
    rows = data.decode(errors="replace").splitlines()
    return next((n for n, row in enumerate(rows, 1) if "name:" in row and name in row), None)
