"""The words of a drift issue: what differs, who owns the field and since when. Pure.

The text holds nothing that changes by itself (no revision, no time of the sweep, no digests of secrets), so that an
unchanged drift gives the same text and costs no write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from review_bot.core.clusters import LiveAction, LiveChange
from review_bot.core.model import Target
from review_bot.core.report_text import plural
from review_bot.core.sanitise import code, fence, visible
from review_bot.github.issues import MOST_BODY_BYTES, MOST_TITLE
from review_bot.pipeline.drift import TargetDrift

MARK = "<!-- review-bot:drift "
MOST_FIELDS = 20
MOST_FIELD = 200
# What follows the last object that fits.
ROOM_BYTES = 1000
GONE = "The drift is gone: what runs is what the branch says again."
NO_TARGET = "This target is compared with no cluster any more: it left the repository, or its cluster is not assigned."
TWICE = "Another issue says the same."


def marker(target: Target | str) -> str:
    """The hidden mark of a target's issue; a digest, since a path may hold anything."""
    id = target if isinstance(target, str) else target.id
    return f"{MARK}{hashlib.sha256(id.encode(errors='surrogatepass')).hexdigest()[:16]} -->"


def title(drifted: TargetDrift) -> str:
    return visible(f"Drift: {drifted.target.id} differs in {drifted.cluster}")[:MOST_TITLE]


def body(drifted: TargetDrift, branch: str) -> str:
    """The issue's text. What does not fit is counted, nothing is cut in the middle."""
    count = plural(len(drifted.changes), "object")
    parts = [
        marker(drifted.target),
        f"What runs in the cluster {code(drifted.cluster)} is not what {code(branch)} says of "
        f"{code(drifted.target.id)}: {count} differ{'s' if len(drifted.changes) == 1 else ''}.",
    ]
    left = MOST_BODY_BYTES - ROOM_BYTES - _size("\n\n".join(parts))
    changes = sorted(drifted.changes, key=lambda c: (c.id.kind, c.id.namespace or "", c.id.name))
    shown = 0
    for change in changes:
        text = next((t for t in _ways(change) if _size(t) <= left), None)
        if text is None:
            break
        parts.append(text)
        left -= _size(text)
        shown += 1
    if shown < len(changes):
        parts.append(f"{plural(len(changes) - shown, 'object')} more: `review-bot drift` shows all.")
    parts.append(
        "<sub>Lines with a minus are what runs, lines with a plus what the branch says. Change one of them until they "
        "agree: this issue follows, and is closed when the drift is gone.</sub>"
    )
    return "\n\n".join(parts)


def _ways(change: LiveChange) -> Iterator[str]:
    """An object with its difference, and without where that is too long."""
    where = f" in {code(change.id.namespace)}" if change.id.namespace else ""
    says = "is missing in the cluster" if change.action is LiveAction.CREATE else "differs"
    rows = [f"### {code(f'{change.id.kind} {change.id.name}')}{where} {says}"]
    if change.action is not LiveAction.CREATE:
        rows += list(_fields(change))
    text = "\n".join(rows)
    # Whether a value of a Secret differs is told by its field.
    if change.id.kind != "Secret" and change.diff:
        yield f"{text}\n\n<details><summary>Difference</summary>\n\n{fence(change.diff, 'diff')}\n</details>"
        yield f"{text}\n\nThe difference is too long to be shown here: `review-bot drift` shows it."
    else:
        yield text


def _fields(change: LiveChange) -> Iterator[str]:
    owners = {o.field: o for o in change.owners}
    for field in change.fields[:MOST_FIELDS]:
        by = owners.get(field)
        since = f" since {by.since}" if by and by.since else ""
        who = f"set by {code(by.manager[:MOST_FIELD])}{since}" if by else "owned by nobody"
        yield f"- {code(field[:MOST_FIELD])}: {who}"
    if len(change.fields) > MOST_FIELDS:
        yield f"- {plural(len(change.fields) - MOST_FIELDS, 'field')} more"


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass")) + 2
