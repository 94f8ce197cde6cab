"""`review-bot replay`: webhook deliveries that never arrived, sent by GitHub once more.

Reviews do not need it, since a sweep finds what was missed: it brings news at once, and shows what does not arrive.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from review_bot.core.errors import ToolError, UsageError
from review_bot.core.sanitise import terminal
from review_bot.github.client import AppIdentity, GitHubApp
from review_bot.github.deliveries import Deliveries, Delivery, missed
from review_bot.github.errors import GitHubError
from review_bot.server.settings import read_app

# GitHub keeps deliveries for three days.
MOST_HOURS = 72


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "replay",
        help="have GitHub send missed webhook deliveries again",
        description="Ask GitHub to send every webhook delivery again that has not arrived in any attempt. Sending one "
        "twice does no harm. Needs GITHUB_APP_ID, the private key and, for Enterprise, GITHUB_API_URL.",
        epilog="exit status: 0 nothing is missing or all is being sent again, 1 something is not, 2 wrong usage, "
        "3 GitHub did not answer",
    )
    parser.add_argument("--hours", type=float, default=24.0, help=f"how far to look back, at most {MOST_HOURS} (24)")
    parser.add_argument("--list", action="store_true", help="only show them; exit status 1 if there are any")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Raises UsageError, ToolError."""
    if not 0 < args.hours <= MOST_HOURS:
        raise UsageError(f"--hours: GitHub keeps {MOST_HOURS} hours", help=f"give a number up to {MOST_HOURS}")
    settings = read_app(os.environ)
    github = GitHubApp(AppIdentity(settings.app_id, settings.private_key, settings.api_url))
    since = datetime.now(UTC) - timedelta(hours=args.hours)
    try:
        seen, rows = asyncio.run(_replayed(github.deliveries, since, ask=not args.list))
    except GitHubError as error:
        help = "check GITHUB_APP_ID, the private key, GITHUB_API_URL and the network"
        raise ToolError(f"GitHub did not answer: {error}", help=help) from error
    finally:
        github.close()
    _write(args.output, seen, rows, listed=args.list)
    return 1 if any(not asked for _, asked, _ in rows) else 0


Row = tuple[Delivery, bool, str]


async def _replayed(deliveries: Deliveries, since: datetime, *, ask: bool) -> tuple[int, list[Row]]:
    """How many deliveries there were, and each missed one: is it on its way again, and if not, why."""
    found = await deliveries.since(since)
    rows: list[Row] = []
    for one in missed(found):
        why = "" if not ask else await deliveries.again(one)
        rows.append((one, ask and not why, why))
    return len({one.guid for one in found}), rows


def _write(output: str, seen: int, rows: list[Row], *, listed: bool) -> None:
    if output == "json":
        found = [{**one.to_json(), "sent_again": asked, "refused": why or None} for one, asked, why in rows]
        json.dump({"deliveries": seen, "missed": found}, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    for one, asked, why in rows:
        state = "is sent again" if asked else f"is not sent again: {why}" if why else "did not arrive"
        sys.stdout.write(f"{terminal(f'{one.at}  {one.what:<32}  {one.trouble:<12}  {state}')}\n")
    if not rows:
        sys.stdout.write(f"all of {seen} deliveries arrived\n")
    elif listed:
        sys.stdout.write(f"{len(rows)} of {seen} deliveries did not arrive; without --list they are sent again\n")
    else:
        sent = sum(asked for _, asked, _ in rows)
        sys.stdout.write(f"{len(rows)} of {seen} deliveries did not arrive; GitHub sends {sent} again\n")
