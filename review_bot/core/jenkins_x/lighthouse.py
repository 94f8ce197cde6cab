"""Lighthouse's triggers in .lighthouse/: the jobs, the pipelines that they run, and these held to Tekton's rules."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from review_bot.core.errors import YamlError
from review_bot.core.jenkins_x.layout import LIGHTHOUSE, is_trigger
from review_bot.core.model import CheckName, Finding, Resource, Severity, Source, Tree
from review_bot.core.resources import from_documents
from review_bot.core.tekton import Catalogue, judge
from review_bot.core.yaml_reader import Document, parse

RULE = "lighthouse-trigger"
SECTIONS = ("presubmits", "postsubmits")
# What a job's file may hold; Lighthouse makes a PipelineRun of each.
PIPELINES = ("PipelineRun", "Pipeline", "TaskRun", "Task")


@dataclass(frozen=True)
class _Job:
    """A job of a trigger file: `source` is the path of its pipeline from the repository's root, or an address."""

    section: str
    name: str
    context: str
    source: str
    place: Source


def judged(tree: Tree, changed: Sequence[str]) -> list[Finding]:
    """What is to be said of the triggers and pipelines of one side, if any of them is among the changed files."""
    if not any(path.startswith(f"{LIGHTHOUSE}/") for path in changed):
        return []
    findings: list[Finding] = []
    jobs: list[_Job] = []
    for path in sorted(p for p in tree.entries() if p.startswith(f"{LIGHTHOUSE}/") and p.endswith("/triggers.yaml")):
        if is_trigger(path):
            jobs += _jobs(tree, path, findings)
        else:
            help = f"move it into {LIGHTHOUSE}/NAME/"
            findings.append(
                _finding(Source(path), "Lighthouse does not look here for triggers", help, Severity.WARNING)
            )
    findings += _doubled(jobs)
    judged_sources: set[str] = set()
    for job in jobs:
        if job.source and job.source not in judged_sources:
            judged_sources.add(job.source)
            findings += _pipeline(tree, job)
    return findings


def _jobs(tree: Tree, path: str, findings: list[Finding]) -> Iterator[_Job]:
    try:
        documents = parse(tree.read(path) or b"", path=path)
    except YamlError as error:
        message = f"{error.message}; Lighthouse runs no job of the repository until this is mended"
        findings.append(_finding(Source(path, error.line), message, error.help or "mend its YAML"))
        return
    for document in documents[:1]:
        spec = document.value.get("spec") if isinstance(document.value, dict) else None
        for section in SECTIONS:
            listed = spec.get(section) if isinstance(spec, dict) else None
            for index, job in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(job, dict):
                    yield _job(path, document, section, index, job)


def _job(path: str, document: Document, section: str, index: int, raw: dict[str, Any]) -> _Job:
    name, source = str(raw.get("name") or ""), raw.get("source")
    lines = document.lines
    line = lines.get(("spec", section, index, "source")) or lines.get(("spec", section, index))
    where = str(source) if isinstance(source, str) else ""
    if where and "://" not in where:
        where = posixpath.normpath(posixpath.join(posixpath.dirname(path), where))
    return _Job(section, name, str(raw.get("context") or name), where, Source(path, line))


def _doubled(jobs: Sequence[_Job]) -> Iterator[Finding]:
    names: dict[tuple[str, str], _Job] = {}
    contexts: dict[tuple[str, str], _Job] = {}
    for job in jobs:
        first = names.setdefault((job.section, job.name), job)
        # Within one file the later job is another branch's, say; Lighthouse refuses the name in two files.
        if first is not job and first.place.path != job.place.path:
            message = f"the job {job.name} is also in {first.place.path}; Lighthouse refuses all jobs for that"
            yield _finding(job.place, message, "give one of them another name")
            continue
        other = contexts.setdefault((job.section, job.context), job)
        if other is not job and other.name != job.name:
            message = f"{job.name} and {other.name} report as {job.context}: the one that ends last is what counts"
            yield _finding(job.place, message, "give each a context of its own", Severity.WARNING)


def _pipeline(tree: Tree, job: _Job) -> Iterator[Finding]:
    if "://" in job.source:
        message = f"{job.name} runs {job.source}, which lies elsewhere and is not seen"
        yield _finding(job.place, message, "keep it beside the triggers", Severity.NOTICE)
        return
    data = tree.read(job.source) if job.source in tree.entries() else None
    if not data:
        message = f"{job.name} runs {job.source}, which {'is empty' if data is not None else 'does not exist'}"
        yield _finding(job.place, message, "add the file, or correct source")
        return
    try:
        resources, problems = from_documents(parse(data, path=job.source), path=job.source)
    except YamlError as error:
        yield _finding(Source(job.source, error.line), error.message, error.help or "mend its YAML")
        return
    for problem in problems:
        yield _finding(Source(problem.path or job.source, problem.line), problem.message, problem.help)
    if not any(r.id.kind in PIPELINES for r in resources):
        message = f"{job.name} runs {job.source}, in which there is no {', '.join(PIPELINES[:-1])} or {PIPELINES[-1]}"
        yield _finding(Source(job.source, 1), message, "write one of them")
    yield from _held_to_tekton(resources)


def _held_to_tekton(resources: Sequence[Resource]) -> Iterator[Finding]:
    catalogue = Catalogue((LIGHTHOUSE, r) for r in resources)
    for resource in resources:
        for finding in judge(LIGHTHOUSE, resource, catalogue):
            # Lighthouse makes a run of it and declares the parameters of the event itself.
            light = finding.rule == "tekton-param" and finding.severity is Severity.ERROR
            yield replace(finding, target=None, severity=Severity.WARNING if light else finding.severity)


def _finding(place: Source, message: str, help: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(CheckName.SCHEMA, RULE, severity, message, path=place.path, line=place.line, help=help)
