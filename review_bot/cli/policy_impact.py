"""`review-bot policy impact`: what the policies of another revision would find, before they are enforced."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from review_bot.cli.trees import config_of, open_tree, reviewer_of
from review_bot.core.model import Finding
from review_bot.core.report_text import plural
from review_bot.core.sanitise import terminal

if TYPE_CHECKING:
    from review_bot.pipeline.impact import Impact


def run(args: argparse.Namespace) -> int:
    """Print the differences; 1 if the new policies do not work."""
    from review_bot.pipeline.impact import impact

    repository, old = open_tree(args.repo, args.base)
    _, new = open_tree(args.repo, args.head)
    before, after = config_of(old, args), config_of(new, args)
    delivering = reviewer_of(args).delivering(repository, after)
    found = asyncio.run(impact(delivering, (old, before), (new, after)))
    if args.output == "json":
        json.dump(_json(found), sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(_text(found))
    return 1 if found.broken else 0


def _text(found: Impact) -> str:
    lines = [f" ✗ {_place(f)}{f.message}" for f in (*found.broken, *found.unseen)]
    lines += [f" + {f.severity}  {f.rule}  {_object(f)}  {f.message}" for f in found.introduced]
    lines += [f" - {f.severity}  {f.rule}  {_object(f)}  {f.message}" for f in found.gone]
    more, less = len(found.introduced), len(found.gone)
    closing = f"{plural(found.objects, 'object')} judged: {more} found anew, {less} no longer found"
    return "\n".join([*(terminal(line) for line in lines), closing]) + "\n"


def _place(finding: Finding) -> str:
    return f"{finding.path}:{finding.line or 1}  " if finding.path else ""


def _object(finding: Finding) -> str:
    id = finding.resource
    return f"{id.kind} {id.name} ({finding.target})" if id else ""


def _json(found: Impact) -> dict[str, Any]:
    from review_bot.core.verdict import finding_json

    def rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
        return [finding_json(f) for f in findings]

    return {
        "objects": found.objects,
        "introduced": rows(found.introduced),
        "gone": rows(found.gone),
        "broken": rows(found.broken),
        "unseen": rows(found.unseen),
    }
