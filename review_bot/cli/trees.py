"""What commands that read a repository at one revision share."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from review_bot.cluster.operator_config import OperatorFile, operator_file
from review_bot.core.config import parse_config
from review_bot.core.configuration import CONFIG_PATH, Config
from review_bot.core.jenkins_x.requirements import with_environments
from review_bot.core.model import Finding, Tree
from review_bot.core.sanitise import terminal
from review_bot.github.workspace import Repository

if TYPE_CHECKING:
    from review_bot.pipeline.review import Reviewer


def open_tree(repo: str, rev: str | None) -> tuple[Repository, Tree]:
    """The repository and its tree at `rev`, the work tree for None. Raises UsageError."""
    repository = Repository(Path(repo))
    return repository, repository.worktree() if rev is None else repository.tree(repository.resolve(rev))


def config_of(tree: Tree, args: argparse.Namespace) -> Config:
    """The configuration of the tree, or of the file that --config names."""
    override = getattr(args, "config", None)
    if override:
        return with_environments(parse_config(Path(override).read_bytes(), path=override), tree)
    return with_environments(parse_config(tree.read(CONFIG_PATH)), tree)


def reviewer_of(args: argparse.Namespace, operator: OperatorFile | None = None) -> Reviewer:
    """What renders for a command, within what the operator's file allows. Raises UsageError."""
    from review_bot.pipeline.review import Reviewer

    operator = operator or operator_file(os.environ)
    config = getattr(args, "config", None)
    return Reviewer(
        allow_unsandboxed=args.no_sandbox,
        config_file=Path(config) if config else None,
        terraform=operator.terraform,
        remotes=operator.remotes,
        images=operator.images,
    )


def branch_of(rev: str) -> str:
    """The branch that a revision may be the name of: `main` for `main` and `origin/main`."""
    return rev.removeprefix("refs/heads/").removeprefix("refs/remotes/").removeprefix("origin/")


def say(finding: Finding) -> None:
    """A finding on stderr, for commands whose result is something else."""
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path or ""
    print(f"review-bot: {terminal(place)}: {terminal(finding.message)}", file=sys.stderr)
    if finding.help:
        print(f"    → {terminal(finding.help)}", file=sys.stderr)
