"""The changed files with annotations and comments on their lines, and whole files."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from review_bot.demo.github import page_conversation, page_parts
from review_bot.demo.github.check_state import Annotation, CheckRun
from review_bot.demo.github.diffs import FileChange, Line, lines
from review_bot.demo.github.state import LineComment, Pull, Repository

_MOST_LINES = 2000


def file_list(
    repository: Repository, pull: Pull | None, changed: Sequence[FileChange], runs: Sequence[CheckRun]
) -> str:
    notes = [note for run in runs for note in run.annotations]
    remarks = [c for c in pull.line_comments.values() if not c.pending] if pull else []
    shown = "".join(_file(file, notes, remarks) for file in changed)
    lost = [n for n in notes if n.path not in {f.path for f in changed}]
    elsewhere = "".join(page_parts.annotation(one) for one in lost)
    if elsewhere:
        shown += f'<div class="card"><header>Annotations on files that did not change</header>{elsewhere}</div>'
    return f'<h2 id="files">Files changed<span class="count">{len(changed)}</span></h2>{shown}'


def _file(file: FileChange, notes: Sequence[Annotation], remarks: Sequence[LineComment]) -> str:
    name = f"{file.previous} → {file.path}" if file.previous else file.path
    counts = (
        f'<span class="counts"><span class="plus">+{file.additions}</span> '
        f'<span class="minus">−{file.deletions}</span></span>'  # noqa: RUF001
    )
    head = f'<header>{counts}<span class="path">{escape(name)}</span><span class="tag">{file.status}</span></header>'
    own = [n for n in notes if n.path == file.path]
    said = [c for c in remarks if c.path == file.path]
    if file.patch is None:
        rest = "".join(page_parts.annotation(n) for n in own)
        return f'<div class="card">{head}<p class="empty">Nothing to show.</p>{rest}</div>'
    return f'<div class="card">{head}{_table(file.patch, own, said)}</div>'


def _table(patch: str, notes: Sequence[Annotation], remarks: Sequence[LineComment]) -> str:
    by_position = {line.position: line for line in lines(patch)}
    waiting = list(notes)
    rows = []
    for position, text in enumerate(patch.split("\n")[:_MOST_LINES]):
        line = by_position.get(position)
        if line is None:
            rows.append(f'<tr class="hunk"><td class="n"></td><td class="n"></td><td>{escape(text)}</td></tr>')
            continue
        rows.append(_row(line))
        here = [n for n in waiting if line.new == n.end_line]
        waiting = [n for n in waiting if n not in here]
        inline = [page_parts.annotation(n, place=False) for n in here]
        inline += [page_conversation.line_comment(c, hunk=False) for c in remarks if c.position == position]
        if inline:
            rows.append(f'<tr class="inline"><td colspan="3">{"".join(inline)}</td></tr>')
    left = "".join(page_parts.annotation(n) for n in waiting)
    return f'<div class="scroll"><table class="diff">{"".join(rows)}</table></div>{left}'


def _row(line: Line) -> str:
    kind = "add" if line.old is None else "del" if line.new is None else "ctx"
    old, new = line.old or "", line.new or ""
    return f'<tr class="{kind}"><td class="n">{old}</td><td class="n">{new}</td><td>{escape(line.text)}</td></tr>'


def whole_file(path: str, sha: str, text: str) -> str:
    rows = "".join(
        f'<tr id="L{n}"><td class="n">{n}</td><td>{escape(row)}</td></tr>' for n, row in enumerate(text.split("\n"), 1)
    )
    head = f'<header><span class="path">{escape(path)}</span> <span class="sha">at {sha[:12]}</span></header>'
    return f'<div class="card">{head}<div class="scroll"><table class="diff">{rows}</table></div></div>'
