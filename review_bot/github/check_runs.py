"""Check runs, written so that doing it twice changes nothing.

A run's `external_id` says what was published in it: `<digest of its annotations>:<digest of everything>`, the second
part empty until the run is complete. GitHub appends annotations, so a run gets each of them once: one that was left
half done is gone on with, and one whose annotations no longer hold is followed by a new run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from review_bot.github.annotations import Annotation
from review_bot.github.client import Installation
from review_bot.github.pulls import repo_path

VERDICT, APPROVALS = "review-bot", "review-bot/approvals"
CHUNK = 50
MOST_TITLE, MOST_TEXT = 255, 65_000


@dataclass(frozen=True, slots=True)
class Run:
    """A run of ours as GitHub has it."""

    id: int
    name: str
    completed: bool
    external_id: str
    annotations: int
    url: str


@dataclass(frozen=True)
class Report:
    """What a completed run says. `conclusion` is GitHub's word: success, failure, neutral, action_required."""

    conclusion: str
    title: str
    summary: str
    text: str = ""
    annotations: tuple[Annotation, ...] = ()

    @property
    def marks(self) -> str:
        return _digest([a.to_json() for a in self.annotations])

    @property
    def external_id(self) -> str:
        return f"{self.marks}:{_digest([self.conclusion, self.title, self.summary, self.text])}"


class CheckRuns:
    """The runs of one repository."""

    def __init__(self, api: Installation, repository: str, app_id: int) -> None:
        self._api, self._app_id = api, app_id
        self._path = repo_path(repository)

    async def on(self, sha: str) -> dict[str, Run]:
        """The newest run of ours under each name."""
        runs: dict[str, Run] = {}
        for run in await self._all(sha):
            if run.name not in runs or run.id > runs[run.name].id:
                runs[run.name] = run
        return runs

    async def start(self, sha: str, name: str, summary: str) -> Run:
        """A run in progress, so that people see that the bot is at it."""
        output = {"title": "Reviewing", "summary": summary}
        body = {"name": name, "head_sha": sha, "status": "in_progress", "external_id": ":", "output": output}
        return _run(await self._api.send("POST", f"{self._path}/check-runs", body))

    async def complete(self, sha: str, name: str, report: Report, present: Run | None) -> Run:
        """Bring the run to say `report`; `present` is what `on` found."""
        if present is not None and present.completed and present.external_id == report.external_id:
            return present
        reusable = present is not None and _reusable(present, report)
        if present is not None and not reusable and not present.completed:
            await self.supersede(present)
        done = present.annotations if present is not None and reusable and present.annotations else 0
        rest = [report.annotations[i : i + CHUNK] for i in range(done, len(report.annotations), CHUNK)] or [()]
        run = present if reusable else None
        for index, chunk in enumerate(rest):
            run = await self._write(run, sha, name, report, chunk, last=index == len(rest) - 1)
        assert run is not None  # noqa: S101 - there is at least one chunk
        return run

    async def finish_old(self, sha: str) -> None:
        """Complete whatever is still in progress on a head that is not the newest any more."""
        for run in await self._all(sha):
            if not run.completed:
                await self.supersede(run)

    async def supersede(self, run: Run) -> None:
        output = {"title": "Superseded", "summary": "A newer commit or a newer review took its place."}
        body = {"status": "completed", "conclusion": "cancelled", "output": output}
        await self._api.send("PATCH", f"{self._path}/check-runs/{run.id}", body)

    async def _all(self, sha: str) -> list[Run]:
        path = f"{self._path}/commits/{sha}/check-runs"
        rows = await self._api.pages(path, key="check_runs", app_id=self._app_id, filter="all")
        return [_run(row) for row in rows if (row.get("app") or {}).get("id") == self._app_id]

    async def _write(
        self, run: Run | None, sha: str, name: str, report: Report, chunk: Sequence[Annotation], *, last: bool
    ) -> Run:
        output: dict[str, Any] = {
            "title": report.title[:MOST_TITLE],
            "summary": report.summary,
            "annotations": [a.to_json() for a in chunk],
        }
        if report.text:
            output["text"] = report.text
        body: dict[str, Any] = {"name": name, "external_id": f"{report.marks}:", "output": output}
        if last:
            body |= {"status": "completed", "conclusion": report.conclusion, "external_id": report.external_id}
        else:
            body["status"] = "in_progress"
        if run is None:
            return _run(await self._api.send("POST", f"{self._path}/check-runs", body | {"head_sha": sha}))
        return _run(await self._api.send("PATCH", f"{self._path}/check-runs/{run.id}", body))


def _reusable(present: Run, report: Report) -> bool:
    """Can the run come to hold exactly the report's annotations?"""
    return present.annotations == 0 or present.external_id.partition(":")[0] == report.marks


def _run(row: Mapping[str, Any]) -> Run:
    output = row.get("output") or {}
    return Run(
        id=int(row["id"]),
        name=str(row["name"]),
        completed=row.get("status") == "completed",
        external_id=str(row.get("external_id") or ""),
        annotations=int(output.get("annotations_count") or 0),
        url=str(row.get("html_url") or ""),
    )


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
