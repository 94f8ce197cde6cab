"""A review as the server keeps and publishes it: what stands in runs and comment, and what the gate must know."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from review_bot.core import report_markdown
from review_bot.core.model import CheckName, Conclusion, ResourceChange, ResourceId, Severity
from review_bot.core.outcome import Verdict
from review_bot.core.report_text import plural
from review_bot.core.sanitise import code, markdown
from review_bot.core.terraform.environments import environment_of
from review_bot.core.verdict import blocks, to_json
from review_bot.gate.stale import Shown
from review_bot.github.annotations import Annotation, annotate
from review_bot.github.check_runs import MOST_TEXT, Report
from review_bot.github.conversation import Place
from review_bot.github.diff_lines import DiffLines
from review_bot.pipeline.review import Review
from review_bot.server import since

MOST_PLACES = 10
MOST_DIFF = 4000
MOST_WAIVABLE = 500


@dataclass(frozen=True)
class Document:
    """`changes`, `files` and `checks` are gate facts; `comment` is the sticky comment up to its approvals line.

    `waivable` has the rules that objects break, each with what a waiver would match; `shown` the changes as people see
    them (`gate.stale.Shown`), values of Secrets masked.
    """

    digest: str
    report: Report
    comment: str
    footer: str
    places: tuple[Place, ...]
    places_text: str
    changes: tuple[Mapping[str, Any], ...]
    files: tuple[Mapping[str, Any], ...]
    checks: Mapping[str, str]
    waivable: tuple[Mapping[str, Any], ...]
    shown: tuple[Mapping[str, str], ...]
    demands: tuple[Mapping[str, Any], ...] = ()

    @property
    def substance(self) -> Document:
        """All but the footer, which names commits and the time it took."""
        return replace(self, footer="")

    def full_report(self) -> Report:
        """The report with its footer."""
        return replace(self.report, summary=f"{self.report.summary}\n\n{self.footer}")

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def load(text: str) -> Document | None:
        """What `dump` wrote; None for what another version of the bot wrote otherwise."""
        try:
            return Document._from(json.loads(text))
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    @staticmethod
    def _from(row: dict[str, Any]) -> Document:
        marks = tuple(Annotation(**mark) for mark in row["report"].pop("annotations"))
        return Document(
            **{
                **row,
                "report": Report(**row["report"], annotations=marks),
                "places": tuple(Place(**place) for place in row["places"]),
                "changes": tuple(row["changes"]),
                "files": tuple(row["files"]),
                "waivable": tuple(row["waivable"]),
                "shown": tuple(row["shown"]),
                "demands": tuple(row["demands"]),
            }
        )


def of(review: Review, shown: DiffLines) -> Document:
    """Everything that follows from a review alone."""
    verdict = review.verdict
    targets = [p.id for p in review.planned]
    read_by = {id: [f.path for f in review.files if id in review.targets_of(f.path)] for id in targets}
    annotations = annotate(verdict.findings, shown, read_by)
    places = _places(annotations, shown)
    return Document(
        digest=verdict.effect_digest,
        report=Report(
            conclusion=str(verdict.conclusion),
            title=report_markdown.title(verdict),
            summary=report_markdown.summary(verdict, limit=MOST_TEXT),
            text=report_markdown.details(verdict, limit=MOST_TEXT),
            annotations=annotations,
        ),
        comment=report_markdown.body(verdict),
        footer=report_markdown.footer(verdict),
        places=places,
        places_text=_places_text(places, verdict),
        changes=tuple(_changes(verdict)),
        files=tuple(_files(review)),
        checks=_checks(verdict),
        waivable=tuple(_waivable(verdict)),
        shown=since.rows([_shown(change) for change in verdict.changes]),
        demands=tuple(to_json(verdict)["demands"]),
    )


def _places(annotations: tuple[Annotation, ...], shown: DiffLines) -> tuple[Place, ...]:
    """Where people should look first: problems that lie on lines which the diff shows."""
    found = [
        Place(mark.path, mark.line, f"**{code(mark.title)}** {markdown(mark.message)}")
        for mark in annotations
        if mark.level == "failure" and shown.shown(mark.path, mark.line)
    ]
    return tuple(found[:MOST_PLACES])


def _places_text(places: tuple[Place, ...], verdict: Verdict) -> str:
    if not places:
        return f"Nothing is left to look at on {verdict.head[:7]}."
    rows = "\n".join(f"- {code(f'{p.path}:{p.line}')}" for p in places)
    return f"**Look here first** · {plural(len(places), 'problem')} on {verdict.head[:7]}\n{rows}"


def _changes(verdict: Verdict) -> list[Mapping[str, Any]]:
    targets = {t.target.id: t.target for t in verdict.targets}
    dangerous = {(d.target, d.id) for d in verdict.dangers}
    rules: dict[tuple[str | None, ResourceId | None], set[str]] = defaultdict(set)
    for finding in verdict.findings:
        if finding.check is CheckName.POLICY:
            rules[finding.target, finding.resource].add(finding.rule)
    return [
        {
            "target": change.target,
            "environment": environment_of(change, targets[change.target]),
            "cluster": targets[change.target].cluster,
            "action": str(change.action),
            "apiVersion": change.id.api_version,
            "kind": change.id.kind,
            "namespace": change.id.namespace,
            "name": change.id.name,
            "fields": list(change.fields),
            "steps": sorted({str(move.step) for move in verdict.moved.get((change.target, change.id), ())}),
            "policies": sorted(rules[change.target, change.id]),
            "dangerous": (change.target, change.id) in dangerous,
        }
        for change in verdict.changes
    ]


def _waivable(verdict: Verdict) -> list[Mapping[str, Any]]:
    """Render errors and the configuration's own can't be waived, nor a policy that failed itself: it has no object."""
    rows: list[Mapping[str, Any]] = []
    for finding in verdict.findings:
        if finding.check in (CheckName.RENDER, CheckName.CONFIG) or finding.resource is None or finding.waived:
            continue
        id = finding.resource
        match = {"kind": id.kind, "namespace": id.namespace, "name": id.name, "target": finding.target}
        row = {"rule": finding.rule, "match": {key: value for key, value in match.items() if value}}
        if row not in rows:
            rows.append(row)
    return rows[:MOST_WAIVABLE]


def _shown(change: ResourceChange) -> Shown:
    id = change.id
    name = f"{id.kind} {f'{id.namespace}/' if id.namespace else ''}{id.name} in {change.target}"
    mark = hashlib.sha256(f"{change.action}\0{change.diff}".encode(errors="replace")).hexdigest()[:16]
    return Shown(name, str(change.action), mark, change.diff[:MOST_DIFF])


def _files(review: Review) -> list[Mapping[str, Any]]:
    return [
        {
            "path": file.path,
            "status": file.status,
            "previous_path": file.previous_path,
            "targets": list(review.targets_of(file.path)),
        }
        for file in review.files
    ]


def _checks(verdict: Verdict) -> dict[str, str]:
    """The checks' states; a broken configuration fails too, though it is no check of its own."""
    states = {str(name): str(state) for name, state in verdict.checks.items()}
    broken = any(f.check is CheckName.CONFIG and f.severity is Severity.ERROR and blocks(f) for f in verdict.findings)
    if broken:
        states["config"] = "failure"
    elif verdict.conclusion is Conclusion.FAILURE and "failure" not in states.values():
        states["verdict"] = "failure"
    return states
