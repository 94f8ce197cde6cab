"""Pieces of the pull request page: the heading, commits, checks with their text and annotations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from review_bot.demo.github import page_markdown
from review_bot.demo.github.check_state import Annotation, CheckRun
from review_bot.demo.github.git import Commit
from review_bot.demo.github.render_checks import latest
from review_bot.demo.github.state import Pull, Repository
from review_bot.demo.github.world import World

_ICONS = {
    "success": ("good", "✓"),
    "neutral": ("none", "■"),
    "skipped": ("none", "■"),
    "failure": ("bad", "✕"),
    "timed_out": ("bad", "✕"),
    "cancelled": ("bad", "✕"),
    "action_required": ("wait", "!"),
}


def link(address: str, text: str, style: str = "") -> str:
    return f'<a href="{escape(address)}"{f" class={style}" if style else ""}>{escape(text)}</a>'


def ago(moment: datetime) -> str:
    return f'<time datetime="{moment.isoformat()}">{moment:%b %d, %H:%M} UTC</time>'


def icon(status: str, conclusion: str | None, title: str = "") -> str:
    style, mark = _ICONS.get(conclusion or "", ("wait", "●")) if status == "completed" else ("wait", "●")
    words = f"{title}: {conclusion or status}" if title else conclusion or status
    return f'<span class="icon {style}" title="{escape(words)}">{mark}</span>'


def latest_runs(repository: Repository, sha: str) -> list[CheckRun]:
    runs = [r for r in repository.checks.values() if r.head_sha == sha]
    return sorted(latest(runs), key=lambda r: r.name)


def state_of(pull: Pull) -> str:
    return "merged" if pull.merged else "closed" if pull.state == "closed" else "draft" if pull.draft else "open"


def heading(pull: Pull, counts: tuple[int, int, int]) -> str:
    state = state_of(pull)
    owner = pull.head_repository.owner.login if pull.head_repository else "unknown"
    verb = "merged" if pull.merged else "wants to merge"
    noun = "commit" if counts[0] == 1 else "commits"
    who = pull.merged_by.login if pull.merged_by else pull.user.login
    tabs = [("conversation", "Conversation", len(pull.comments) + len(pull.reviews))]
    tabs += list(zip(("commits", "checks", "files"), ("Commits", "Checks", "Files changed"), counts, strict=True))
    shown = "".join(f'<a href="#{name}">{text}<span class="count">{n}</span></a>' for name, text, n in tabs)
    return (
        f'<h1>{escape(pull.title)} <span class="number">#{pull.number}</span></h1>'
        f'<p class="about"><span class="badge {state}">{state.title()}</span><b>{escape(who)}</b> {verb} {counts[0]} '
        f"{noun} into <code>{escape(pull.base_ref)}</code> from <code>{escape(f'{owner}:{pull.head_ref}')}</code></p>"
        f'<nav class="tabs">{shown}</nav>'
    )


def commit_list(world: World, repository: Repository, commits: Sequence[Commit]) -> str:
    rows = []
    for commit in commits:
        known = world.by_email(commit.author.email)
        who = f"<b>{escape(known.login)}</b>" if known else f"{escape(commit.author.name)} (not on GitHub)"
        subject = escape(commit.message.split("\n", 1)[0])
        rows.append(
            f'<div class="commit"><div class="what">{subject}<div class="small">{who}</div></div>'
            f"<code>{link(f'/{repository.full_name}/commit/{commit.sha}', commit.sha[:7])}</code></div>"
        )
    empty = '<p class="empty">No commits.</p>'
    return (
        f'<h2 id="commits">Commits<span class="count">{len(commits)}</span></h2>'
        f'<div class="card">{"".join(rows) or empty}</div>'
    )


def check_list(runs: Sequence[CheckRun]) -> str:
    shown = "".join(_check(run) for run in runs)
    empty = '<div class="card"><p class="empty">No checks have reported on this commit.</p></div>'
    return f'<h2 id="checks">Checks<span class="count">{len(runs)}</span></h2>{shown or empty}'


def _check(run: CheckRun) -> str:
    parts = [page_markdown.html(text) for text in (run.summary, run.text) if text]
    body = f'<div class="body">{"".join(parts)}</div>' if parts else ""
    notes = "".join(annotation(one) for one in run.annotations)
    state = (run.conclusion or run.status).replace("_", " ")
    title = f" — {escape(run.title)}" if run.title else ""
    return (
        f'<div class="card" id="run-{run.id}"><header>{icon(run.status, run.conclusion)} <b>{escape(run.name)}</b>'
        f'{title} <span class="tag">{escape(state)}</span></header>{body}{notes}</div>'
    )


def annotation(found: Annotation, *, place: bool = True) -> str:
    """An annotation; its message is plain text on GitHub, too."""
    lines = f"{found.start_line}" if found.start_line == found.end_line else f"{found.start_line}-{found.end_line}"
    where = f'<span class="where">{escape(found.path)}:{lines}</span>' if place else ""
    title = f"<b>{escape(found.title)}</b>" if found.title else ""
    raw = f"<pre>{escape(found.raw_details)}</pre>" if found.raw_details else ""
    return f'<div class="note {found.level}">{title}<pre>{escape(found.message)}</pre>{raw}{where}</div>'
