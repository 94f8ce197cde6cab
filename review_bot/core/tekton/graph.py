"""Circles among things that wait for each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# Each costs a walk along the way that led there; whoever has so many has more to mend than those.
MOST_CIRCLES = 20


def cycles(waits: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Circles among things of which none can begin, each told from its first name in order; at most MOST_CIRCLES."""
    found: dict[frozenset[str], tuple[str, ...]] = {}
    done: set[str] = set()
    for start in sorted(waits):
        # The way from the start to here, in order, each with what is still to be looked at.
        way = {start: iter(waits[start])} if start not in done else {}
        while way and len(found) < MOST_CIRCLES:
            name = next(reversed(way))
            following = next(way[name], None)
            if following is None:
                del way[name]
                done.add(name)
            elif following in way:
                names = list(way)
                circle = names[names.index(following) :]
                first = circle.index(min(circle))
                found.setdefault(frozenset(circle), (*circle[first:], *circle[:first]))
            elif following not in done:
                way[following] = iter(waits.get(following, ()))
    return list(found.values())
