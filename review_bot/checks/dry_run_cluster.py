"""The part of a dry run that one cluster answers: asked, put into words, and laid beside what runs."""

from __future__ import annotations

import base64
import binascii
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from review_bot.checks.context import CheckContext, CheckOutcome
from review_bot.checks.dry_run_coming import Coming, skipped
from review_bot.checks.dry_run_live import Place
from review_bot.checks.dry_run_object import DEFAULT_MANAGER, Asked, Asker
from review_bot.checks.dry_run_quota import quota_findings, share, unsummed
from review_bot.checks.dry_run_words import Problem, Rule, short
from review_bot.cluster.client import ClusterClient
from review_bot.cluster.crowd import each
from review_bot.cluster.kinds import discover
from review_bot.core import field_paths, secrets
from review_bot.core.clusters import ClusterSettings, LiveAction, LiveChange
from review_bot.core.danger import stays
from review_bot.core.diff import difference
from review_bot.core.errors import ClusterError
from review_bot.core.ignores import IgnoreRule, as_ignored
from review_bot.core.managers import Owner, owner
from review_bot.core.model import Action, CheckName, CheckState, Finding, Manifest, ResourceChange, Severity

# Tools that stop at a conflict; the others take the field over.
STOPS_AT_CONFLICTS = frozenset(["kubectl"])
# What an object is refused for; other problems mean that it was not judged, on the base as little as here.
REFUSALS = frozenset(
    [Rule.DENIED, Rule.IMMUTABLE, Rule.INVALID, Rule.NAMESPACE, Rule.QUOTA, Rule.UNKNOWN_KIND],
)
# Shorter values are found in any text by chance.
SHORTEST_SECRET = 3


@dataclass(frozen=True)
class Answered:
    """An answer with what follows from it; `before`: what the cluster says of a refused object as it is on the base."""

    asked: Asked
    live: tuple[LiveChange, ...]
    before: Asked | None = None


