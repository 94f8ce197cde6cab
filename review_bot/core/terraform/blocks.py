"""A module's blocks as objects: one a block, named by its address, each field with its line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from review_bot.core.model import FieldPath, Resource, ResourceId, Source
from review_bot.core.terraform import API_VERSION, spec_of
from review_bot.core.terraform.files import is_override

# How many labels a block has; kinds of blocks that are newer than this list are objects too.
LABELS: Mapping[str, int] = {
    **dict.fromkeys(("resource", "data", "ephemeral", "action", "list"), 2),
    **dict.fromkeys(("module", "variable", "output", "provider", "check"), 1),
    **dict.fromkeys(("terraform", "locals", "moved", "import", "removed"), 0),
}
PREFIX: Mapping[str, str] = {"variable": "var"}
# The argument that tells one such block from another.
TOLD_BY: Mapping[str, str] = {"moved": "from", "removed": "from", "import": "to"}
# Nested blocks that an override does not replace as a whole.
MERGED = ("lifecycle", "required_providers")
VALUES, LOCKED = "Values", "LockedProvider"


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a file; `body` and the paths of `lines` as render/hcl.py gives them."""

    path: str
    type: str
    labels: tuple[str, ...]
    line: int | None
    body: Mapping[str, Any]
    lines: Mapping[FieldPath, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """What no Terraform would accept, with its place and the next step."""

    message: str
    path: str
    line: int | None
    help: str


def module_objects(blocks: Iterable[Block], module: str) -> tuple[list[Resource], list[Problem]]:
    """The objects of one module; `module` is its address, "" for the root module."""
    found: dict[str, Resource] = {}
    problems: list[Problem] = []
    later: list[Block] = []
    for block in blocks:
        problem = _problem(block)
        if problem is not None:
            problems.append(problem)
        elif not block.type:
            continue
        elif is_override(block.path):
            later.append(block)
        else:
            for one in _objects(block, module):
                _add(found, one, problems)
    for block in later:
        for one in _objects(block, module):
            base = found.get(_key(one))
            found[_key(one)] = _overridden(base, one) if base is not None else one
    return list(found.values()), problems


def values_object(block: Block) -> Resource:
    """A file with values of variables, named by its own name."""
    return _object(block, "", VALUES, block.path.rpartition("/")[2], block.body)


def locked_objects(blocks: Iterable[Block]) -> list[Resource]:
    """The providers that a lock file pins."""
    return [_object(b, "", LOCKED, b.labels[0], b.body) for b in blocks if b.type == "provider" and len(b.labels) == 1]


def resource_id(kind: str, module: str, address: str) -> ResourceId:
    """An object's identity from its address within the module."""
    return ResourceId(API_VERSION, kind, module or None, f"{module}.{address}" if module else address)


def manifest_of(id: ResourceId, block: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """The object as policies and people see it."""
    metadata = {"name": id.name, **({"namespace": id.namespace} if id.namespace else {})}
    return {"apiVersion": API_VERSION, "kind": id.kind, "metadata": metadata, "block": dict(block), "spec": dict(spec)}


def _objects(block: Block, module: str) -> Iterator[Resource]:
    if block.type == "locals":
        for name, value in block.body.items():
            lines = {("value", *path[1:]): line for path, line in block.lines.items() if path[:1] == (name,)}
            one = replace(block, line=lines.get(("value",), block.line), lines=lines)
            yield _object(one, module, "Local", f"local.{name}", {"value": value})
    elif block.type == "resource":
        yield _object(block, module, block.labels[0], ".".join(block.labels), block.body)
    else:
        yield _object(block, module, _kind(block.type), _address(block), block.body)


def _kind(type: str) -> str:
    return type[:1].upper() + type[1:]


def _address(block: Block) -> str:
    parts = [PREFIX.get(block.type, block.type), *block.labels]
    if block.type == "provider" and isinstance(block.body.get("alias"), str):
        parts.append(block.body["alias"])
    told = block.body.get(TOLD_BY.get(block.type, ""))
    if isinstance(told, str):
        parts.append(told.removeprefix("${").removesuffix("}"))
    return ".".join(parts)


def _object(block: Block, module: str, kind: str, address: str, spec: Mapping[str, Any]) -> Resource:
    id = resource_id(kind, module, address)
    about = {"type": block.type, "labels": list(block.labels)} if block.type else {"type": kind.lower(), "labels": []}
    lines: dict[FieldPath, int] = {("spec", *path): line for path, line in block.lines.items() if path}
    if block.line is not None:
        lines[()] = block.line
    return Resource(id, manifest_of(id, about, spec), Source(block.path, block.line), lines)


def _key(resource: Resource) -> str:
    return f"{resource.id.kind} {resource.id.name}"


def _add(found: dict[str, Resource], one: Resource, problems: list[Problem]) -> None:
    if one.id.kind == "Import":
        one = _told_apart(one, found)
    first = found.setdefault(_key(one), one)
    if first is one:
        return
    if one.id.kind == "Terraform":
        # Settings may stand in several blocks; together they are one thing.
        found[_key(one)] = replace(
            first, manifest={**first.manifest, "spec": _joined(spec_of(first.manifest), spec_of(one.manifest))}
        )
        return
    where = f"{first.source.path}:{first.source.line}" if first.source.line else first.source.path
    message = f"{one.id.name} is already defined in {where}"
    problems.append(Problem(message, one.source.path, one.source.line, "keep one of them, or rename one"))


def _told_apart(one: Resource, found: Mapping[str, Resource]) -> Resource:
    """With `for_each` several blocks may import to the same address: `x.y[each.key]`."""
    number, id = 1, one.id
    while f"{id.kind} {id.name}" in found:
        number += 1
        id = replace(id, name=f"{one.id.name} ({number})")
    return replace(one, id=id, manifest={**one.manifest, "metadata": {**one.manifest["metadata"], "name": id.name}})


def _joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    joined = {**first, **second}
    for name in first.keys() & second.keys():
        if isinstance(first[name], list) and isinstance(second[name], list):
            joined[name] = [*first[name], *second[name]]
    return joined


def _overridden(base: Resource, over: Resource) -> Resource:
    """Arguments and kinds of nested blocks that the override names take the place of the original's.

    Of a few kinds only the arguments do: https://opentofu.org/docs/language/files/override/.
    """
    old, new = spec_of(base.manifest), spec_of(over.manifest)
    merged = {name: _merged(old[name], new[name]) for name in MERGED if name in old and name in new}
    spec = {**old, **new, **merged}
    named: Sequence[str] = tuple(spec_of(over.manifest))
    lines = {path: line for path, line in base.lines.items() if path[1:2] == () or path[1] not in named}
    changed = {**base.manifest, "spec": spec}
    return replace(base, manifest=changed, lines=lines, patched_by=(*base.patched_by, over.source.path))


def _merged(old: Any, new: Any) -> list[dict[str, Any]]:
    """The arguments of both, as one block."""
    bodies = [body for side in (old, new) for body in (side if isinstance(side, list) else [side])]
    return [{name: value for body in bodies if isinstance(body, Mapping) for name, value in body.items()}]


def _problem(block: Block) -> Problem | None:
    if not block.type:
        if not block.body:
            return None
        name = next(iter(block.body))
        line = block.lines.get((name,))
        return Problem(
            f"{name} stands outside of every block", block.path, line, "move it into a block, or to *.tfvars"
        )
    wanted = LABELS.get(block.type)
    if wanted is not None and len(block.labels) != wanted:
        form = f"{block.type} {' '.join(chr(34) + '…' + chr(34) for _ in range(wanted))}".strip()
        message = f"a block {block.type} has {wanted} labels, this one {len(block.labels)}"
        return Problem(message, block.path, block.line, f"write {form} {{ … }}")
    return None
