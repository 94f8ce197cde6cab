"""`review-bot demo`: a stand-in of GitHub, the bot, a sample repository and pull requests of every kind.

Nothing is acted but GitHub itself: people push by git over HTTP and use the REST API, the bot gets signed webhooks,
renders, judges and publishes, and branch protection merges or refuses.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from review_bot.core.errors import ToolError

SAMPLE = Path(__file__).resolve().parents[2] / "examples" / "config-repo"


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("demo", help="show the whole story on this machine", description=__doc__)
    parser.add_argument(
        "--cluster", action="store_true", help="with a real API server on this machine (`make cluster`)"
    )
    parser.add_argument("--keep", action="store_true", help="leave it running, to look at in a browser")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what happened to each pull request; 3 if the sample is not there."""
    from review_bot.cli.demo_report import table, to_json

    if not SAMPLE.is_dir():
        raise ToolError("the sample repository is not part of this installation", help="run it in the bot's checkout")
    root = Path(tempfile.mkdtemp(prefix="review-bot-demo-"))
    try:
        asyncio.run(_play(root, args, table if args.output == "text" else lambda o: json.dumps(to_json(o), indent=2)))
        if args.cluster:
            _with_cluster(root / "cluster")
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return 0


def _with_cluster(root: Path) -> None:
    from review_bot.cli import demo_cluster

    print()
    for piece in demo_cluster.tell(SAMPLE, root):
        sys.stdout.write(piece)
        sys.stdout.flush()


async def _play(root: Path, args: argparse.Namespace, write: Any) -> None:
    from review_bot.cli.demo_story import Stage

    async with Stage(SAMPLE, root, lambda text: print(f" {text}", file=sys.stderr, flush=True)) as stage:
        outcomes = await stage.play()
        print(write(outcomes), flush=True)
        if args.keep:
            for refused in (outcome for outcome in outcomes if not outcome.merged):
                await stage.set_state(refused, "open")
            print(f"\nIt goes on running: {stage.url}/org/config/pulls (Ctrl-C ends it)", file=sys.stderr, flush=True)
            await asyncio.Event().wait()
