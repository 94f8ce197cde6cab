"""dependsOn: what has to be ready before. A dependency that is not there, or on itself, waits for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from review_bot.core.flux.objects import BOOTSTRAP, Asking
from review_bot.core.lenient import rows, text
from review_bot.core.model import Finding, Severity

Key = tuple[str, str]


def findings(asking: Sequence[Asking]) -> Iterator[Finding]:
    """Of objects of one kind in one cluster; what they need of other kinds is not looked for."""
    known = {(one.namespace, one.name): one for one in asking}
    leads = {key: [needed for needed, _ in _needs(one)] for key, one in known.items()}
    for key, one in known.items():
        for needed, number in _needs(one):
            at = ("spec", "dependsOn", number)
            if needed not in known and not (BOOTSTRAP == needed[0] == needed[1]):
                yield one.finding(
                    "unknown-dependency",
                    Severity.WARNING,
                    f"it depends on {'/'.join(needed)}, which is not in this repository: it waits until that is there",
                    at,
                    help="correct the name, or add what it depends on",
                )
        cycle = _cycle(key, leads)
        if cycle is not None and key == min(cycle):
            names = " → ".join("/".join(step) for step in (*cycle, cycle[0]))
            yield one.finding(
                "dependency-cycle",
                Severity.ERROR,
                f"it waits for itself: {names}",
                ("spec", "dependsOn"),
                help="take one of these out of dependsOn",
            )


def _needs(asking: Asking) -> Iterator[tuple[Key, int]]:
    kind = asking.told.resource.id.kind
    for number, row in enumerate(rows(asking.spec.get("dependsOn"))):
        if row.get("kind", kind) != kind:
            continue
        yield (text(row.get("namespace")) or asking.namespace, text(row.get("name"))), number


def _cycle(start: Key, leads: Mapping[Key, Sequence[Key]]) -> list[Key] | None:
    """A way from the start back to it, the shortest."""
    ways: list[list[Key]] = [[start]]
    seen: set[Key] = set()
    for way in ways:
        for step in leads.get(way[-1], ()):
            if step == start:
                return way
            if step not in seen:
                seen.add(step)
                ways.append([*way, step])
    return None
