"""Ranges of versions: what each means now is what is reviewed, and that is said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from review_bot.core.model import CheckName, Finding, Remote, Severity, Source, Target


@dataclass
class Floating:
    """Fetches by ranges too: `exact` turns one into a version, `fetch` gives a folder. Both raise InputError."""

    exact: Callable[[Remote], Remote]
    fetch: Callable[[Remote, Source], str]
    _known: dict[Remote, Remote] = field(default_factory=dict)
    # By the folder of the version that was taken.
    _told: dict[str, dict[Source, Finding]] = field(default_factory=lambda: defaultdict(dict))

    def fetched(self, remote: Remote, source: Source) -> str:
        """The folder under which it lies; `source` is where it is asked for. Raises InputError."""
        if not remote.floating:
            return self.fetch(remote, source)
        if remote not in self._known:
            self._known[remote] = self.exact(remote)
        taken = self._known[remote]
        folder = self.fetch(taken, source)
        self._told[folder][source] = _finding(remote, taken, source)
        return folder

    def forget(self) -> None:
        """Nothing was asked for yet."""
        self._told.clear()

    def findings(self, targets: Iterable[Target]) -> Iterator[Finding]:
        """A warning for each target that is made of such a version, else one without a target."""
        if not self._told:
            return
        reads = [(target, {p for part in target.parts for p in part.reads or ()}) for target in targets]
        for folder, told in self._told.items():
            readers = [target for target, paths in reads if any(p.startswith(f"{folder}/") for p in paths)]
            for target in readers:
                asked_at = target.delivery.source.path if target.delivery is not None else None
                own = [finding for source, finding in told.items() if source.path == asked_at]
                yield replace((own or list(told.values()))[0], target=target.id)
            # A chart's dependency is read where it was copied to, beside the Chart.yaml that asks for it.
            for source, finding in () if readers else told.items():
                askers = [target.id for target, _ in reads if source.path in (target.reads or ())]
                yield from (replace(finding, target=id) for id in askers or (None,))


def _finding(remote: Remote, taken: Remote, source: Source) -> Finding:
    what = remote.name or remote.url
    return Finding(
        CheckName.RENDER,
        "floating-version",
        Severity.WARNING,
        f"{what} is reviewed in the version {taken.revision}, which {remote.revision} means today",
        path=source.path,
        line=source.line,
        help="name that version, so that what is approved is what is deployed",
    )
