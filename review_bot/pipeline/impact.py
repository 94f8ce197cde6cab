"""What other policies would say of everything that is rendered: before a policy is enforced, and in its pull request.

The policies of a pull request decide nothing there. They run in the sandbox, one process a question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from review_bot.checks.context import CheckContext, CheckOutcome
from review_bot.checks.policy import PolicyCheck
from review_bot.core.config import parse_config
from review_bot.core.configuration import CONFIG_PATH, Config
from review_bot.core.errors import ReviewBotError
from review_bot.core.model import CheckName, Finding, ResourceId, Severity, Tree
from review_bot.pipeline.rendering import as_new, render_trees
from review_bot.pipeline.sides import Planned
from review_bot.render.sandbox import Limits, Sandbox

if TYPE_CHECKING:
    from review_bot.pipeline.delivering import Delivering

# A policy of a pull request gets this long for everything that is rendered.
POLICY_LIMITS = Limits(seconds=60, cpu_seconds=60)
MOST_NAMED = 5


@dataclass(frozen=True)
class Impact:
    """`objects` were judged by both; `introduced` only the new policies find, `gone` only the old ones.

    `broken` says what keeps the new policies from working, `unseen` what did not render and was judged by neither.
    """

    objects: int
    introduced: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    broken: tuple[Finding, ...]
    unseen: tuple[Finding, ...]


async def impact(delivering: Delivering, old: tuple[Tree, Config], new: tuple[Tree, Config]) -> Impact:
    """Judge every object that `new`'s tree renders, by the policies of both trees. Raises ToolError only."""
    tree, config = new
    renderer = delivering.renderer
    survey = await delivering.survey(tree)
    targets = survey.targets
    results, loose = await render_trees(renderer, delivering.repository, [(survey.tree, targets)])
    changes = as_new(results)
    shared = {t.id: t for t in targets}
    before = await PolicyCheck().run(changes, CheckContext(old[1], old[0], tree, targets=shared))
    jail = Sandbox(POLICY_LIMITS, renderer.sandbox.allow_unsandboxed)
    after = await PolicyCheck().run(changes, CheckContext(config, tree, tree, targets=shared, jail=jail))
    known, found = _of_objects(before), _of_objects(after)
    return Impact(
        objects=len(changes),
        introduced=tuple(f for key, f in found.items() if key not in known),
        gone=tuple(f for key, f in known.items() if key not in found),
        broken=tuple(f for f in after.head if f.resource is None),
        unseen=(*survey.findings, *loose[0], *(f for one in results if one.failed for f in one.findings)),
    )


async def preview(delivering: Callable[[Config], Delivering], planned: Planned) -> tuple[Finding, ...]:
    """Notices on what a pull request's own policies would change, none if all would be judged as it is now."""
    try:
        config = parse_config(planned.sides.head.read(CONFIG_PATH))
    except ReviewBotError:
        return ()  # told already, and nothing can be read from it
    path = _edited(planned, config)
    if path is None:
        return ()
    old, new = (planned.sides.tip, planned.config), (planned.sides.head, config)
    found = await impact(delivering(config), old, new)
    if found.broken:
        return tuple(_broken(one, path) for one in found.broken)
    return (
        *_grouped(found.introduced, "would find", path),
        *_grouped(found.gone, "would no longer find", path),
    )


def _edited(planned: Planned, head: Config) -> str | None:
    """The first changed file that policies are read from, on either side."""
    roots = {
        *planned.config.policy.paths,
        *planned.config.policy.data,
        *head.policy.paths,
        *head.policy.data,
    }
    for file in planned.files:
        for path in (file.path, file.previous_path):
            if path is not None and any(root == "." or path == root or path.startswith(f"{root}/") for root in roots):
                return file.path
    return CONFIG_PATH if planned.config.policy != head.policy else None


def _of_objects(outcome: CheckOutcome) -> dict[tuple[str, str, str | None, ResourceId], Finding]:
    return {(f.rule, f.message, f.target, f.resource): f for f in outcome.head if f.resource is not None}


def _grouped(findings: Iterable[Finding], verb: str, path: str) -> list[Finding]:
    rules: dict[str, list[Finding]] = {}
    for finding in findings:
        rules.setdefault(finding.rule, []).append(finding)
    return [_notice(f"{verb} {rule} in {_named(same)}", path) for rule, same in sorted(rules.items())]


def _named(same: Sequence[Finding]) -> str:
    names = dict.fromkeys(f"{f.resource.kind} {f.resource.name} ({f.target})" for f in same if f.resource)
    shown = ", ".join(list(names)[:MOST_NAMED])
    return f"{shown} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else shown


def _notice(what: str, path: str) -> Finding:
    return Finding(
        check=CheckName.CONFIG,
        rule="policy-preview",
        severity=Severity.NOTICE,
        message=f"the policies of this pull request {what}",
        path=path,
        help="they count once they are on the base branch; `review-bot policy impact` shows all of it",
    )


def _broken(finding: Finding, path: str) -> Finding:
    return Finding(
        check=CheckName.CONFIG,
        rule="policy-preview",
        severity=Severity.ERROR,
        message=f"in this pull request {finding.message}",
        path=finding.path or path,
        line=finding.line,
        help="mend it here: once it is on the base branch, it would block every other pull request",
    )
