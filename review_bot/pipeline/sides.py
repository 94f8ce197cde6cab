"""The trees of a review, the configuration that decides, and the plan that follows from both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from review_bot.core.config import parse_config
from review_bot.core.configuration import CONFIG_PATH, Config
from review_bot.core.errors import ReviewBotError, YamlError
from review_bot.core.jenkins_x.requirements import with_environments
from review_bot.core.model import CheckName, FileChange, Finding, PlannedTarget, Severity, Tree
from review_bot.core.planning import Marked, Plan
from review_bot.github.workspace import Repository


@dataclass(frozen=True)
class Sides:
    """`tip` is the base branch as it is: it decides. `base` (the merge base) and `head` are compared."""

    tip: Tree
    base: Tree
    head: Tree


@dataclass(frozen=True)
class Planned:
    """What a review is about: `findings` are about the configuration, `marked` files of base and head lead on."""

    sides: Sides
    config: Config
    findings: tuple[Finding, ...]
    files: tuple[FileChange, ...]
    plan: Plan
    marked: tuple[Marked, Marked]

    @property
    def targets(self) -> tuple[PlannedTarget, ...]:
        return self.plan.touched


def open_sides(repository: Repository, base: str, head: str | None) -> Sides:
    """The trees for `base` and `head` (shas; None: the work tree). Raises UsageError without a common commit."""
    merge_base = repository.merge_base(base, head or repository.resolve("HEAD"))
    return Sides(
        tip=repository.tree(base),
        base=repository.tree(merge_base),
        head=repository.tree(head, like=merge_base) if head else repository.worktree(),
    )


def configuration_of(sides: Sides, override: Path | None) -> tuple[Config, tuple[Finding, ...]]:
    """The base's configuration decides; a head that would break it is told now, not after the merge."""
    config, findings = _own_configuration(sides, override)
    try:
        return with_environments(config, sides.tip), findings
    except YamlError as error:
        # Without it nobody knows what is production: that must not pass for "nothing is".
        return config, (*findings, _finding(error, "on the base branch, in jx-requirements.yml; mend it there first"))


def _own_configuration(sides: Sides, override: Path | None) -> tuple[Config, tuple[Finding, ...]]:
    if override is not None:
        return parse_config(override.read_bytes(), path=str(override)), ()
    try:
        config = parse_config(sides.tip.read(CONFIG_PATH))
    except ReviewBotError as error:
        return Config(), (_finding(error, "on the base branch; mend it there first"),)
    if sides.head.read(CONFIG_PATH) != sides.tip.read(CONFIG_PATH):
        try:
            parse_config(sides.head.read(CONFIG_PATH))
        except ReviewBotError as error:
            return config, (_finding(error, "in this pull request"),)
    return config, ()


def _finding(error: ReviewBotError, where: str) -> Finding:
    return Finding(
        check=CheckName.CONFIG,
        rule="configuration",
        severity=Severity.ERROR,
        message=f"the configuration is broken {where}: {error.message}",
        path=error.path or CONFIG_PATH,
        line=error.line,
        help=error.help,
    )
