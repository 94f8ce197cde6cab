"""A helmfile in each of its environments, evaluated by gitops-words with the files that it asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from review_bot.core.closure import Files
from review_bot.core.delivery import Templating
from review_bot.core.errors import InputError

DEFAULT = "default"
# Each round gives the files that the one before asked for.
MOST_ROUNDS = 60
MOST_ENVIRONMENTS = 50
MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Problem:
    """`world`: it needs what does not lie in the repository."""

    path: str
    message: str
    world: bool


@dataclass(frozen=True)
class Evaluated:
    """One environment; `releases` are as gitops_words/helmfile_releases.go describes them.

    `unset` are variables of the machine's environment that templates asked for, and that were taken for empty.
    `several`: the helmfile declares more environments than this one.
    """

    root: str
    environment: str
    releases: Sequence[Mapping[str, Any]]
    problems: Sequence[Problem]
    reads: frozenset[str]
    unset: Sequence[str]
    several: bool = False


def evaluate(root: str, names: Sequence[str], files: Files, templating: Templating) -> list[Evaluated]:
    """In the environments that it declares, or in the default one where there are none; `names` are all paths."""
    contents: dict[str, str] = {}
    first, environments = _once(root, DEFAULT, names, contents, files, templating)
    if not environments:
        return [first]
    found = []
    for name in environments[:MOST_ENVIRONMENTS]:
        one = first if name == DEFAULT else _once(root, name, names, contents, files, templating)[0]
        found.append(replace(one, several=len(environments) > 1))
    if len(environments) > MOST_ENVIRONMENTS:
        message = f"it declares more than {MOST_ENVIRONMENTS} environments, and only so many are looked at"
        found[0] = replace(found[0], problems=[*found[0].problems, Problem(root, message, False)])
    return found


def _once(
    root: str, environment: str, names: Sequence[str], contents: dict[str, str], files: Files, templating: Templating
) -> tuple[Evaluated, list[str]]:
    contents.update(_read(files, [root], contents))
    for _ in range(MOST_ROUNDS):
        try:
            answer = templating.helmfile(root, environment, names, contents)
        except InputError as error:
            return Evaluated(root, environment, (), (Problem(root, error.message, False),), frozenset({root}), ()), []
        missing = [path for path in answer["wanted"] if path not in contents]
        if not missing:
            break
        contents.update(_read(files, missing, contents))
    problems = [Problem(p["path"], p["message"], p["world"]) for p in answer["problems"] or ()]
    result = Evaluated(
        root, environment, answer["releases"] or (), problems, frozenset(answer["reads"]), answer["unset"]
    )
    return result, list(answer["environments"])


def _read(files: Files, paths: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """The files as texts; one that is too large to be a helmfile's is empty."""
    found = files.tree.read_many([path for path in paths if path not in known])
    return {p: data.decode(errors="replace") if len(data) < MOST_BYTES else "" for p, data in found.items()}
