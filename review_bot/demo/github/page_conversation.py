"""What was said on a pull request, in order; who was asked; and the box that says whether it can be merged."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from review_bot.demo.github import page_markdown, page_parts
from review_bot.demo.github.accounts import Account
from review_bot.demo.github.git import Commit
from review_bot.demo.github.page_parts import ago, icon, link
from review_bot.demo.github.protection import MergeBox, counts, standing
from review_bot.demo.github.state import Comment, LineComment, Pull, Repository, Review
from review_bot.demo.github.world import World

STATES = {
    "clean": "ready to merge",
    "blocked": "merging is blocked",
    "dirty": "has conflicts",
    "draft": "is a draft",
    "unstable": "some checks are not successful",
    "behind": "out of date with the base",
    "unknown": "checking",
}
_DID = {
    "APPROVED": ("approved", "approved these changes", "✓"),
    "CHANGES_REQUESTED": ("objected", "requested changes", "✕"),
    "DISMISSED": ("", "reviewed; the review was dismissed", "—"),
    "COMMENTED": ("", "reviewed", "●"),
}
_EYES = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "hooray": "🎉",
    "confused": "😕",
    "heart": "❤️",
    "rocket": "🚀",
    "eyes": "👀",
}


def conversation(world: World, repository: Repository, pull: Pull, commits: Sequence[Commit]) -> str:
    """The description, then comments and reviews in the order in which they came."""
    opened = _card(pull.user, "opened this pull request", ago(pull.created_at), pull.body or "*No description.*")
    said: list[tuple[object, int, str]] = [(c.created_at, c.id, _comment(c)) for c in pull.comments.values()]
    for review in pull.reviews.values():
        if review.submitted_at:
            said.append((review.submitted_at, review.id, _review(repository, pull, review)))
    return opened + "".join(text for _, _, text in sorted(said, key=lambda entry: (entry[0], entry[1])))


def _card(user: Account, did: str, when: str, body: str, *, anchor: str = "", more: str = "", style: str = "") -> str:
    bot = user.kind == "Bot"
    tag = '<span class="tag">bot</span>' if bot else ""
    return (
        f'<div class="card {style}{" bot" if bot else ""}"{f" id={anchor}" if anchor else ""}>'
        f"<header><b>{escape(user.login)}</b>{tag} {did} · {when}</header>"
        f'<div class="body">{page_markdown.html(body)}</div>{more}</div>'
    )


def _comment(comment: Comment) -> str:
    edited = " · edited" if comment.updated_at != comment.created_at else ""
    counts = {r.content: sum(1 for o in comment.reactions if o.content == r.content) for r in comment.reactions}
    marks = " ".join(f'<span class="tag">{_EYES[name]} {n}</span>' for name, n in counts.items())
    more = f'<div class="body">{marks}</div>' if marks else ""
    when = ago(comment.created_at) + edited
    return _card(comment.user, "commented", when, comment.body, anchor=f"issuecomment-{comment.id}", more=more)


def _review(repository: Repository, pull: Pull, review: Review) -> str:
    style, did, mark = _DID.get(review.state, _DID["COMMENTED"])
    when = ago(review.submitted_at) if review.submitted_at else ""
    old = "" if review.commit == pull.head_sha else f' <span class="tag">on {review.commit[:7]}, an older head</span>'
    anchor = f"pullrequestreview-{review.id}"
    if review.body:
        head = _card(review.user, f"{mark} {did}", when + old, review.body, anchor=anchor, style=style)
    else:
        text = f"<b>{escape(review.user.login)}</b> {did} · {when}{old}"
        head = f'<p class="event {style}" id="{anchor}">{mark} {text}</p>'
    remarks = [c for c in pull.line_comments.values() if c.review_id == review.id and not c.pending]
    return head + "".join(line_comment(c, hunk=True) for c in remarks)


def line_comment(comment: LineComment, *, hunk: bool) -> str:
    rows = comment.hunk.split("\n")[-4:] if hunk else []
    shown = "".join(f'<span class="{_kind(row)}">{escape(row)}\n</span>' for row in rows)
    code = f'<pre class="code diff-code">{shown}</pre>' if shown else ""
    where = f'<span class="path">{escape(comment.path)}</span>' if hunk else ""
    place = f" line {comment.original_line}" if comment.original_line and hunk else ""
    bot = " bot" if comment.user.kind == "Bot" else ""
    return (
        f'<div class="card{bot}"><header><b>{escape(comment.user.login)}</b> · {ago(comment.created_at)} '
        f'{where}{place}</header><div class="body">{code}{page_markdown.html(comment.body)}</div></div>'
    )


def _kind(row: str) -> str:
    return {"+": "add", "-": "del", "@": "hunk"}.get(row[:1], "ctx")


def sidebar(world: World, repository: Repository, pull: Pull) -> str:
    marks = {"APPROVED": ("good", "✓"), "CHANGES_REQUESTED": ("bad", "✕"), "DISMISSED": ("none", "—")}
    rows = []
    for review in standing(pull):
        style, mark = marks[review.state]
        weak = "" if counts(world, repository, review.user) else ' <span class="tag">read only</span>'
        rows.append(f'<p><span class="icon {style}">{mark}</span> {escape(review.user.login)}{weak}</p>')
    asked = [escape(a.login) for a in pull.reviewers] + [
        escape(f"{t.organisation.login}/{t.slug}") for t in pull.reviewing_teams
    ]
    rows += [f'<p><span class="icon wait">●</span> {name}</p>' for name in asked]
    labels = " ".join(f'<span class="tag">{escape(one.name)}</span>' for one in pull.labels)
    head = f'<p class="sha">{pull.head_sha[:12]}</p>'
    parts = (("Reviewers", "".join(rows) or "<p>Nobody yet</p>"), ("Labels", labels or "<p>None</p>"), ("Head", head))
    return "".join(f"<section><h3>{name}</h3>{text}</section>" for name, text in parts)


def merge_card(repository: Repository, pull: Pull, box: MergeBox) -> str:
    if pull.merged or pull.state == "closed":
        who = pull.closed_by.login if pull.closed_by else "somebody"
        word = "merged" if pull.merged else "closed"
        sha = (
            f" as {link(f'/{repository.full_name}/commit/{pull.merge_commit_sha}', (pull.merge_commit_sha or '')[:7])}"
        )
        text = f"<strong>{word.title()} by {escape(who)}{sha if pull.merged else ''}</strong>"
        return f'<div class="card merge {"merged" if pull.merged else ""}"><div class="verdict">{text}</div></div>'
    style = {"clean": "clean", "unstable": "clean", "dirty": "dirty"}.get(box.state, "blocked")
    title, words = _verdict(box)
    listed = "".join(f"<li>{escape(one)}</li>" for one in words)
    needed = {r.name: r for r in box.requirements}
    runs = page_parts.latest_runs(repository, pull.head_sha)
    rows = [_row(icon(r.status, r.conclusion), r.name, r.title or r.status, r.name in needed, r.id) for r in runs]
    there = {r.name for r in runs}
    rows += [
        _row(icon("queued", None), r.name, "Expected: waiting for it to be reported", True, None)
        for r in box.requirements
        if r.name not in there and r.state == "expected"
    ]
    return (
        f'<div class="card merge {style}" id="merge-box"><div class="verdict"><strong>{escape(title)}</strong>'
        f"<ul>{listed}</ul></div>{''.join(rows)}</div>"
    )


def _verdict(box: MergeBox) -> tuple[str, list[str]]:
    words = list(box.reasons)
    if box.approvals_needed:
        words.append(f"{box.approvals} of {box.approvals_needed} approving reviews by people with write access.")
    title = {
        "clean": "This branch can be merged",
        "unstable": "This branch can be merged; some checks are not successful",
        "dirty": "This branch has conflicts with its base",
        "draft": "This pull request is still a draft",
        "behind": "This branch is out of date with its base",
    }.get(box.state, "Merging is blocked")
    return title, words


def _row(mark: str, name: str, text: str, required: bool, run: int | None) -> str:
    shown = link(f"#run-{run}", name) if run else escape(name)
    need = '<span class="need">required</span>' if required else ""
    return (
        f'<div class="check">{mark}<div class="what"><b>{shown}</b> <span class="small">{escape(text)}</span></div>'
        f"{need}</div>"
    )
