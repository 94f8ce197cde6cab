"""`review-bot serve`: the GitHub App. Settings come from the environment (see docs/operations.md)."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from typing import Any

SETTINGS = """\
environment:
  GITHUB_APP_ID              the App's id (needed)
  GITHUB_PRIVATE_KEY[_FILE]  its private key, or the file that holds it (needed)
  GITHUB_WEBHOOK_SECRET      the webhook's secret (needed)
  GITHUB_API_URL             default https://api.github.com; Enterprise: https://HOST/api/v3
  GITHUB_URL                 git and links; default follows GITHUB_API_URL
  REVIEW_BOT_DATABASE_URL    default: a SQLite file in the state folder
  REVIEW_BOT_STATE_DIR       mirrors, rendered output, the database
  REVIEW_BOT_CONFIG          the operator's file: clusters, remotes, images, Terraform (docs/operations.md)
  REVIEW_BOT_PUBLIC_URL      where people reach the bot
  PORT                       default 8080; 0 takes any free one
"""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "serve",
        help="run the GitHub App",
        description="Run the GitHub App: receive webhooks, review pull requests, publish verdict and approvals.",
        epilog=SETTINGS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    from review_bot.server import settings

    found = settings.read(os.environ)
    # Whatever runs below us must not find them; we have read them.
    for name in ("GITHUB_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET"):
        os.environ.pop(name, None)
    logging.basicConfig(
        stream=sys.stderr, level=args.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    asyncio.run(_serve(found))
    return 0


async def _serve(settings: Any) -> None:
    from review_bot.server.service import Service

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Service(settings).running() as port:
        print(f"review-bot serve: listening on port {port}", file=sys.stderr, flush=True)
        await stop.wait()
