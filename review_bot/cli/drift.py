"""`review-bot drift`: what runs differs from what the repository renders, who changed it, and since when."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from typing import Any

from review_bot.cli.check import clusters_of
from review_bot.cli.trees import config_of, open_tree, reviewer_of
from review_bot.cluster.operator_config import operator_file
from review_bot.core.clusters import LiveAction, LiveChange
from review_bot.core.errors import UsageError
from review_bot.core.report_text import plural
from review_bot.core.sanitise import terminal
from review_bot.pipeline.drift import Drift, drift, to_json

# Of a create everything is missing: that it is missing says it.
WORDS = {LiveAction.CREATE: "is missing in the cluster", LiveAction.UPDATE: "differs"}


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("drift", help="compare what runs with what the repository says", description=__doc__)
    parser.add_argument("repo", nargs="?", default=".", metavar="REPO", help="the repository (default: here)")
    parser.add_argument("--rev", metavar="REV", help="the revision that should run (default: the work tree)")
    parser.add_argument(
        "--cluster", metavar="CONTEXT", help="compare every target with this context (default: the operator's file)"
    )
    parser.add_argument("--config", metavar="FILE", help="configuration instead of the repository's own")
    parser.add_argument("--no-sandbox", action="store_true", help="render without bubblewrap, for content you trust")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the drift; 1 if there is any, or if something could not be compared."""
    operator = operator_file(os.environ)
    clusters = clusters_of(args.cluster, operator)
    if clusters is None:
        raise UsageError("there is no cluster to compare with", help="give --cluster, or REVIEW_BOT_CONFIG")
    repository, tree = open_tree(args.repo, args.rev)
    found = asyncio.run(drift(reviewer_of(args, operator), repository, tree, config_of(tree, args), clusters))
    if args.output == "json":
        sys.stdout.write(json.dumps(to_json(found), indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join(lines(found)) + "\n")
    return 1 if found.drifted or not found.certain else 0


def lines(found: Drift) -> list[str]:
    """The report for a terminal."""
    rows = []
    for one in found.targets:
        state = f"{len(one.changes)} of {one.objects} objects differ" if one.changes else "in sync"
        rows.append(f"   {terminal(one.target.id)} in {terminal(one.cluster)}: {state}")
        for change in one.changes:
            rows += _change(change)
    for finding in found.findings:
        place = f"{finding.path}:{finding.line}" if finding.line else finding.path or ""
        rows.append(f" ! {terminal(f'{place}  {finding.rule}  {finding.message}')}")
    total = sum(len(t.changes) for t in found.targets)
    certain = "" if found.certain else ", and not everything could be compared"
    rows.append(f"{plural(total, 'difference') if total else 'no drift'}{certain}")
    return rows


def _change(change: LiveChange) -> list[str]:
    lines = [f" ≠ {terminal(f'{change.id.kind} {change.id.name}')} {WORDS[change.action]}"]
    if change.action is LiveAction.UPDATE:
        owners = {o.field: o for o in change.owners}
        for field in change.fields:
            by = owners.get(field)
            since = f" since {by.since}" if by and by.since else ""
            who = f"set by {by.manager}{since}" if by else "nobody owns it"
            lines.append(f"     {terminal(f'{field}  {who}')}")
    return lines
