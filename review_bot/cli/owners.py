"""`review-bot owners`: who owns these paths, and which line says so."""

from __future__ import annotations

import argparse
import json
import posixpath
import sys
from pathlib import Path
from typing import Any

from review_bot.cli.trees import config_of, open_tree
from review_bot.core.sanitise import terminal
from review_bot.gate.ownership import Ownership, files_of, read


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("owners", help="say who owns a path", description=__doc__)
    parser.add_argument("words", nargs="+", metavar="[REPO] PATH", help="paths from the repository's root")
    parser.add_argument("--rev", metavar="REV", help="the revision to ask (default: the work tree)")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a row a path and owner format; a path without owners has one with none."""
    repo, paths = _split(args.words)
    _, tree = open_tree(repo, args.rev)
    config = config_of(tree, args)
    formats = tuple(config.approvals.get("owners", ("OWNERS", "CODEOWNERS")))
    owned = read(files_of(tree), formats)
    rows = [row for path in paths for row in _rows(owned, posixpath.normpath(path))]
    if args.output == "json":
        json.dump(rows, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        for row in rows:
            names = " ".join(row["owners"]) or "nobody"
            sys.stdout.write(terminal(f"{row['path']}  {names}  {row['source'] or ''}".rstrip()) + "\n")
    return 0


def _split(words: list[str]) -> tuple[str, list[str]]:
    first = Path(words[0])
    is_repository = len(words) > 1 and ((first / ".git").exists() or (first / "HEAD").is_file())
    return (words[0], words[1:]) if is_repository else (".", words)


def _rows(owned: Ownership, path: str) -> list[dict[str, Any]]:
    found = owned.of(path)
    if not found:
        return [{"path": path, "owners": [], "source": None}]
    return [{"path": path, "owners": list(o.owners), "source": o.source} for o in found]
