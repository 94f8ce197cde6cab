"""`review-bot doctor`: are the tools there that the bot drives, and do they work on this machine?"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any

from review_bot.core.errors import ToolError
from review_bot.core.tools import find

# name → the arguments that prove it runs
PROBES: dict[str, tuple[str, ...]] = {
    "git": ("--version",),
    "kustomize": ("version",),
    "helm": ("version", "--short"),
    "opa": ("version",),
    "bwrap": ("--unshare-all", "--ro-bind", "/", "/", "true"),
}


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("doctor", help="check the tools", description=__doc__)
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a line a tool; 1 if one is missing or does not run."""
    rows = [_probe(name, arguments) for name, arguments in PROBES.items()]
    if args.output == "json":
        json.dump(rows, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        for row in rows:
            sys.stdout.write(f"{'✓' if row['ok'] else '✗'} {row['name']:<10} {row['detail']}\n")
    return 0 if all(row["ok"] for row in rows) else 1


def _probe(name: str, arguments: tuple[str, ...]) -> dict[str, Any]:
    try:
        path = find(name)
    except ToolError as error:
        return {"name": name, "ok": False, "path": None, "detail": f"{error.message}: {error.help}"}
    words = ("version", "--client") if path.name == "kubectl" else arguments
    try:
        done = subprocess.run([str(path), *words], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"name": name, "ok": False, "path": str(path), "detail": f"{path} does not run: {error}"}
    lines = (done.stdout or done.stderr).strip().splitlines()
    said = lines[0] if lines else "works"
    hint = " (user namespaces are off here? see docs/operations.md)" if name == "bwrap" and done.returncode else ""
    return {"name": name, "ok": done.returncode == 0, "path": str(path), "detail": f"{said}{hint} [{path}]"}
