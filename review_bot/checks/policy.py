"""The policy check: Rego by OPA with conftest's conventions, policies from the base branch.

Rules `deny`, `violation` and `warn` (or `deny_…` and so on) in package `main` are asked about each changed object as it
will be; those in package `deletion` about each object that goes. `data.review_bot` tells them about the change:
`action`, `target`, `environment`, `cluster`, `old` (the object as it was) and `versions` (what moves in it). A rule
`require_approval` finds nothing wrong: it asks for somebody's word.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from review_bot.checks import opa
from review_bot.checks.context import CheckContext, CheckOutcome, NoAnswer
from review_bot.checks.opa import OpaFailed, OpaProblem
from review_bot.checks.policy_results import RULE, Metadata, demand, finding, hits, metadata_of
from review_bot.checks.policy_set import PolicySet, gather
from review_bot.core.errors import InputError
from review_bot.core.model import (
    Action,
    CheckName,
    CheckState,
    Demand,
    Finding,
    Manifest,
    Resource,
    ResourceChange,
    Severity,
)
from review_bot.core.terraform.environments import environment_of
from review_bot.core.versions.moves import to_json

BATCH = """package review_bot_batch
import rego.v1
main[i] := r if {
	some i, item in input.items
	item.package == "main"
	r := data.main with input as item.manifest with data.review_bot as item.context
}
deletion[i] := r if {
	some i, item in input.items
	item.package == "deletion"
	r := data.deletion with input as item.manifest with data.review_bot as item.context
}
"""
# In a module of its own: in an ad-hoc query OPA does not see `with` inside a comprehension.
ONE_RULE = """package review_bot_batch
import rego.v1
result[i] := r if {{
	some i, item in input.items
	item.package == "{package}"
	r := data.{package}.{rule} with input as item.manifest with data.review_bot as item.context
}}
"""
PACKAGES = ("main", "deletion")
NOT_COMPILING = frozenset(
    f"rego_{word}_error" for word in ("parse", "compile", "type", "unsafe_var", "recursion", "unsafe_builtin")
)
_LIKELY = re.compile(rb"^package\s+main\s*$.*^(deny|violation|warn|require_approval)(_\w+)?\b", re.M | re.S)


@dataclass(frozen=True)
class Item:
    """One question: a manifest, the package to ask, the change that it belongs to, and its side."""

    package: str
    change: ResourceChange
    resource: Resource
    side: str
    context: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"package": self.package, "manifest": self.resource.manifest, "context": self.context}


class PolicyCheck:
    """Asks OPA once for all changed objects; a policy that fails is isolated and reported by itself."""

    name = CheckName.POLICY

    async def run(self, changes: Sequence[ResourceChange], context: CheckContext) -> CheckOutcome:
        policies = gather(context)
        if not policies.modules:
            if not policies.configured:
                return CheckOutcome(CheckState.NOT_CONFIGURED)
            paths = ", ".join(str(p) for p in context.policy_dirs or context.config.policy.paths)
            return CheckOutcome(CheckState.FAILURE, (_broken("policies", f"there is no policy in {paths}"),))
        missing = [_broken("policies", f"there is no policy in {path}") for path in policies.empty]
        items = [item for change in changes for item in _items(change, context)]
        if not items:
            # Nothing to judge: a broken policy must not keep out the pull request that mends it.
            return CheckOutcome(CheckState.SUCCESS)
        with tempfile.TemporaryDirectory(prefix="review-bot-policies-") as work:
            evaluation = _Evaluation(policies, Path(work), items, context)
            head, base = await evaluation.run()
        demands = tuple(evaluation.demands)
        return CheckOutcome(CheckState.SUCCESS, (*missing, *head), tuple(base), demands=demands)


class _Evaluation:
    """One batch; drops what is broken, says so, and goes on with the rest."""

    def __init__(self, policies: PolicySet, folder: Path, items: Sequence[Item], context: CheckContext) -> None:
        self._folder = folder
        self._engine, self._jail = context.engine, context.jail
        self._written = policies.lay_out(folder)
        self._names = {path.name: name for path, name in self._written.items()}
        self._batch = folder / "batch.rego"
        self._batch.write_text(BATCH)
        self._items = items
        self._v0 = False
        self._problems: list[Finding] = []
        self.demands: list[Demand] = []

    async def run(self) -> tuple[list[Finding], list[Finding]]:
        answers = await self._answers()
        sides: dict[str, list[Finding]] = {"head": [*self._problems], "base": []}
        rows = [
            (self._items[int(index)], name, value)
            for package in PACKAGES
            for index, document in (answers.get(package) or {}).items()
            if isinstance(document, dict)
            for name, value in hits(document)
        ]
        metadata = await self._metadata() if rows else {}
        for item, name, value in rows:
            found = finding(name, value, item.package, metadata, item.change.target, item.resource)
            sides[item.side].append(found)
            if item.side == "head" and name.startswith("require_approval"):
                sides["head"] += self._demand(found, value)
        return sides["head"], sides["base"]

    def _demand(self, found: Finding, value: Any) -> list[Finding]:
        try:
            self.demands.append(demand(found, value))
        except InputError as error:
            return [_broken(found.rule, error.message)]
        return []

    async def _answers(self) -> Mapping[str, Any]:
        """The batch's value; files that do not compile are dropped one round after another."""
        document = {"items": [item.to_json() for item in self._items]}
        for _ in range(len(self._written) + 2):
            try:
                answer = await self._batched(document)
            except OpaFailed as failure:
                problems = failure.problems
            else:
                await self._must_have_rules()
                return answer if isinstance(answer, dict) else {}
            if not self._v0 and await self._is_v0():
                self._v0 = True
            elif not self._drop(problems):
                return await self._isolated(document, problems)
        return {}

    async def _batched(self, document: Any) -> Any:
        """The batch's value, from the engine that stays up where there is one that can answer. Raises OpaFailed."""
        files = [*self._written, self._batch]
        if self._engine is not None and not self._v0:
            with contextlib.suppress(NoAnswer):
                return await self._engine.query(files, "review_bot_batch", document)
        return await opa.evaluate("data.review_bot_batch", files, document, self._folder, v0=self._v0, jail=self._jail)

    async def _is_v0(self) -> bool:
        """Does everything compile once it is read as Rego v0?"""
        try:
            await opa.evaluate("true", [*self._written], {}, self._folder, v0=True, jail=self._jail)
        except OpaFailed:
            return False
        return any(b"import rego.v1" not in p.read_bytes() for p in self._written if p.suffix == ".rego")

    def _drop(self, problems: Sequence[OpaProblem]) -> bool:
        """Take files that do not compile out of the set; False if the trouble is not one of compiling."""
        dropped = False
        for problem in problems:
            path = self._folder / Path(problem.path or "").name
            if problem.code in NOT_COMPILING or path.suffix != ".rego":
                name = self._names.get(path.name)
                if name is not None and self._written.pop(path, ""):
                    dropped = True
                if name is not None:
                    self._report(name, problem)
        return dropped

    async def _isolated(self, document: Any, problems: Sequence[OpaProblem]) -> Mapping[str, Any]:
        """Ask each rule by itself, so that one that raises does not silence the others."""
        answers: dict[str, dict[str, dict[str, Any]]] = {package: {} for package in PACKAGES}
        rules = await self._rules()
        if not rules:
            for problem in problems:
                self._report(self._names.get(Path(problem.path or "").name, "policies"), problem)
        for package, rule in rules:
            self._batch.write_text(ONE_RULE.format(package=package, rule=rule))
            try:
                answer = await opa.evaluate(
                    "data.review_bot_batch.result", [*self._written, self._batch], document, self._folder, v0=self._v0
                )
            except OpaFailed as failure:
                problem = failure.problems[0]
                name = self._names.get(Path(problem.path or "").name, rule)
                self._report(name, problem, rule=rule)
            else:
                for index, value in (answer or {}).items():
                    answers[package].setdefault(str(index), {})[rule] = value
        return answers

    async def _rules(self) -> list[tuple[str, str]]:
        """The names of all rules that conventions ask for, by package."""
        found: set[tuple[str, str]] = set()
        for path in self._written:
            if path.suffix == ".rego":
                found |= await opa.rules(path, self._folder, v0=self._v0, jail=self._jail)
        return sorted((p, r) for p, r in found if p in PACKAGES and RULE.match(r))

    async def _must_have_rules(self) -> None:
        if not await self._any_rule():
            text = "no deny, violation, warn or require_approval rule in package main"
            self._problems.append(_broken("policies", text))

    async def _any_rule(self) -> bool:
        text = b"\n".join(p.read_bytes() for p in self._written if p.suffix == ".rego")
        if _LIKELY.search(text):
            return True
        return bool(await self._rules())

    async def _metadata(self) -> dict[str, Metadata]:
        modules = [p for p in self._written if p.suffix == ".rego"]
        rows = await opa.metadata(modules, self._folder, v0=self._v0, jail=self._jail)
        return dict(metadata_of(row, self._names) for row in rows)

    def _report(self, name: str, problem: OpaProblem, rule: str | None = None) -> None:
        known = name if name in self._names.values() else None
        reported = _broken(rule or Path(name).stem, problem.message, path=known, line=problem.line)
        # One mistake often makes the parser complain several times: the first is the one to mend.
        if all((reported.rule, reported.path) != (p.rule, p.path) for p in self._problems):
            self._problems.append(reported)


