"""The inputs of a ResourceSet: its own and those of its providers, one after the other or each with each.

Follows flux-operator (internal/inputs). Only what stands in git is seen: a provider of the type Static.
"""

from __future__ import annotations

import itertools
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from review_bot.core.delivery import Told
from review_bot.core.flux.objects import OPERATOR, Asking, Broken, Catalogue, NotSeen, words
from review_bot.core.lenient import mapping, rows, text

PROVIDER = "ResourceSetInputProvider"
MOST_PERMUTATIONS = 10_000
Inputs = Mapping[str, Any]


def inputs_of(asking: Asking, catalogue: Catalogue) -> list[Inputs]:
    """Each a set of values for the templates. Raises NotSeen, and Broken for more than the operator takes."""
    groups: list[tuple[str, list[Inputs]]] = [
        (asking.name, [{**row, "provider": _about(asking)} for row in rows(asking.spec.get("inputs"))])
    ]
    for told in _providers(asking, catalogue):
        groups.append((told.resource.id.name, [_static(Asking(told, asking.id))]))
    strategy = mapping(asking.spec.get("inputStrategy"))
    if strategy.get("name") != "Permute":
        return [row for _, given in groups for row in given]
    return _permuted(groups, strategy.get("includeEmptyProviders") is True)


def _permuted(groups: Sequence[tuple[str, Sequence[Inputs]]], keeps_empty: bool) -> list[Inputs]:
    """Each with each, every provider's values below its name; one that gives nothing counts only if it is to."""
    named = [(_key(name), given) for name, given in groups if given or keeps_empty]
    count = math.prod(len(given) for _, given in named)
    if count > MOST_PERMUTATIONS:
        raise Broken(f"its inputs make {count} permutations, and {MOST_PERMUTATIONS} are the most", help="name fewer")
    found: list[Inputs] = []
    for chosen in itertools.product(*(range(len(given)) for _, given in named)) if named else ():
        values = {name: given[at] for (name, given), at in zip(named, chosen, strict=True)}
        mark = "/".join(f"{name}={at}" for (name, _), at in zip(named, chosen, strict=True))
        found.append({**values, "id": _id(mark)})
    return found


def _providers(asking: Asking, catalogue: Catalogue) -> list[Told]:
    """Each once, in order of their names."""
    found: dict[str, Told] = {}
    for row in rows(asking.spec.get("inputsFrom")):
        name = text(row.get("name"))
        if name:
            told = catalogue.get(OPERATOR, PROVIDER, asking.namespace, name)
            if told is None:
                raise NotSeen(f"the {PROVIDER} {name} is not in this repository")
            found[name] = told
            continue
        chosen = [t for t in catalogue.of(OPERATOR, PROVIDER) if _is_chosen(t, mapping(row.get("selector")), asking)]
        if not chosen:
            raise NotSeen(f"no {PROVIDER} that its selector picks is in this repository")
        found |= {told.resource.id.name: told for told in chosen}
    return [found[name] for name in sorted(found)]


def _is_chosen(told: Told, selector: Mapping[str, Any], asking: Asking) -> bool:
    labels = mapping(told.resource.manifest.get("metadata"), "labels")
    wanted = mapping(selector.get("matchLabels"))
    return (
        (told.resource.id.namespace or "default") == asking.namespace
        and all(labels.get(key) == value for key, value in wanted.items())
        and all(_meets(row, labels) for row in rows(selector.get("matchExpressions")))
    )


def _meets(row: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    value, listed = labels.get(text(row.get("key"))), words(row.get("values"))
    match row.get("operator"):
        case "In":
            return value in listed
        case "NotIn":
            return value not in listed
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    raise Broken(f"{row.get('operator')!r} is no operator of a selector", help="use In, NotIn, Exists or DoesNotExist")


def _static(provider: Asking) -> Inputs:
    """Its values; their `id` stands for that of the cluster, which follows from the object's UID there."""
    if provider.spec.get("type") != "Static":
        raise NotSeen(
            f"what the {PROVIDER} {provider.name} gives is not in git", help="its inputs are found at run time"
        )
    given = mapping(provider.spec.get("defaultValues"))
    return {**given, "id": _id(f"{provider.namespace}/{provider.name}"), "provider": _about(provider)}


def _about(asking: Asking) -> dict[str, str]:
    id = asking.told.resource.id
    return {"apiVersion": f"{OPERATOR}/v1", "kind": id.kind, "name": id.name, "namespace": asking.namespace}


def _id(mark: str) -> str:
    return str(zlib.adler32(mark.encode()))


def _key(name: str) -> str:
    """A name as templates can spell it."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
