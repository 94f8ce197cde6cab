"""`review-bot render`: a target's manifests as YAML that every reader understands alike."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import sys
from typing import Any

from review_bot.cli.trees import config_of, open_tree, reviewer_of, say
from review_bot.core.errors import UsageError
from review_bot.core.model import Finding, Rendered, Severity, Target, Tree
from review_bot.core.yaml_writer import dump
from review_bot.pipeline.delivering import Delivering
from review_bot.pipeline.rendering import render_trees


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("render", help="print a target's manifests", description=__doc__)
    parser.add_argument("words", nargs="+", metavar="[REPO] TARGET", help="a target's id, path or name (see `targets`)")
    parser.add_argument("--rev", metavar="REV", help="the revision to render (default: the work tree)")
    parser.add_argument("--config", metavar="FILE", help="configuration instead of the repository's own")
    parser.add_argument("--no-sandbox", action="store_true", help="render without bubblewrap, for content you trust")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the manifests; 1 if the target does not render, 2 if there is no such target."""
    if len(args.words) > 2:
        raise UsageError("render takes a repository and one target", help="review-bot render [REPO] TARGET")
    repo, wanted = (".", args.words[0]) if len(args.words) == 1 else args.words
    repository, tree = open_tree(repo, args.rev)
    config = config_of(tree, args)
    delivering = reviewer_of(args).delivering(repository, config)
    rendered, told = asyncio.run(_rendered(delivering, tree, wanted))
    for finding in (*told, *rendered.findings):
        say(finding)
    if rendered.failed or any(f.severity is Severity.ERROR for f in told):
        return 1
    sys.stdout.write(dump(r.manifest for r in rendered.resources))
    return 0


async def _rendered(delivering: Delivering, tree: Tree, wanted: str) -> tuple[Rendered, tuple[Finding, ...]]:
    """The target, and what else is to be said of it."""
    survey = await delivering.survey(tree)
    target = _choose(survey.targets, wanted)
    work = [(survey.tree, [target])]
    results, (loose,) = await render_trees(delivering.renderer, delivering.repository, work)
    return results[0], (*(f for f in survey.findings if f.target == target.id), *loose)


def _choose(targets: tuple[Target, ...], wanted: str) -> Target:
    folder = wanted.rstrip("/").removeprefix("./") or "."
    found = [t for t in targets if wanted in (t.id, t.name)] or [t for t in targets if t.path == folder]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{wanted} names {len(found)} targets", help=f"use an id: {', '.join(t.id for t in found)}")
    near = difflib.get_close_matches(wanted, [n for t in targets for n in (t.id, t.path)], n=1)
    hint = f"did you mean {near[0]}?" if near else "`review-bot targets` lists them"
    raise UsageError(f"there is no target {wanted}", help=hint)
