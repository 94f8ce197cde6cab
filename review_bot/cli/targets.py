"""`review-bot targets`: all targets, or those that a change touches, each with the reason."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from review_bot.cli.trees import config_of, open_tree
from review_bot.core.errors import UsageError
from review_bot.core.model import Target
from review_bot.core.planning import discover, plan
from review_bot.core.sanitise import terminal
from review_bot.github.workspace import Repository


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("targets", help="list targets", description=__doc__)
    parser.add_argument("repo", nargs="?", default=".", metavar="REPO", help="the repository (default: here)")
    parser.add_argument("--rev", metavar="REV", help="list the targets of this revision (default: the work tree)")
    parser.add_argument("--base", metavar="REV", help="with a change: what it is to be merged into")
    parser.add_argument("--head", metavar="REV", help="with --base: the change (default: the work tree)")
    parser.add_argument("--config", metavar="FILE", help="configuration instead of the repository's own")
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
            sys.stdout.write(f"{terminal(row['id'])}  ({terminal(row['reason'])})\n")
        if not rows:
            print("no targets" if args.base is None else "the change touches no target", file=sys.stderr)
    return 0


def _all(args: argparse.Namespace) -> list[dict[str, Any]]:
    _, tree = open_tree(args.repo, args.rev)
    return [_row(t, f"found by {t.entry}") for t in discover(tree, config_of(tree, args))]


def _touched(args: argparse.Namespace) -> list[dict[str, Any]]:
    repository = Repository(Path(args.repo))
    base = repository.resolve(args.base)
    head = repository.resolve(args.head) if args.head is not None else None
    merge_base = repository.merge_base(base, head or repository.resolve("HEAD"))
    trees = repository.tree(merge_base), repository.tree(head) if head else repository.worktree()
    config = config_of(repository.tree(base), args)
    return [_row(p.target, p.reason) for p in plan(*trees, repository.changes(merge_base, head), config)]


def _row(target: Target, reason: str) -> dict[str, Any]:
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
    }
