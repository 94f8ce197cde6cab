"""The `review-bot` command: one module a subcommand, imported only when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType

from review_bot import __version__
from review_bot.core.errors import InputError, ReviewBotError, ToolError

# name → (module below review_bot.cli, help). Order is the order of --help.
COMMANDS: dict[str, tuple[str, str]] = {
    "setup": ("setup", "make the GitHub App for the bot"),
    "serve": ("serve", "run the GitHub App"),
    "check": ("check", "review a local git repository: what changes, is it valid, does policy allow it"),
    "targets": ("targets", "list the deployment targets, or those that a change touches"),
    "render": ("render", "print a target's manifests"),
    "gate": ("gate", "decide approvals on given facts"),
    "owners": ("owners", "say who owns a path"),
    "policy": ("policy", "test policies and print their catalogue"),
    "drift": ("drift", "compare what runs in the cluster with what the repository renders"),
    "audit": ("audit", "verify, export or show the log of every decision"),
    "replay": ("replay", "have GitHub send missed webhook deliveries again"),
    "demo": ("demo", "show what the bot says of pull requests of every kind"),
    "doctor": ("doctor", "check the tools that the bot drives, or a repository's protection"),
}

OK, BLOCKED, USAGE, BOT_FAILED = 0, 1, 2, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit status of the contract (0, 1, 2 or 3)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # A path in a repository may be any bytes; printing one must not end the review.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _dispatch(arguments)
    except InputError as error:
        return _report(error, BLOCKED)
    except ToolError as error:
        return _report(error, BOT_FAILED)
    except ReviewBotError as error:
        return _report(error, USAGE)
    except BrokenPipeError:
        # The reader (head, less) has seen enough; nothing is lost by not writing more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _crash(error)


def _dispatch(arguments: list[str]) -> int:
    parser = _parser()
    name = next((a for a in arguments if not a.startswith("-")), None)
    if name not in COMMANDS or arguments[0] != name:
        parser.parse_args(arguments[: arguments.index(name)] if name else arguments)
        parser.error(f"unknown command {name!r}; choose from {', '.join(COMMANDS)}" if name else "say which command")
    subparsers = parser.add_subparsers(prog="review-bot", metavar="COMMAND", dest="command", required=True)
    module = _module(name)
    module.add_parser(subparsers)
    status: int = module.run(parser.parse_args(arguments))
    return status


def _parser() -> argparse.ArgumentParser:
    listing = "\n".join(f"  {name:<9} {text}" for name, (_, text) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="review-bot",
        usage="review-bot [-h] [--version] COMMAND …",
        description="Reviews the effect of GitOps pull requests and guards their merge.",
        epilog=f"commands (each takes --help):\n{listing}\n\nexit status: 0 fine, 1 findings that block, "
        "2 wrong usage or configuration, 3 the bot itself failed",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"review-bot {__version__}")
    return parser


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"review_bot.cli.{COMMANDS[name][0]}")


def _report(error: ReviewBotError, status: int) -> int:
    from review_bot.core.sanitise import terminal

    place = f"{error.path}:{error.line}: " if error.path and error.line else f"{error.path}: " if error.path else ""
    print(f"review-bot: {terminal(place + error.message)}", file=sys.stderr)
    if error.help:
        print(f"    → {terminal(error.help)}", file=sys.stderr)
    return status


def _crash(error: Exception) -> int:
    if os.environ.get("REVIEW_BOT_DEBUG"):
        traceback.print_exc()
    print(f"review-bot: the bot itself failed: {type(error).__name__}: {error}", file=sys.stderr)
    print("    → run again with REVIEW_BOT_DEBUG=1 and report what it prints", file=sys.stderr)
    return BOT_FAILED


if __name__ == "__main__":
    sys.exit(main())
