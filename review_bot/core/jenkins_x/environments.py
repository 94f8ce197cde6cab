"""A helmfile's environments: their names and values, and the helmfile as it reads in one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from review_bot.core.errors import YamlError
from review_bot.core.jenkins_x.documents import DIVIDER, HelmfileText, merged, parsed, with_bases
from review_bot.core.jenkins_x.fields import Unseen, filled
from review_bot.core.model import Tree

DEFAULT = "default"
# Each document of a template is read with all that stand before it.
MOST_DOCUMENTS = 20


@dataclass(frozen=True)
class Environment:
    """The values of an environment, the files that have them, and whether that is all of them.

    `known`: does the helmfile declare it? helmfile leaves one out that does not, but for `default`.
    """

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    whole: bool = True
    known: bool = True

    def fields(self, **more: Any) -> dict[str, Any]:
        """What templates may name."""
        values = {"Values": self.values, "StateValues": self.values} if self.whole else {}
        return {"Environment": {"Name": self.name}, **values, **more}


def names(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Of the environments that a helmfile declares; the default one where it declares none."""
    declared = content.get("environments")
    return tuple(sorted(map(str, declared))) if isinstance(declared, dict) and declared else (DEFAULT,)


def environment(tree: Tree, file: HelmfileText, name: str) -> Environment:
    """Its values: those of the helmfile, and over them the environment's, later ones over earlier ones."""
    environments = file.content.get("environments")
    declared = environments.get(name) if isinstance(environments, dict) else None
    known = name == DEFAULT or (isinstance(environments, dict) and name in environments)
    settings = declared if isinstance(declared, dict) else {}
    # Secrets and other orders of merging are helmfile's to apply.
    whole = not settings.get("secrets") and not settings.get("mergeStrategy")
    found = Environment(name, {}, frozenset(), whole, known)
    for listed in (file.content.get("values"), settings.get("values")):
        for value in listed if isinstance(listed, list) else ():
            found = _with(tree, file, found, value)
    return found


def _with(tree: Tree, file: HelmfileText, before: Environment, value: Any) -> Environment:
    asked, whole = set(before.asked), before.whole
    more: Mapping[str, Any] = {}
    try:
        if isinstance(value, dict):
            more = value
        else:
            if "{{" in str(value):
                raise Unseen("helmfile fills it in before 1.0 only")
            path = file.beside(str(value))
            asked.add(path)
            # Which of the earlier values a template sees depends on helmfile's version.
            more, seen = values_of(tree, path, Environment(before.name, whole=False))
            whole = whole and seen
    except (Unseen, YamlError):
        whole = False
    return Environment(before.name, merged(before.values, more), frozenset(asked), whole, before.known)


def values_of(tree: Tree, path: str, given: Environment, **more: Any) -> tuple[Mapping[str, Any], bool]:
    """What a value file holds, a template filled, and is it seen? Raises Unseen and YamlError."""
    data = tree.read(path)
    if data is None:
        return {}, False
    if path.endswith(".gotmpl"):
        data = filled(data.decode(errors="surrogateescape"), given.fields(**more)).encode(errors="surrogateescape")
    return parsed(data, path).content, True


def read(tree: Tree, path: str, name: str) -> tuple[HelmfileText, bool]:
    """The helmfile as it reads in an environment, and whether its bases are in it. Raises Unseen and YamlError.

    One that is YAML as it stands keeps its templates: they are those of its releases.
    """
    data = tree.read(path) or b""
    try:
        if path.endswith(".gotmpl"):
            raise YamlError("a template", path=path)
        file = parsed(data, path)
    except YamlError:
        if b"{{" not in data:
            file = parsed(data, path)
        else:
            file = _rendered(tree, data.decode(errors="surrogateescape"), path, name)
    whole = with_bases(tree, file) if file.content.get("bases") else file
    return (file, False) if whole is None else (whole, True)


def declared(tree: Tree, path: str) -> tuple[str, ...]:
    """The names of the environments that the helmfile declares, as far as it can be read without one of them."""
    data = tree.read(path) or b""
    try:
        return names(read(tree, path, DEFAULT)[0].content)
    except (Unseen, YamlError):
        text = data.decode(errors="surrogateescape")
    found: tuple[str, ...] = (DEFAULT,)
    for end in range(1, min(len(text.split(DIVIDER)), MOST_DOCUMENTS)):
        try:
            file = _rendered(tree, DIVIDER.join(text.split(DIVIDER)[:end]), path, DEFAULT)
        except (Unseen, YamlError):
            break
        found = names((with_bases(tree, file) or file).content)
    return found


def _rendered(tree: Tree, text: str, path: str, name: str) -> HelmfileText:
    """Each document sees the environment that those before it declare."""
    so_far = ""
    if text.count(DIVIDER) > MOST_DOCUMENTS:
        raise Unseen("more documents than are followed")
    for number, part in enumerate(text.split(DIVIDER)):
        before = parsed(so_far.encode(errors="surrogateescape"), path)
        fields = environment(tree, with_bases(tree, before) or before, name).fields()
        so_far += (DIVIDER if number else "") + filled(part, fields)
    return replace(parsed(so_far.encode(errors="surrogateescape"), path), templated="{{" in text)
