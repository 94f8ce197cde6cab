"""Comments on lines: where they may stand (a line that the diff shows) and what they carry of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from review_bot.demo.github.accounts import Account
from review_bot.demo.github.api import ApiError, unprocessable
from review_bot.demo.github.diffs import FileChange, Line, hunk_of, lines
from review_bot.demo.github.hub import Hub
from review_bot.demo.github.state import LineComment, Pull, Repository

BODY_CAP = 65536


@dataclass(frozen=True)
class Asked:
    body: str
    path: str
    line: int | None
    side: str
    position: int | None
    start_line: int | None
    start_side: str | None
    subject: str


def read(raw: Any) -> Asked:
    """What a request asks for. Raises ApiError."""
    if not isinstance(raw, dict) or not isinstance(raw.get("path"), str) or not isinstance(raw.get("body"), str):
        raise ApiError(422, 'Invalid request.\n\n"path" and "body" weren\'t supplied.')
    if len(raw["body"]) > BODY_CAP:
        raise unprocessable(f"Body is too long (maximum is {BODY_CAP} characters)")
    return Asked(
        body=raw["body"],
        path=raw["path"],
        line=raw.get("line"),
        side=raw.get("side") or "RIGHT",
        position=raw.get("position"),
        start_line=raw.get("start_line"),
        start_side=raw.get("start_side"),
        subject=raw.get("subject_type") or "line",
    )


async def make(
    hub: Hub,
    repository: Repository,
    pull: Pull,
    asked: Asked,
    user: Account,
    commit: str,
    review_id: int,
    *,
    pending: bool,
) -> LineComment:
    """A comment on a line of the diff of `commit`. Raises ApiError where the diff does not show the line."""
    file = await _file(hub, repository, pull, asked.path, commit)
    line = None if asked.subject == "file" else _line(file, asked)
    position = line.position if line else None
    number = None if line is None else (line.old if asked.side == "LEFT" else line.new)
    now = hub.world.now()
    return LineComment(
        id=hub.world.next_id(),
        review_id=review_id,
        user=user,
        body=asked.body,
        path=asked.path,
        commit=commit,
        original_commit=commit,
        hunk=hunk_of(file.patch, position or 0),
        side=asked.side,
        line=number,
        original_line=number,
        start_line=asked.start_line,
        start_side=asked.start_side or (asked.side if asked.start_line else None),
        position=position,
        original_position=position or 1,
        created_at=now,
        updated_at=now,
        subject=asked.subject,
        pending=pending,
    )


async def _file(hub: Hub, repository: Repository, pull: Pull, path: str, commit: str) -> FileChange:
    figures = await hub.settle(repository, pull)
    start = figures.merge_base if figures else None
    for file in await repository.diffs.between(start, commit) if start else []:
        if file.path == path:
            return file
    raise unprocessable("Path could not be resolved")


def _line(file: FileChange, asked: Asked) -> Line:
    shown = lines(file.patch)
    if asked.position is not None and asked.line is None:
        found = next((one for one in shown if one.position == asked.position), None)
    else:
        found = _at(shown, asked.side, asked.line)
    if found is None:
        raise unprocessable("Line could not be resolved")
    if asked.start_line is not None:
        first = _at(shown, asked.start_side or asked.side, asked.start_line)
        if first is None or first.position >= found.position:
            raise unprocessable("start_line must precede the end line and be part of the same hunk")
    return found


def _at(shown: list[Line], side: str, number: int | None) -> Line | None:
    if number is None:
        return None
    return next((one for one in shown if (one.old if side == "LEFT" else one.new) == number), None)