def _items(change: ResourceChange, context: CheckContext) -> list[Item]:
    if change.action is Action.DELETE:
        assert change.base is not None  # noqa: S101 - a deletion had an object
        return [Item("deletion", change, change.base, "head", _about(change, context, None))]
    assert change.head is not None  # noqa: S101 - everything else has one afterwards
    old = change.base.manifest if change.base else None
    items = [Item("main", change, change.head, "head", _about(change, context, old))]
    if change.base is not None:
        items.append(Item("main", change, change.base, "base", _about(change, context, None)))
    return items


def _about(change: ResourceChange, context: CheckContext, old: Manifest | None) -> dict[str, Any]:
    target = context.targets.get(change.target)
    return {
        "action": str(change.action),
        "target": change.target,
        "environment": environment_of(change, target),
        "cluster": target.cluster if target else None,
        "old": old,
        "versions": [to_json(move) for move in context.moved.get((change.target, change.id), ())],
    }


def _broken(name: str, text: str, path: str | None = None, line: int | None = None) -> Finding:
    return Finding(
        check=CheckName.POLICY,
        rule=name,
        severity=Severity.ERROR,
        message=f"the policy {name} failed: {text}",
        path=path,
        line=line,
        help="mend the policy on the base branch; until then nothing merges that it would judge",
    )
