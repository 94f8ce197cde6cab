"""`review-bot check`: the whole review of a local git repository, no GitHub."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import posixpath
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from review_bot.cli.trees import branch_of, reviewer_of
from review_bot.cluster.operator_config import OperatorFile, operator_file
from review_bot.core.errors import ClusterError, InputError, UsageError
from review_bot.core.model import Conclusion

if TYPE_CHECKING:
    from review_bot.core.clusters import Clusters
    from review_bot.core.outcome import Verdict

FORMATS = ("text", "json", "markdown", "sarif", "junit")


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "check",
        help="review a local git repository",
        description="Review a change of a local git repository: compare the merge base of --base and --head, render "
        "what the change touches, check it by schema, policy and the cluster. Exit status 1 if something blocks.",
    )
    parser.add_argument("repo", nargs="?", default=".", metavar="REPO", help="the repository (default: here)")
    parser.add_argument(
        "--base", required=True, metavar="REV", help="the branch or commit that it is to be merged into"
    )
    parser.add_argument("--head", metavar="REV", help="the commit to review (default: the work tree)")
    parser.add_argument(
        "--cluster",
        metavar="CONTEXT",
        help="ask this context of the kubeconfig about every target, by a dry run (default: the operator's file)",
    )
    parser.add_argument("--policy", action="append", metavar="DIR", help="policies instead of the base's (repeatable)")
    parser.add_argument("--config", metavar="FILE", help="configuration instead of the base's own")
    parser.add_argument(
        "--terraform-plan",
        action="append",
        default=[],
        metavar="PATH=PLAN.json",
        help="what `tofu show -json` or `terraform show -json` says of a plan of the module in PATH (repeatable)",
    )
    parser.add_argument("--no-sandbox", action="store_true", help="render without bubblewrap, for content you trust")
    parser.add_argument("-o", "--output", choices=FORMATS, default="text", metavar="FORMAT", help=", ".join(FORMATS))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the verdict; 1 if it blocks."""
    from review_bot.github.workspace import Repository

    repository = Repository(Path(args.repo))
    if args.config:
        _must_be_a_file(args.config)
    operator = operator_file(os.environ)
    reviewer = replace(
        reviewer_of(args, operator),
        policy_dirs=tuple(_folder(p, "--policy") for p in args.policy) if args.policy else None,
        clusters=clusters_of(args.cluster, operator),
        plans=_plans(args.terraform_plan),
    )
    base = repository.resolve(args.base)
    head = repository.resolve(args.head) if args.head is not None else None
    review = asyncio.run(reviewer.review(repository, base, head, branch=branch_of(args.base), progress=_progress()))
    sys.stdout.write(_write(review.verdict, args.output))
    return 1 if review.verdict.conclusion is Conclusion.FAILURE else 0


def clusters_of(context: str | None, operator: OperatorFile) -> Clusters | None:
    """The clusters to ask: the given context for everything, else those of the operator's file. Raises UsageError."""
    if context is None:
        return operator.clusters
    from review_bot.cluster.connection import connect
    from review_bot.core.clusters import Clusters, ClusterSettings

    settings = ClusterSettings(context, context=context)
    try:
        connect(settings)
    except ClusterError as error:
        raise UsageError(f"--cluster: {error.message}", help=error.help) from error
    return Clusters(every=settings)


def _write(verdict: Verdict, form: str) -> str:
    if form == "json":
        from review_bot.core.verdict import to_json

        return json.dumps(to_json(verdict), indent=2, ensure_ascii=False) + "\n"
    if form != "text":
        report = importlib.import_module(f"review_bot.core.report_{form}")
        return f"{report.render(verdict)}\n"
    from review_bot.core import report_text

    return report_text.render(verdict, colour=use_colour(sys.stdout))


def use_colour(stream: Any) -> bool:
    """Colours on a terminal, unless NO_COLOR asks for none."""
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _progress() -> Any:
    if not sys.stderr.isatty():
        return lambda stage, text: None
    return lambda stage, text: print(f" {stage:<9} {text}", file=sys.stderr, flush=True)


def _folder(name: str, option: str) -> Path:
    path = Path(name)
    if not path.is_dir():
        raise UsageError(f"{option}: there is no folder {name}", help="name a folder that holds .rego files")
    return path


def _must_be_a_file(name: str) -> None:
    if not Path(name).is_file():
        raise UsageError(f"--config: there is no file {name}", help="name a .review-bot.yaml, or leave --config out")


def _plans(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for path, document in map(_plan, texts):
        if path in found:
            raise UsageError(f"--terraform-plan: {path} is given two plans", help="give each module one")
        found[path] = document
    return found


def _plan(text: str) -> tuple[str, dict[str, Any]]:
    """The module's folder and the plan, from `PATH=FILE`."""
    from review_bot.core.terraform.plans import Plan

    path, sign, name = text.partition("=")
    help = "write --terraform-plan infra/prod=plan.json"
    if not sign:
        raise UsageError(f"--terraform-plan: {text} names no file", help=help)
    try:
        document: dict[str, Any] = json.loads(Path(name).read_bytes())
        Plan.read(document)
    except OSError as error:
        raise UsageError(f"--terraform-plan: {name} can't be read: {error.strerror}", help=help) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--terraform-plan: {name} is not JSON: {error}", help="write it by `show -json`") from error
    except InputError as error:
        raise UsageError(f"--terraform-plan: {name}: {error.message}", help=error.help) from error
    return posixpath.normpath(path or "."), document
