"""`review-bot audit`: the log of every decision, verified, exported, shown."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from review_bot.core import audit
from review_bot.core.errors import UsageError
from review_bot.core.sanitise import terminal
from review_bot.server.audit_log import AuditReader
from review_bot.server.settings import database_of

_PULL = re.compile(r"([\w.-]+/[\w.-]+)#(\d+)\Z")


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("audit", help="verify, export or show the audit log", description=__doc__)
    verbs = parser.add_subparsers(metavar="VERB", dest="verb", required=True)
    verify = verbs.add_parser("verify", help="look whether the chain of records is whole")
    verify.add_argument("--file", metavar="LOG.jsonl", help="an exported log instead of the database; - for stdin")
    verify.add_argument("--anchor", metavar="SEQ:HASH", help="the end as it was noted elsewhere: the log must hold it")
    export = verbs.add_parser("export", help="write the records as lines of JSON")
    show = verbs.add_parser("show", help="say what happened, for a person")
    show.add_argument("what", nargs="?", metavar="SEQ|OWNER/REPO#NUMBER", help="a record, or a pull request")
    for one in (verify, export, show):
        one.add_argument("--database", metavar="URL", help="default: REVIEW_BOT_DATABASE_URL, REVIEW_BOT_STATE_DIR")
    for one in (verify, show):
        one.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do what the verb says; 1 where the chain is broken."""
    if args.verb == "verify":
        return _verify(args)
    if args.verb == "export":
        for record in reader_of(args.database).records():
            sys.stdout.write(audit.canonical(record) + "\n")
        return 0
    return _show(args)


def reader_of(database: str | None) -> AuditReader:
    """The log of the service's database. Raises UsageError."""
    environment = {**os.environ, **({"REVIEW_BOT_DATABASE_URL": database} if database else {})}
    return AuditReader(database_of(environment))


def _verify(args: argparse.Namespace) -> int:
    noted = audit.anchor_of(args.anchor) if args.anchor else None
    if args.file:
        last, broken = audit.verify(_of_file(args.file), noted)
    else:
        last, broken = reader_of(args.database).verify(noted)
    if args.output == "json":
        found = {"whole": broken is None, "records": last.seq, "anchor": str(last)}
        json.dump(found | ({"seq": broken.seq, "what": broken.what} if broken else {}), sys.stdout, indent=2)
        sys.stdout.write("\n")
    elif broken is None:
        print(f"whole: {last.seq} records, each follows from the one before\nanchor {last}")
    else:
        print(f"BROKEN at record {broken.seq}: {broken.what}")
        print("    → compare with an exported copy; what stands before that record can be trusted")
    return 1 if broken is not None else 0


def _of_file(name: str) -> Iterator[Mapping[str, Any]]:
    try:
        with sys.stdin if name == "-" else Path(name).open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                yield audit.read(line, number)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{name} can't be read: {error}", help="name a log that `audit export` wrote") from error


def _show(args: argparse.Namespace) -> int:
    reader, what = reader_of(args.database), args.what or ""
    pull = _PULL.match(what)
    if what.isdecimal():
        rows = list(reader.records(seq=int(what)))
    elif pull:
        rows = list(reader.records(repository=pull[1], number=int(pull[2])))
    elif not what:
        rows = list(reader.records())
    else:
        raise UsageError(f"{what!r} names no record", help="give a record's number, or owner/repo#7")
    if what and not rows:
        raise UsageError(f"the log holds nothing about {what}", help="`review-bot audit show` lists everything")
    if args.output == "json":
        json.dump(rows, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        for record in rows:
            print("\n".join(terminal(line) for line in _lines(record, full=what.isdecimal())))
    return 0


def _lines(record: Mapping[str, Any], *, full: bool) -> Iterator[str]:
    about = f"{record['repository']}#{record['number']} at {record['head'][:7]}"
    yield f"{record['seq']:>5}  {record['time'][:19]}  {record['kind']:<9} {record['state']:<9} {about}"
    body = record["body"]
    decision = body.get("decision") or {}
    text = decision.get("summary") or body.get("title") or body.get("commit") or ""
    by = ", ".join(f"@{actor}" for actor in record["actors"])
    yield f"       {text}{f' (by {by})' if by else ''}"
    if full:
        yield f"       effect {record['effect'] or '-'}, policies {record['policies'] or '-'}"
        for rule in decision.get("rules", []):
            yield f"       {rule['name']}: {rule['state']}, because {'; '.join(rule['because']) or '-'}"
        yield f"       hash {record['hash']}"
