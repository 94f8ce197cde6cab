"""`review-bot demo`: a sample repository, pull requests of every kind, and what the bot says of each.

Reviews and decisions are real; GitHub is not there yet: the pull requests are branches, the approvals facts.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from review_bot.core.errors import ToolError
from review_bot.core.model import CheckState
from review_bot.core.report_text import counts, plural
from review_bot.core.sanitise import terminal
from review_bot.core.tools import find
from review_bot.core.verdict import blocks
from review_bot.demo.scenarios import CLUSTER_SCENARIOS, PERMISSIONS, SCENARIOS, TEAMS, Scenario, files_after
from review_bot.gate.decision import Decision, decide
from review_bot.gate.facts import parse
from review_bot.github.workspace import Repository
from review_bot.pipeline.review import Review, Reviewer

SAMPLE = Path(__file__).resolve().parents[2] / "examples" / "config-repo"


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("demo", help="show the whole story on this machine", description=__doc__)
    parser.add_argument(
        "--cluster", action="store_true", help="with a real API server on this machine (`make cluster`)"
    )
    parser.add_argument("--keep", action="store_true", help="leave the sample repository for you to look at")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what happens to each pull request; 3 if the sample is not there."""
    if not SAMPLE.is_dir():
        raise ToolError("the sample repository is not part of this installation", help="run it in the bot's checkout")
    root = Path(tempfile.mkdtemp(prefix="review-bot-demo-"))
    try:
        _prepare(root)
        for scenario in SCENARIOS:
            _branch(root, scenario)
            sys.stdout.write(asyncio.run(_story(root, scenario)))
        if args.cluster:
            _with_cluster(root)
    finally:
        if args.keep:
            print(f"\nthe repository is at {root}: review-bot check {root} --base main --head latest")
        else:
            shutil.rmtree(root)
    return 0


def _with_cluster(root: Path) -> None:
    from review_bot.cli import demo_cluster

    for scenario in CLUSTER_SCENARIOS:
        _branch(root, scenario)
    for piece in demo_cluster.tell(root, CLUSTER_SCENARIOS):
        sys.stdout.write(piece)
        sys.stdout.flush()


async def _story(root: Path, scenario: Scenario) -> str:
    repository = Repository(root)
    base, head = repository.resolve("main"), repository.resolve(scenario.branch)
    review = await Reviewer().review(repository, base, head)
    before = decide(parse(_facts(scenario, review, approved=False)))
    after = decide(parse(_facts(scenario, review, approved=True)))
    return "\n".join([*_headline(scenario, review), *_gate(scenario, before, after), "", ""])


def _headline(scenario: Scenario, review: Review) -> list[str]:
    verdict = review.verdict
    who = f"{scenario.author}, from a fork" if scenario.fork else scenario.author
    problems, _ = counts(verdict)
    summary = f"{plural(len(verdict.changes), 'change')} in {plural(len(verdict.targets), 'target')}"
    lines = [
        f"{scenario.title}  ({who}, branch {scenario.branch})",
        f"  verdict    {verdict.conclusion}: {plural(problems, 'problem')}, {summary}, {verdict.duration_ms} ms",
    ]
    shown = dict.fromkeys((f.path, f.line, f.rule, f.message, f.help) for f in verdict.findings if blocks(f))
    for path, line, rule, message, help in list(shown)[:3]:
        lines += [terminal(f"             {path}:{line or ''} {rule}: {message}"), terminal(f"               → {help}")]
    return lines


def _gate(scenario: Scenario, before: Decision, after: Decision) -> list[str]:
    people = ", ".join(f"@{a}" for a in scenario.approvals)
    return [
        terminal(f"  approvals  {before.state}: {before.summary}"),
        terminal(f"  {people} approves"),
        terminal(f"  merge      {'may merge' if after.state == 'approved' else 'refused'}: {after.summary}"),
    ]


def _facts(scenario: Scenario, review: Review, *, approved: bool) -> dict[str, Any]:
    verdict = review.verdict
    now = datetime.now(UTC).isoformat()
    environments = {t.target.id: t.target for t in verdict.targets}
    reviewers = scenario.approvals if approved else ()
    return {
        "pull_request": {
            "number": 1,
            "author": scenario.author,
            "base": {"ref": "main", "sha": verdict.base},
            "head": {"ref": scenario.branch, "sha": verdict.head},
            "draft": False,
            "fork": scenario.fork,
            "labels": [],
        },
        "files": [
            {
                "path": f.path,
                "status": f.status,
                "previous_path": f.previous_path,
                "targets": list(review.targets_of(f.path)),
            }
            for f in review.files
        ],
        "commits": [{"sha": verdict.head, "author": scenario.author, "committer": "web-flow", "co_authors": []}],
        "reviews": [
            {"user": u, "state": "APPROVED", "sha": verdict.head, "submitted_at": now, "body": ""} for u in reviewers
        ],
        "comments": [],
        "tree": {n: (SAMPLE / n).read_text() for n in ("OWNERS", ".review-bot.yaml")},
        "teams": TEAMS,
        "permissions": PERMISSIONS,
        "changes": [
            {
                "target": c.target,
                "environment": environments[c.target].environment,
                "cluster": environments[c.target].cluster,
                "action": str(c.action),
                "apiVersion": c.id.api_version,
                "kind": c.id.kind,
                "namespace": c.id.namespace,
                "name": c.id.name,
                "fields": list(c.fields),
            }
            for c in verdict.changes
        ],
        "effects": {verdict.head: verdict.effect_digest},
        "checks": {str(n): "failure" if s is CheckState.FAILURE else str(s) for n, s in verdict.checks.items()},
        "truncated": {"files": False, "commits": False},
        "now": now,
    }


def _prepare(root: Path) -> None:
    shutil.copytree(SAMPLE, root, dirs_exist_ok=True)
    _git(root, "init", "-q", "-b", "main")
    _commit(root, "The sample", "carol")


def _branch(root: Path, scenario: Scenario) -> None:
    _git(root, "checkout", "-q", "-b", scenario.branch, "main")
    before = {str(p.relative_to(SAMPLE)): p.read_text() for p in SAMPLE.rglob("*") if p.is_file()}
    for name, text in files_after(scenario, before).items():
        (root / name).write_text(text)
    _commit(root, scenario.title, scenario.author)


def _commit(root: Path, message: str, author: str) -> None:
    _git(root, "add", "-A")
    _git(root, "-c", f"user.name={author}", "-c", f"user.email={author}@example.com", "commit", "-qm", message)


def _git(root: Path, *words: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run([str(find("git")), "-C", str(root), *words], check=True, env=environment)
