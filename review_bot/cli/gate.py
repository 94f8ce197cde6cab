"""`review-bot gate simulate`: the decision on given facts; nothing is asked of GitHub."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from review_bot.core.errors import UsageError
from review_bot.core.sanitise import terminal
from review_bot.gate.decision import Decision, decide
from review_bot.gate.facts import parse
from review_bot.gate.judging import State

MARKS = {State.APPROVED: "✓", State.SKIPPED: "-", State.PENDING: "…", State.BLOCKED: "✗", State.ERROR: "✗"}


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("gate", help="decide approvals on given facts", description=__doc__)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    simulate = verbs.add_parser("simulate", help="print the decision on a file of facts", description=__doc__)
    simulate.add_argument(
        "facts", nargs="?", metavar="FACTS.json", help="the facts, or a record of the audit log; - for stdin"
    )
    simulate.add_argument(
        "--audit", type=int, metavar="SEQ", help="replay the decision in this record of the audit log"
    )
    simulate.add_argument(
        "--database", metavar="URL", help="with --audit: where the log is (default: the service's own)"
    )
    simulate.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the decision; 0 if it is approved, else 1."""
    if (args.facts is None) == (args.audit is None):
        raise UsageError(
            "name a file of facts, or a record of the audit log", help="gate simulate FACTS.json | --audit 7"
        )
    decision = decide(parse(_read(args.facts) if args.audit is None else _recorded(args.audit, args.database)))
    if args.output == "json":
        json.dump(decision.to_json(), sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(_text(decision))
    return 0 if decision.state is State.APPROVED else 1


def _recorded(seq: int, database: str | None) -> Any:
    from review_bot.cli.audit import reader_of

    record = next(reader_of(database).records(seq=seq), None)
    if record is None or record["kind"] != "decision":
        raise UsageError(f"record {seq} of the audit log is no decision", help="`review-bot audit show` lists them")
    return record["body"]["facts"]


def _read(name: str) -> Any:
    try:
        found = json.loads(sys.stdin.read() if name == "-" else Path(name).read_text())
        recorded = found.get("body") if isinstance(found, dict) else None
        return recorded["facts"] if isinstance(recorded, dict) and "facts" in recorded else found
    except OSError as error:
        raise UsageError(f"{name} can't be read: {error.strerror}", help="name a file of gate facts") from error
    except ValueError as error:
        raise UsageError(f"{name} is not JSON: {error}", help="see the gate facts in docs/gate.md") from error


def _text(decision: Decision) -> str:
    lines = [f"{decision.state}: {terminal(decision.summary)}"]
    for rule in decision.rules:
        by = ", ".join(f"@{a['user']}" for a in rule.approved_by)
        count = f" {rule.required - rule.missing} of {rule.required}" if rule.required else ""
        lines.append(terminal(f" {MARKS[rule.state]} {rule.name}{count}{': ' + by if by else ''}"))
        lines += [terminal(f"     because {reason}") for reason in rule.because]
        lines += [terminal(f"     @{d['user']} can't: {d['why']}") for d in rule.disqualified]
    lines += [terminal(f" ! @{s.user} {s.command}: {s.why}") for s in decision.commands if not s.accepted]
    return "\n".join(lines) + "\n"
