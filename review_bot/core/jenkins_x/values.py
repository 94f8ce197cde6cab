"""What a release of a helmfile gives to its chart."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.core.errors import YamlError
from review_bot.core.jenkins_x.documents import HelmfileText, merged, parsed
from review_bot.core.jenkins_x.environments import Environment, values_of
from review_bot.core.jenkins_x.fields import Unseen, filled
from review_bot.core.model import Tree

# Value files that Jenkins X writes before it runs helmfile.
GENERATED = ("jx-values.yaml",)
# One argument of a program may hold 128 KiB.
MOST_INLINE = 100_000
# What changes values or objects in ways that are not followed.
NOT_FOLLOWED = ("secrets", "valuesTemplate", "inherit", "hooks", "strategicMergePatches", "jsonPatches")
_NOT_FOLLOWED_EITHER = ("transformers", "postRenderer", "dependencies", "env")


@dataclass(frozen=True)
class Given:
    """Value `files` first, then helm's own `sets`; `places` are the files asked for, by their number in `values`.

    `unseen` says in words what is given beyond that.
    """

    files: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    places: tuple[tuple[int, str], ...] = ()
    unseen: tuple[str, ...] = ()


def given(
    tree: Tree, file: HelmfileText, raw: Mapping[str, Any], env: Environment, release: Mapping[str, Any]
) -> Given:
    """What the release `raw` gives in an environment; `release` are the fields of `.Release`."""
    listed = raw.get("values")
    entries = listed if isinstance(listed, list) else []
    unseen = [key for key in (*NOT_FOLLOWED, *_NOT_FOLLOWED_EITHER) if raw.get(key)]
    files: list[str] = []
    places: list[tuple[int, str]] = []
    # Once something stands in the helmfile itself, what follows it must be put over it.
    inline: dict[str, Any] | None = None
    for number, entry in enumerate(entries):
        try:
            if isinstance(entry, str):
                path = _path(file, entry, env, release)
                places.append((number, path))
                there = path in tree.entries()
                if not there and posixpath.basename(path) in GENERATED:
                    raise Unseen("written before helmfile runs")
                if not there and may_miss(file, raw):
                    continue
                if inline is None and not path.endswith(".gotmpl"):
                    files.append(path)
                    continue
                if not there:
                    raise Unseen("it does not exist")
                more, _ = values_of(tree, path, env, Release=release)
            elif isinstance(entry, dict):
                more = entry
            else:
                continue
            if _needs_the_world(more):
                raise Unseen("a value that helmfile fetches or fills in")
            inline = merged(inline or {}, more)
        except (Unseen, YamlError) as error:
            why = error.message if isinstance(error, YamlError) else error
            unseen.append(f"{entry if isinstance(entry, str) else 'values within the helmfile'} ({why})")
    sets = [*_inline(inline, unseen), *_sets(raw, env, release, unseen)]
    return Given(tuple(files), tuple(sets), tuple(places), tuple(dict.fromkeys(unseen)))


def may_miss(file: HelmfileText, raw: Mapping[str, Any]) -> bool:
    """Is helmfile told to go on without value files that are not there?"""
    return any(
        h not in (None, "Error") for h in (raw.get("missingFileHandler"), file.content.get("missingFileHandler"))
    )


def _path(file: HelmfileText, entry: str, env: Environment, release: Mapping[str, Any]) -> str:
    path = filled(entry, env.fields(Release=release))
    if any(c in path for c in "*?[:"):
        raise Unseen("a pattern or an address")
    return file.beside(path)


def _needs_the_world(value: Any) -> bool:
    """Does it hold a reference that helmfile resolves (`ref+vault://…`), or a template?"""
    if isinstance(value, str):
        return "ref+" in value or "{{" in value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_needs_the_world(item) for item in inner)


def _inline(values: Mapping[str, Any] | None, unseen: list[str]) -> Iterator[str]:
    if not values:
        return
    try:
        text = json.dumps(values, ensure_ascii=False, allow_nan=False)
    except ValueError:
        unseen.append("a number that is none")
        return
    if len(text.encode(errors="surrogateescape")) > MOST_INLINE:
        unseen.append("more values within the helmfile than fit")
        return
    yield from ("--set-json", text)


def _sets(raw: Mapping[str, Any], env: Environment, release: Mapping[str, Any], unseen: list[str]) -> Iterator[str]:
    # Templates in `set` are filled in by helmfile before 1.0, and given to helm as they stand by later ones.
    for key, word in (("setTemplate", "--set"), ("set", "--set"), ("setString", "--set-string")):
        listed = raw.get(key)
        for row in listed if isinstance(listed, list) else ():
            try:
                yield from (word, _assignment(row, env.fields(Release=release) if key == "setTemplate" else {}))
            except Unseen:
                unseen.append(key)


def _assignment(row: Any, fields: Mapping[str, Any]) -> str:
    if not isinstance(row, dict) or row.get("file") or not isinstance(row.get("name"), str):
        raise Unseen("set")
    value, values = row.get("value"), row.get("values")
    if value is not None and values is None:
        return f"{_escaped(filled(row['name'], fields))}={_escaped(_word(value, fields))}"
    if value is None and isinstance(values, list):
        return f"{_escaped(filled(row['name'], fields))}={{{','.join(_escaped(_word(v, fields)) for v in values)}}}"
    raise Unseen("set")


def _word(value: Any, fields: Mapping[str, Any]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int) or value == "" or "ref+" in str(value):
        raise Unseen("set")
    return filled(str(value), fields)


def _escaped(text: str) -> str:
    """As helmfile writes it for helm's own language."""
    return text.replace("{", "\\{").replace("}", "\\}").replace(",", "\\,")


def pinned(tree: Tree, path: str) -> str:
    """The version that a file of the version stream has for its chart."""
    data = tree.read(path)
    if not data:
        return ""
    try:
        version = parsed(data, path).content.get("version")
    except YamlError:
        return ""
    return version if isinstance(version, str) else str(version) if isinstance(version, int | float) else ""
