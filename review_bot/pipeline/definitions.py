"""CustomResourceDefinitions for the schema check: from what was rendered, and from the repository if needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from review_bot.core.errors import YamlError
from review_bot.core.groups import is_builtin
from review_bot.core.model import Action, Resource, ResourceChange, Tree
from review_bot.core.resources import from_documents
from review_bot.core.yaml_reader import parse

KIND = "CustomResourceDefinition"


def custom_resource_definitions(
    changes: Sequence[ResourceChange], rendered: Iterable[Resource], head: Tree
) -> tuple[Resource, ...]:
    """The definitions that the changed kinds need; the repository is searched only for kinds that nothing defines."""
    found = {_defines(r): r for r in rendered if r.id.kind == KIND}
    wanted = {(c.id.group, c.id.kind) for c in changes if c.action is not Action.DELETE and not is_builtin(c.id.group)}
    if not wanted <= found.keys():
        for resource in _in_repository(head):
            found.setdefault(_defines(resource), resource)
    return tuple(found.values())


def _in_repository(tree: Tree) -> Iterable[Resource]:
    names = [p for p in tree.entries() if p.endswith((".yaml", ".yml", ".json"))]
    for path, data in tree.read_many(names).items():
        if KIND.encode() in data and b"{{" not in data:
            try:
                resources, _ = from_documents(parse(data, path=path), path=path)
            except YamlError:
                continue  # a definition that can't be read defines nothing; its own target says why
            yield from (r for r in resources if r.id.kind == KIND)


def _defines(resource: Resource) -> tuple[str, str]:
    spec = resource.manifest.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    names = spec.get("names")
    return str(spec.get("group")), str(names.get("kind") if isinstance(names, dict) else None)
