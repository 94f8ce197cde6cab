"""`review-bot render`: a target's manifests as YAML that every reader understands alike."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import sys
import tempfile
from pathlib import Path
from typing import Any

from review_bot.cli.trees import config_of, open_tree
from review_bot.core.errors import UsageError
from review_bot.core.model import Finding, Severity, Target
from review_bot.core.planning import discover
from review_bot.core.sanitise import terminal
from review_bot.core.tools import cache_dir
from review_bot.core.yaml_writer import dump
from review_bot.render.renderer import Renderer
from review_bot.render.sandbox import Limits


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
    target = _choose(discover(tree, config), wanted)
    renderer = Renderer(
        cache_dir=cache_dir() / "rendered",
        limits=Limits(),
        kubernetes=config.kubernetes,
        allow_unsandboxed=args.no_sandbox,
    )
    with tempfile.TemporaryDirectory(prefix="review-bot-") as work:
        loose = repository.materialise(tree, target.reads, Path(work))
        rendered = asyncio.run(renderer.render_all([(target, tree, Path(work))]))[0]
    for finding in (*loose, *rendered.findings):
        _say(finding)
    if rendered.failed or any(f.severity is Severity.ERROR for f in loose):
        return 1
    sys.stdout.write(dump(r.manifest for r in rendered.resources))
    return 0


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


def _say(finding: Finding) -> None:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path or ""
    print(f"review-bot: {terminal(place)}: {terminal(finding.message)}", file=sys.stderr)
    if finding.help:
        print(f"    → {terminal(finding.help)}", file=sys.stderr)