class ClusterReview:
    """One cluster's answers on the changes of its targets; `ignored` are rules by target."""

    def __init__(
        self, settings: ClusterSettings, context: CheckContext, ignored: Mapping[str, tuple[IgnoreRule, ...]]
    ) -> None:
        self._settings = settings
        self._context = context
        self._ignored = ignored

    def review(self, changes: Sequence[ResourceChange]) -> CheckOutcome:
        """Ask, within the time that the operator gives. Never raises for what the cluster does."""
        deadline = time.monotonic() + self._settings.budget_seconds
        try:
            client = ClusterClient(self._settings)
        except ClusterError as error:
            return self._nothing(error, changes)
        try:
            # In a thread of its own too: one that hangs must not keep the review.
            (kinds,) = each(discover, [client], threads=1, deadline=deadline)
            if kinds is None:
                return self._nothing(self._late(), changes)
            asker = Asker(client, kinds)
            answers = self._answers(asker, changes, deadline)
            sums = self._sums(client, asker, answers, deadline)
        except ClusterError as error:
            return self._nothing(error, changes)
        except Exception as error:
            # Answers are not checked field by field: one of another shape than Kubernetes' must not end the review.
            odd = ClusterError(
                f"the cluster {self._settings.name} sent what is no answer of an API server ({type(error).__name__})",
                help="is something in front of it that answers instead?",
            )
            return self._nothing(odd, changes)
        finally:
            client.close()
        return self._results(changes, answers, sums)

    def _answers(
        self, asker: Asker, changes: Sequence[ResourceChange], deadline: float
    ) -> list[Answered | ClusterError | None]:
        threads = self._settings.concurrency
        places = (asker.place(c, self._namespace(c)) for c in changes)
        lists = asker.live.worth_listing(p for p in places if isinstance(p, Place))
        each(asker.live.list_all, lists, threads=threads, deadline=deadline)
        return each(lambda change: self._ask(asker, change), changes, threads=threads, deadline=deadline)

    def _sums(
        self, client: ClusterClient, asker: Asker, answers: Sequence[Answered | ClusterError | None], deadline: float
    ) -> Sequence[Finding]:
        """What all objects together ask for, beside the quotas of their namespaces."""
        told = [a.asked for a in answers if isinstance(a, Answered)]
        if len(told) < len(answers):
            return ()  # a part is no sum, and that the rest is missing is said
        shares = []
        for one in told:
            place, gone = asker.place(one.change, self._namespace(one.change)), one.change.action is Action.DELETE
            idle = one.refused or (gone and self._kept(one.change)) or (not gone and one.predicted is None)
            if isinstance(place, Place) and not idle:
                shares.append(share(one.change, place, one.live, one.predicted))

        def ask(_: None) -> list[Finding]:
            return list(quota_findings(client, shares, self._settings))

        (found,) = each(ask, [None], threads=1, deadline=deadline)
        return found if found is not None else [unsummed(self._late(), told[0].change, self._settings)]

    def _ask(self, asker: Asker, change: ResourceChange) -> Answered | ClusterError:
        """The answer with what follows from it: worked out while the cluster works on the next."""
        try:
            asked = asker.ask(change, self._namespace(change), kept=self._kept(change))
        except ClusterError as error:
            return error
        return Answered(asked, tuple(self._live(asked)), self._before(asker, asked))

    def _before(self, asker: Asker, asked: Asked) -> Asked | None:
        """The answer for the object as it is on the base, where that tells whether a refusal is new."""
        change = asked.change
        if change.action is not Action.UPDATE or not any(p.rule in REFUSALS for p in asked.problems):
            return None
        try:
            return asker.ask_of_base(asked, self._namespace(change))
        except ClusterError:
            return None  # then the refusal counts as new

    def _kept(self, change: ResourceChange) -> bool:
        """Does the object stay once it is no longer rendered?"""
        return not self._context.config.dry_run.prune or (change.base is not None and stays(change.base))

    def _namespace(self, change: ResourceChange) -> str | None:
        """Where objects of the change's target go that name no namespace."""
        target = self._context.targets.get(change.target)
        if target is None:
            return None
        return target.namespace or (target.helm.namespace if target.helm else None)

    def _results(
        self,
        changes: Sequence[ResourceChange],
        answers: Sequence[Answered | ClusterError | None],
        sums: Sequence[Finding],
    ) -> CheckOutcome:
        told = [a for a in answers if isinstance(a, Answered)]
        findings: list[Finding] = [*sums]
        before: list[Finding] = []
        failed = [c for c, a in zip(changes, answers, strict=True) if not isinstance(a, Answered)]
        if failed:
            error = next((a for a in answers if isinstance(a, ClusterError)), self._late())
            findings.append(self._unanswered(error, failed, len(changes)))
        coming = Coming(changes)
        waiting: dict[tuple[str, str], list[ResourceChange]] = defaultdict(list)
        for one, old in ((a.asked, a.before) for a in told):
            before += [self._finding(old, p) for p in old.problems if p.rule in REFUSALS] if old else []
            for problem in one.problems:
                if what := coming.brings(problem, one.change):
                    waiting[(one.change.target, what)].append(one.change)
                else:
                    findings.append(self._finding(one, problem))
            for conflict, stands in self._conflicts(one):
                findings.append(conflict)
                before += [conflict] if stands else []
        findings += [skipped(target, what, waits) for (target, what), waits in waiting.items()]
        live = tuple(c for a in told for c in a.live)
        return CheckOutcome(CheckState.SUCCESS, tuple(findings), tuple(before), live)

    def _nothing(self, error: ClusterError, changes: Sequence[ResourceChange]) -> CheckOutcome:
        return CheckOutcome(CheckState.SUCCESS, (self._unanswered(error, changes, len(changes)),))

    def _live(self, asked: Asked) -> Iterator[LiveChange]:
        change, name = asked.change, self._settings.name
        if change.action is Action.DELETE:
            action = LiveAction.UNCHANGED if self._kept(change) or asked.live is None else LiveAction.DELETE
            if not asked.refused:
                yield LiveChange(change.target, name, action, change.id, goes_with=asked.goes_with)
        elif asked.predicted is not None:
            predicted, rules = asked.predicted, self._ignored.get(change.target, ())
            if asked.live is not None and rules:
                predicted = as_ignored(predicted, asked.live, change.id, rules)
            found = difference(asked.live, predicted, change.id)
            action = LiveAction.UPDATE if asked.live is not None else LiveAction.CREATE
            if found is None:
                yield LiveChange(change.target, name, LiveAction.UNCHANGED, change.id)
            else:
                owners = _owners(asked.live, found[0]) if asked.live is not None else ()
                yield LiveChange(change.target, name, action, change.id, *found, owners=owners)

    def _conflicts(self, asked: Asked) -> Iterator[tuple[Finding, bool]]:
        """Each conflict, and whether the base has it too: then its field is not what this change touches."""
        stops = asked.manager in STOPS_AT_CONFLICTS
        tool = "the apply" if asked.manager == DEFAULT_MANAGER else asked.manager
        for field, other in asked.conflicts:
            what = f"{field.removeprefix('.')} belongs to {other}"
            end = "so the apply fails with a conflict" if stops else f"and {tool} takes it over"
            help = "leave the field out if it is not yours to set, else settle who owns it"
            problem = Problem(Rule.CONFLICT, f"{what}, {end}", field, help)
            yield self._finding(asked, problem), _unchanged(asked.change, field)

    def _finding(self, asked: Asked, problem: Problem) -> Finding:
        change = asked.change
        resource = change.head or change.base
        assert resource is not None  # noqa: S101 - a change has a side
        field = field_paths.resolve(problem.field, resource.manifest)
        place = resource.place(field)
        hidden = _values(resource.manifest, asked.live)
        what = f"{change.id.kind} {change.id.name}" + (" (deletion)" if change.action is Action.DELETE else "")
        return Finding(
            check=CheckName.DRY_RUN,
            rule=problem.rule,
            severity=self._severity(asked, problem),
            message=f"{what}: {short(_redacted(problem.message, hidden))}",
            target=change.target,
            resource=change.id,
            path=place.path,
            line=place.line,
            help=problem.help,
            field=field,
        )

    def _severity(self, asked: Asked, problem: Problem) -> Severity:
        if problem.rule in (Rule.WARNING, Rule.ESCALATION):
            return Severity.WARNING
        if problem.rule is Rule.FINALIZER:
            return Severity.NOTICE
        if problem.rule is Rule.FORBIDDEN:
            return self._settings.unreachable
        if problem.rule is Rule.CONFLICT and asked.manager not in STOPS_AT_CONFLICTS:
            return Severity.WARNING
        return Severity.ERROR

    def _late(self) -> ClusterError:
        return ClusterError(
            f"the cluster {self._settings.name} took longer than {self._settings.budget_seconds:g} s",
            help="review again, or raise budget_seconds in the operator's file",
        )

    def _unanswered(self, error: ClusterError, missed: Sequence[ResourceChange], total: int) -> Finding:
        targets = {c.target for c in missed}
        only = self._context.targets.get(missed[0].target)
        part = f"{len(missed)} of {total} changed objects" if total > 1 else "the changed object"
        verb = "are" if len(missed) > 1 else "is"
        return Finding(
            check=CheckName.DRY_RUN,
            rule=Rule.CLUSTER,
            severity=self._settings.unreachable,
            message=f"{short(error.message)}; {part} {verb} not checked by it",
            target=missed[0].target if len(targets) == 1 else None,
            path=only.entry if only else None,
            help=error.help,
        )


def _unchanged(change: ResourceChange, field: str) -> bool:
    if change.base is None or change.head is None:
        return False
    old, new = (field_paths.value(m, field) for m in (change.base.manifest, change.head.manifest))
    return bool(old == new)


def _owners(live: Manifest, fields: Iterable[str]) -> tuple[Owner, ...]:
    found = (owner(live, field, field_paths.resolve(field, live)) for field in fields)
    return tuple(o for o in found if o is not None)


def _values(*manifests: Manifest | None) -> set[str]:
    """The values of a Secret's sides, encoded and plain: an admission policy may quote either."""
    found: set[str] = set()
    for manifest in manifests:
        for value in secrets.values(manifest) if manifest is not None else ():
            found |= {value, base64.b64encode(value.encode(errors="surrogatepass")).decode()}
            try:
                found.add(base64.b64decode(value, validate=True).decode())
            except (binascii.Error, ValueError):
                continue
    return {v for v in found if len(v) >= SHORTEST_SECRET}


def _redacted(text: str, hidden: Iterable[str]) -> str:
    for value in sorted(hidden, key=len, reverse=True):
        text = text.replace(value, "(secret)")
    return text
