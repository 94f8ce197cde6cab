"""Decisions a second of the pure gate on one core: 50 files under 20 rules. Run `python -m benchmarks.gate`."""

from __future__ import annotations

import statistics
import time
from typing import Any

from review_bot.gate.decision import decide
from review_bot.gate.facts import parse
from review_bot.gate.judging import State

FILES, RULES, RUNS, SECONDS = 50, 20, 5, 2.0


def facts() -> dict[str, Any]:
    """Owners of every folder, rules on files and on the effect, three reviews, a comment, ten commits."""
    rules = "".join(_rule(n) for n in range(RULES))
    folders = [f"apps/team-{n % 10}/overlays/prod" for n in range(FILES)]
    owners = {f"apps/team-{n}/OWNERS": f"approvers: [carol, dave-{n}]\n" for n in range(10)}
    config = f"version: 1\napprovals:\n  rules:\n{rules}"
    return {
        "pull_request": {
            "number": 7,
            "author": "alice",
            "base": {"ref": "main", "sha": "b1"},
            "head": {"ref": "x", "sha": "h9"},
            "draft": False,
            "fork": False,
            "labels": ["infra"],
        },
        "files": [
            {"path": f"{f}/{n}.yaml", "status": "modified", "previous_path": None, "targets": [f"kustomize:{f}"]}
            for n, f in enumerate(folders)
        ],
        "commits": [
            {"sha": f"h{n}", "parents": [], "author": "alice", "committer": "web-flow", "co_authors": ["bob"]}
            for n in range(10)
        ],
        "reviews": [
            {"user": user, "state": "APPROVED", "sha": "h9", "submitted_at": "2026-11-20T10:00:00Z", "body": ""}
            for user in ("carol", "erin", "frank")
        ],
        "comments": [
            {
                "user": "carol",
                "body": "Looks right.\n\n/approve",
                "sha": "h9",
                "created_at": "2026-11-20T11:00:00Z",
                "updated_at": "2026-11-20T11:00:00Z",
            }
        ],
        "tree": {**owners, ".review-bot.yaml": config},
        "teams": {f"org/team-{n}": ["carol", "erin", f"dave-{n}"] for n in range(10)},
        "permissions": {user: "write" for user in ("carol", "erin", "frank", *(f"dave-{n}" for n in range(10)))},
        "changes": [
            {
                "target": f"kustomize:{f}",
                "environment": "production",
                "action": "update",
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "namespace": f"ns-{n}",
                "name": f"web-{n}",
                "fields": ["spec.template.spec.containers[0].image", "spec.replicas"],
            }
            for n, f in enumerate(folders)
        ],
        "effects": {"h9": "sha256:nine"},
        "checks": {"render": "success", "schema": "success", "policy": "success"},
        "truncated": {"files": False, "commits": False},
        "now": "2026-11-20T12:00:00Z",
    }


def _rule(number: int) -> str:
    when = (
        f"{{paths: ['apps/team-{number % 10}/**']}}"
        if number % 2
        else f"{{resources: [{{kinds: [Deployment], names: ['web-{number}*']}}], fields: ['spec.template.**']}}"
    )
    return f"    - {{name: r{number}, when: {when}, require: {{teams: [org/team-{number % 10}]}}}}\n"


def main() -> None:
    """Print decisions a second, by the clock and by the processor's time: other work on the machine slows the first."""
    given = facts()
    assert decide(parse(given)).state is State.APPROVED  # noqa: S101 - a benchmark of a wrong answer is none
    rates, of_processor = [], []
    for _ in range(RUNS):
        count, started, busy = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - started < SECONDS:
            decide(parse(given))
            count += 1
        rates.append(count / (time.perf_counter() - started))
        of_processor.append(count / (time.process_time() - busy))
    print(f"{statistics.median(rates):.0f} decisions a second (median of {RUNS}; best {max(rates):.0f})")
    print(f"{statistics.median(of_processor):.0f} a second of processor time (best {max(of_processor):.0f})")


if __name__ == "__main__":
    main()
