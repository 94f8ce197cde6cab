"""Findings of rendering, in words."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterable

from review_bot.core.model import CheckName, Finding, Severity, Target

# Where helm says that a template fails.
PLACE = re.compile(r"\(?(?:template: )?([\w./-]+/templates/[\w./-]+):(\d+)")


def failed(
    target: Target,
    cause: str,
    *,
    path: str | None = None,
    line: int | None = None,
    help: str = "",
    rule: str = "render-failed",
) -> Finding:
    """A target that does not render: names the folder, the cause and the next step."""
    name = f"{target.path} ({target.name})" if target.name else target.path
    return Finding(
        check=CheckName.RENDER,
        rule=rule,
        severity=Severity.ERROR,
        message=f"{name} does not render: {cause}",
        target=target.id,
        path=path or target.entry,
        line=line,
        help=help or "render it yourself with the same tool to see more",
    )


def did_you_mean(missing: str, known: Iterable[str]) -> str:
    """A hint at a file with a similar name in the same folder, "" if there is none."""
    folder = posixpath.dirname(missing)
    siblings = [posixpath.basename(k) for k in known if posixpath.dirname(k) == folder]
    near = difflib.get_close_matches(posixpath.basename(missing), siblings, n=1, cutoff=0.7)
    return f"did you mean {near[0]}?" if near else f"add {missing}, or correct the reference"
