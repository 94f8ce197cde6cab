"""`review-bot policy`: test, lint, document and try out policies, with the OPA that judges pull requests."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from review_bot.core.errors import ToolError, UsageError
from review_bot.core.sanitise import terminal
from review_bot.core.tools import find

RULE = re.compile(r"(deny|violation|warn|require_approval)(_[a-zA-Z0-9]+)*")
PACKAGES = ("main", "deletion")
SEVERITIES = ("error", "warning", "notice")
TIMEOUT_SECONDS = 120


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("policy", help="test, lint, document and try out policies", description=__doc__)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in (
        ("test", "run the policies' own tests, with coverage"),
        ("lint", "find what does not parse, breaks the conventions or lacks METADATA"),
        ("docs", "print a catalogue of the rules as markdown"),
    ):
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("folder", nargs="?", default="policies", metavar="DIR", help="default: policies")
        if name == "test":
            action.add_argument("-o", "--output", choices=("text", "json"), default="text", metavar="FORMAT")
    impact = actions.add_parser(
        "impact",
        help="show what the policies of another revision would find in everything that is rendered",
        description="Judge everything that --head renders by the policies of --base and of --head, and show what only "
        "one of them finds. Nothing is enforced. Exit status 1 if the new policies do not work.",
    )
    impact.add_argument("repo", nargs="?", default=".", metavar="REPO", help="the repository (default: here)")
    impact.add_argument("--base", required=True, metavar="REV", help="where the policies stand that decide now")
    impact.add_argument("--head", metavar="REV", help="where the new ones stand (default: the work tree)")
    impact.add_argument("--no-sandbox", action="store_true", help="render without bubblewrap, for content you trust")
    impact.add_argument("-o", "--output", choices=("text", "json"), default="text", metavar="FORMAT")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 if all is well, 1 for failing tests, lint findings or policies that do not work."""
    if args.action == "impact":
        from review_bot.cli import policy_impact

        return policy_impact.run(args)
    folder = Path(args.folder)
    if not folder.is_dir() or not any(folder.rglob("*.rego")):
        raise UsageError(f"there is no policy in {args.folder}", help="name a folder that holds .rego files")
    if args.action == "test":
        return _test(folder, args.output)
    return _lint(folder) if args.action == "lint" else _docs(folder)


def _test(folder: Path, output: str) -> int:
    results = _opa("test", "--format", "json", folder=folder)
    if not isinstance(results, list) or not results:
        broken = [p for p in _problems(folder)] or ["there is no test; add rules named test_… in a _test.rego file"]
        raise UsageError("; ".join(broken))
    failed = [r for r in results if r.get("fail") or r.get("error")]
    report = _opa("test", "--coverage", "--format", "json", folder=folder) if not failed else {}
    coverage = report.get("coverage") if isinstance(report, dict) else None
    if output == "json":
        names = [f"{r.get('package')}.{r.get('name')}" for r in failed]
        print(json.dumps({"passed": len(results) - len(failed), "failed": names, "coverage": coverage}, indent=2))
        return 1 if failed else 0
    for row in failed:
        place = row.get("location") or {}
        print(terminal(f"FAIL {place.get('file')}:{place.get('row')} {row.get('package')}.{row.get('name')}"))
    covered = f", coverage {coverage:.1f} %" if coverage is not None else ""
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed{covered}")
    return 1 if failed else 0


def _lint(folder: Path) -> int:
    # METADATA can only be read from policies that parse.
    problems = sorted(set(_problems(folder))) or sorted(set(_style(folder)))
    for problem in problems:
        print(terminal(problem))
    if not problems:
        print("nothing to say")
    return 1 if problems else 0


def _problems(folder: Path) -> Iterator[str]:
    answer = _opa("check", "--format", "json", "--max-errors", "0", folder=folder)
    for error in answer.get("errors", []) if isinstance(answer, dict) else []:
        place = error.get("location") or {}
        yield f"{place.get('file')}:{place.get('row')}: {error.get('message')}"


def _style(folder: Path) -> Iterator[str]:
    described = {(r["file"], r["name"]): r for r in _rules(folder)}
    for path in sorted(folder.rglob("*.rego")):
        if path.name.endswith("_test.rego"):
            continue
        text = path.read_text(errors="replace")
        found = re.search(r"^\s*package\s+(\S+)", text, re.M)
        package = found.group(1) if found else ""
        file = path.relative_to(folder).as_posix()
        for match in re.finditer(r"^(deny|violation|warn|require_approval)(\w*)\b(?!\()", text, re.M):
            name, line = match.group(0), text.count("\n", 0, match.start()) + 1
            if package not in PACKAGES:
                yield f"{file}:{line}: {name} is in package {package}, where nothing asks for it; use package main"
            if not RULE.fullmatch(name):
                yield f"{file}:{line}: {name} is not named deny, violation or warn, or one of them and _words"
            row = described.get((file, name))
            if row is None or not row.get("title"):
                yield f"{file}:{line}: {name} has no METADATA title"
            elif (row.get("custom") or {}).get("severity") not in SEVERITIES:
                yield f"{file}:{line}: {name} has no METADATA custom.severity of {', '.join(SEVERITIES)}"


def _docs(folder: Path) -> int:
    print("# Policies\n")
    for row in sorted(_rules(folder), key=lambda r: (r["package"], r["name"], r["file"], r["line"])):
        custom = row.get("custom") or {}
        print(f"## {row.get('title') or row['name']}\n")
        print(f"`{row['package']}.{row['name']}` · {custom.get('severity', 'error')} · `{row['file']}`\n")
        for text in (row.get("description"), custom.get("remediation")):
            if text:
                print(f"{str(text).strip()}\n")
        for link in row.get("related_resources") or []:
            print(f"- <{link.get('ref')}>")
        if row.get("related_resources"):
            print()
    return 0


def _rules(folder: Path) -> list[dict[str, Any]]:
    """The annotated rules that pull requests are judged by: METADATA with package, name, file and line."""
    answer = _opa("inspect", "--annotations", "--format", "json", folder=folder)
    found = []
    for row in (answer.get("annotations") or []) if isinstance(answer, Mapping) else []:
        words = [str(part.get("value")) for part in row.get("path") or []]
        place = row.get("location") or {}
        if len(words) > 2 and words[1] in PACKAGES and RULE.fullmatch(words[2]):
            about = {"package": words[1], "name": words[2], "line": place.get("row", 0)}
            file = Path(str(place.get("file"))).as_posix()
            found.append({**(row.get("annotations") or {}), **about, "file": file})
    return found


def _opa(*words: str, folder: Path) -> Any:
    with tempfile.TemporaryFile() as errors:
        try:
            done = subprocess.run(
                [str(find("opa")), *words, "."],
                cwd=folder,
                env={"LC_ALL": "C.UTF-8"},
                stdout=subprocess.PIPE,
                stderr=errors,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"opa {words[0]} took longer than {TIMEOUT_SECONDS} s") from error
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip()
    try:
        # `opa check` answers a failure on stderr and nothing at all for success.
        return json.loads(done.stdout or said or "{}")
    except ValueError as error:
        if done.returncode in (1, 2) and said:
            raise UsageError(f"opa {words[0]}: {said[:500]}") from error
        raise ToolError(f"opa {words[0]} failed: {said[:300]}", help="run `review-bot doctor`") from error
