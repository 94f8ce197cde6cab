"""What Go's templates say of an error, in the words and at the place that a person needs."""

from __future__ import annotations

import re

from review_bot.core.model import Source

# template: FILE:LINE:COLUMN: executing "FILE" at <EXPRESSION>: error calling FUNCTION: …
_AT = re.compile(r'template: ([^\s:]+):(\d+)(?::\d+)?: (?:executing "[^"]*" at <(.*?)>: )?(?:error calling \S+: )?')
LONGEST = 300


def explained(message: str, otherwise: Source) -> tuple[Source, str]:
    """The innermost place that the message names, and the cause; `otherwise` is the place where it names none."""
    found = list(_AT.finditer(message))
    if not found:
        return otherwise, message[:LONGEST]
    last = found[-1]
    cause = message[last.end() :]
    expression = f"`{last[3]}`: " if last[3] and last[3] not in cause else ""
    return Source(last[1], int(last[2])), f"{expression}{cause}"[:LONGEST]
