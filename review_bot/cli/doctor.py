"""`review-bot doctor`: are the tools there that the bot drives, and do they work on this machine?

With `--repository`: do the rules of its branches let nothing get past the gate?
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any

from review_bot.core.errors import ToolError, UsageError
from review_bot.core.tools import find

# name → the arguments that prove it runs
PROBES: dict[str, tuple[str, ...]] = {
    "git": ("--version",),
    "kustomize": ("version",),
    "kustomize-batch": (),
    "helm": ("version", "--short"),
    "opa": ("version",),
    "gitops-words": (),
    "bwrap": ("--unshare-all", "--ro-bind", "/", "/", "true"),
}
# Looked at where it is there: elsewhere the operator names a program.
IF_THERE: dict[str, tuple[str, ...]] = {"tofu": ("version",)}
# What reviews go without, and what that costs.
SPARED = {"kustomize-batch": "each overlay is built by a process of its own, which takes longer"}


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("doctor", help="check the tools, or a repository's protection", description=__doc__)
    parser.add_argument(
        "--repository", metavar="OWNER/NAME", help="compare its branch protection and rulesets with what the gate needs"
    )
    parser.add_argument(
        "--branch", action="append", metavar="NAME", help="with --repository: instead of the default branch; repeatable"
    )
    parser.add_argument("--fix", action="store_true", help="with --repository: set what the branch protection lacks")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a line a tool, or what a repository lacks; 1 if something is missing."""
    if args.repository is not None:
        from review_bot.cli import doctor_repository

        return doctor_repository.run(args)
    if args.fix or args.branch:
        raise UsageError("--fix and --branch are about a repository", help="name it: --repository OWNER/NAME")
    rows = [_probe(name, arguments) for name, arguments in PROBES.items()]
    rows += [row for name, arguments in IF_THERE.items() if (row := _probe(name, arguments))["path"]]
    if args.output == "json":
        json.dump(rows, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        for row in rows:
            sys.stdout.write(
                f"{'✓' if row['ok'] else '✗' if row['needed'] else '-'} {row['name']:<15} {row['detail']}\n"
            )
    return 0 if all(row["ok"] or not row["needed"] for row in rows) else 1


def _probe(name: str, arguments: tuple[str, ...]) -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, "ok": False, "needed": name not in SPARED, "path": None}
    without = f" (without it {SPARED[name]})" if name in SPARED else ""
    try:
        path = find(name)
    except ToolError as error:
        return told | {"detail": f"{error.message}: {error.help}{without}"}
    words = ("version", "--client") if path.name == "kubectl" else arguments
    try:
        # Our own programs say who they are and then read what to do: nothing.
        done = subprocess.run(
            [str(path), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return told | {"path": str(path), "detail": f"{path} does not run: {error}{without}"}
    lines = (done.stdout or done.stderr).strip().splitlines()
    said = lines[0] if lines else "works"
    hint = " (user namespaces are off here? see docs/operations.md)" if name == "bwrap" and done.returncode else ""
    return told | {"ok": done.returncode == 0, "path": str(path), "detail": f"{said}{hint} [{path}]"}
