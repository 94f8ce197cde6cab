"""`review-bot targets`: all targets, or those that a change touches: why, found by what, reads what, goes where."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from review_bot.cli.trees import branch_of, config_of, open_tree, reviewer_of, say
from review_bot.core.errors import UsageError
from review_bot.core.explained import found_by, goes_to, reads
from review_bot.core.model import Target
from review_bot.core.sanitise import terminal
from review_bot.github.workspace import Repository


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("targets", help="list targets", description=__doc__)
    parser.add_argument("repo", nargs="?", default=".", metavar="REPO", help="the repository (default: here)")
    parser.add_argument("--rev", metavar="REV", help="list the targets of this revision (default: the work tree)")
    parser.add_argument("--base", metavar="REV", help="with a change: what it is to be merged into")
    parser.add_argument("--head", metavar="REV", help="with --base: the change (default: the work tree)")
    parser.add_argument("--config", metavar="FILE", help="configuration instead of the repository's own")
    parser.add_argument("--no-sandbox", action="store_true", help="render without bubblewrap, for content you trust")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the targets; 0 also where there are none."""
    if args.head is not None and args.base is None:
        raise UsageError("--head needs --base", help="name what the change is to be merged into")
    if args.rev is not None and args.base is not None:
        raise UsageError(
            "--rev and --base exclude each other", help="--rev lists all, --base those that a change touches"
        )
    rows = _touched(args) if args.base is not None else _all(args)
    if args.output == "json":
        json.dump(rows, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        for row in rows:
            sys.stdout.write(_text(row))
        if not rows:
            print("no targets" if args.base is None else "the change touches no target", file=sys.stderr)
    return 0


def _all(args: argparse.Namespace) -> list[dict[str, Any]]:
    repository, tree = open_tree(args.repo, args.rev)
    config = config_of(tree, args)
    delivering = reviewer_of(args).delivering(repository, config)
    survey = asyncio.run(delivering.survey(tree))
    for finding in survey.findings:
        say(finding)
    return [_row(t, f"found by {found_by(t)}", tree.entries()) for t in survey.targets]


def _touched(args: argparse.Namespace) -> list[dict[str, Any]]:
    repository = Repository(Path(args.repo))
    base = repository.resolve(args.base)
    head = repository.resolve(args.head) if args.head is not None else None
    planned = asyncio.run(reviewer_of(args).touched(repository, base, head, branch=branch_of(args.base)))
    after = repository.worktree() if head is None else repository.tree(head)
    there = repository.tree(base).entries().keys() | after.entries().keys()
    return [_row(p.target, p.reason, there) for p in planned]


def _text(row: Mapping[str, Any]) -> str:
    """The target with why it is listed, and below what explains it."""
    told = row["explained"]
    lines = [f"{row['id']}  ({row['reason']})"]
    lines += [f"    found by {told['found_by']}"] if told["found_by"] not in row["reason"] else []
    lines += [f"    reads    {told['reads']}", f"    goes to  {told['goes_to']}"]
    return "".join(f"{terminal(line)}\n" for line in lines)


def _row(target: Target, reason: str, there: Collection[str]) -> dict[str, Any]:
    return {
        "id": target.id,
        "renderer": str(target.renderer),
        "path": target.path,
        "reason": reason,
        "name": target.name,
        "entry": target.entry,
        "cluster": target.cluster,
        "environment": target.environment,
        "namespace": target.namespace,
        "reads": sorted(target.reads) if target.reads is not None else None,
        "delivery": _delivery(target),
        "explained": {"found_by": found_by(target), "reads": reads(target, there), "goes_to": goes_to(target)},
    }


def _delivery(target: Target) -> dict[str, Any] | None:
    """Who deploys it and where it goes, None for a folder that no object names."""
    found = target.delivery
    if found is None:
        return None
    return {
        "tool": found.tool,
        "kind": found.object.kind,
        "namespace": found.object.namespace,
        "name": found.object.name,
        "path": found.source.path,
        "line": found.source.line,
        "parent": found.parent,
        "destination": found.destination,
        "prune": found.prune,
        "suspended": found.suspended,
        "seen": bool(target.parts),
    }
