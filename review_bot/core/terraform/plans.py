"""What a plan (`show -json`) says will happen, as changes of objects like any others.

A replacement is a deletion and a creation of the same object: so it is counted, judged by policies of deletions, and
asked of those who must agree to one. The format: https://developer.hashicorp.com/terraform/internals/json-format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from review_bot.core.diff import difference
from review_bot.core.errors import InputError
from review_bot.core.model import Action, FieldPath, Manifest, Resource, ResourceChange, ResourceId, Source
from review_bot.core.terraform import API_VERSION, UNKNOWN, block_of, spec_of, without_keys
from review_bot.core.terraform.blocks import manifest_of
from review_bot.core.terraform.masking import SENSITIVE

FORMAT = "1."
# Arguments that decide about a resource and are in no plan.
META = ("lifecycle", "provisioner", "connection", "provider")
_MODULE = re.compile(r"^module\.[^.]+")


@dataclass(frozen=True)
class Plan:
    """A plan's rows as the tool wrote them. Raises InputError where they are none."""

    resources: tuple[Mapping[str, Any], ...]
    outputs: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, document: Any) -> Plan:
        """From the tool's JSON."""
        version = document.get("format_version") if isinstance(document, Mapping) else None
        if not isinstance(version, str) or not {"resource_changes", "planned_values"} & document.keys():
            raise InputError("it is no plan", help="write it by `tofu show -json PLANFILE` or `terraform show -json`")
        if not version.startswith(FORMAT):
            raise InputError(f"its format {version} is not known", help="update the bot")
        if document.get("errored") is True:
            raise InputError("the plan ended with errors, so it is not whole", help="mend what it says, and plan again")
        rows = document.get("resource_changes") or []
        outputs = document.get("output_changes") or {}
        if not (isinstance(rows, list) and all(_is_row(row) for row in rows) and isinstance(outputs, Mapping)):
            raise InputError("it is no plan that can be understood", help="write it by `show -json` of the same tool")
        return cls(tuple(rows), {str(k): v for k, v in outputs.items() if isinstance(v, Mapping)})

    def managed(self) -> Iterator[Mapping[str, Any]]:
        """The rows of resources; data sources are read and have no effect."""
        return (row for row in self.resources if row.get("mode") != "data")


def changes_of(
    target: str, plan: Plan, base: Sequence[Resource], head: Sequence[Resource], entry: str = ""
) -> list[ResourceChange]:
    """Everything that the plan would do.

    `base` and `head` are the configuration's objects, which know the places; what none knows is shown at `entry`.
    """
    known = _Known({r.id.name: r for r in base}, {r.id.name: r for r in head}, entry)
    found: list[ResourceChange] = []
    for row in plan.managed():
        kind, module = str(row.get("type")), row.get("module_address")
        id = ResourceId(API_VERSION, kind, str(module) if module else None, _address(row))
        block = {"type": "resource", "labels": [kind, str(row.get("name"))], "planned": True}
        found += _row(target, id, block, row["change"], known)
    for name, change in plan.outputs.items():
        id = ResourceId(API_VERSION, "Output", None, f"output.{name}")
        block = {"type": "output", "labels": [name], "planned": True}
        found += _row(target, id, block, _wrapped(change), known)
    return sorted(found, key=lambda c: (c.id.kind, c.id.namespace or "", c.id.name, c.action is not Action.DELETE))


def planned_objects(plan: Plan, configured: Sequence[Resource]) -> list[Resource]:
    """The resources as they are to be, by a plan that begins with nothing; other objects as they are configured."""
    known = {r.id.name: r for r in configured}
    found = [r for r in configured if block_of(r.manifest).get("type") != "resource"]
    for change in changes_of("", plan, (), configured):
        if change.head is not None and change.id.kind != "Output":
            own = known.get(without_keys(change.id.name))
            spec = spec_of(own.manifest) if own is not None else {}
            meta = {name: spec[name] for name in META if name in spec}
            manifest = {**change.head.manifest, **({"meta": meta} if meta else {})}
            found.append(replace(change.head, manifest=manifest))
    return found


def together(configured: Iterable[ResourceChange], planned: Sequence[ResourceChange]) -> list[ResourceChange]:
    """A plan's changes, and those of the configuration that it does not speak of.

    Of resources the plan knows what happens; what no plan shows (provisioners, lifecycle) is kept as it is written.
    """
    spoken = {without_keys(c.id.name) for c in planned}
    kept = []
    for change in configured:
        side = change.head or change.base
        is_resource = side is not None and block_of(side.manifest).get("type") == "resource"
        if change.id.name in spoken and (is_resource or change.id.kind == "Output"):
            continue
        if is_resource and not (change.action is Action.UPDATE and _of_meta(change.fields)):
            continue
        kept.append(change)
    return sorted([*kept, *planned], key=lambda c: (c.id.kind, c.id.namespace or "", c.id.name))


def _of_meta(fields: Iterable[str]) -> bool:
    return any(re.match(rf"spec\.(?:{'|'.join(META)})\b", field) for field in fields)


def _is_row(row: Any) -> bool:
    return isinstance(row, Mapping) and isinstance(row.get("address"), str) and isinstance(row.get("change"), Mapping)


def _actions(change: Mapping[str, Any]) -> frozenset[str]:
    actions = change.get("actions")
    return frozenset(str(a) for a in actions) if isinstance(actions, list) else frozenset()


def _address(row: Mapping[str, Any]) -> str:
    """What a replacement left behind has the address of what took its place."""
    return f"{row['address']} (deposed {row['deposed']})" if row.get("deposed") else str(row["address"])


@dataclass(frozen=True)
class _Known:
    """The configuration's objects by address, on both sides."""

    base: Mapping[str, Resource]
    head: Mapping[str, Resource]
    entry: str

    def place(self, id: ResourceId, *, new: bool) -> tuple[Source, Mapping[FieldPath, int]]:
        """Where an object stands. What a module from elsewhere holds is shown where that module is called."""
        sides = (self.head, self.base) if new else (self.base, self.head)
        address = without_keys(id.name)
        own = next((side[address] for side in sides if address in side), None)
        if own is not None:
            return own.source, own.lines
        call = _MODULE.match(address)
        above = next((side[call[0]] for side in sides if call and call[0] in side), None)
        return (above.source if above is not None else Source(self.entry)), {}


def _row(
    target: str, id: ResourceId, block: Mapping[str, Any], change: Mapping[str, Any], known: _Known
) -> Iterator[ResourceChange]:
    actions = _actions(change)
    if not actions & {"create", "update", "delete"}:
        return
    before = after = None
    # What is a secret on one side is one on the other: it may have become one, or be called one no more.
    marks = [change.get(key) for key in ("before_sensitive", "after_sensitive")]
    if actions != {"create"}:
        old = _side(change.get("before"), {}, marks)
        before = _resource(id, block, old, known.place(id, new=False))
    if actions != {"delete"}:
        new = _side(change.get("after"), change.get("after_unknown"), marks)
        after = _resource(id, block, new, known.place(id, new=True))
    if before and after and actions >= {"delete", "create"}:
        gone = difference(before.manifest, None, id) or ((), "")
        made = difference(before.manifest, after.manifest, id) or difference(None, after.manifest, id) or ((), "")
        yield ResourceChange(target, Action.DELETE, id, _replacing(change) or gone[0], gone[1], before, None)
        yield ResourceChange(target, Action.CREATE, id, *made, None, after)
        return
    found = difference(before.manifest if before else None, after.manifest if after else None, id)
    if found is not None:
        action = Action.UPDATE if before and after else Action.CREATE if after else Action.DELETE
        yield ResourceChange(target, action, id, *found, before, after)


def _replacing(change: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that can't be changed in place."""
    paths = change.get("replace_paths")
    return tuple(_dotted(path) for path in paths if isinstance(path, list)) if isinstance(paths, list) else ()


def _dotted(path: Sequence[Any]) -> str:
    return "spec" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)


def _wrapped(change: Mapping[str, Any]) -> dict[str, Any]:
    """An output's change in the form of a resource's."""
    keys = ("before", "after", "after_unknown", "before_sensitive", "after_sensitive")
    return {"actions": change.get("actions"), **{k: {"value": change.get(k)} for k in keys if k in change}}


def _side(value: Any, unknown: Any, marks: Iterable[Any]) -> tuple[dict[str, Any], list[str]]:
    spec = _with_unknown(value if isinstance(value, Mapping) else {}, unknown)
    if not isinstance(spec, dict):
        # Nothing of it is known yet, not even which fields it has.
        return {"*": UNKNOWN}, []
    return spec, sorted({path for sensitive in marks for path in _marked(sensitive, "", spec)})


def _with_unknown(value: Any, unknown: Any) -> Any:
    """The value without what is not set, and with a word where it will be known after the fact."""
    if unknown is True:
        return UNKNOWN
    if isinstance(value, Mapping) or (value is None and isinstance(unknown, Mapping)):
        value, marks = value or {}, unknown if isinstance(unknown, Mapping) else {}
        merged = {k: _with_unknown(value.get(k), marks.get(k)) for k in [*value, *(k for k in marks if k not in value)]}
        return {k: v for k, v in merged.items() if v is not None and not (v == {} and k not in value)}
    if isinstance(value, list) or (value is None and isinstance(unknown, list)):
        pairs = zip_longest(value or [], unknown if isinstance(unknown, list) else [])
        return [_with_unknown(item, mark) for item, mark in pairs]
    return value


def _marked(marks: Any, path: str, value: Any) -> Iterator[str]:
    """The paths below `spec` that a plan calls sensitive."""
    if marks is True:
        if path:
            yield path
        else:
            yield from (str(k) for k in value if isinstance(value, Mapping))
    elif isinstance(marks, Mapping):
        for name, inner in marks.items():
            yield from _marked(inner, f"{path}.{name}" if path else str(name), value)
    elif isinstance(marks, list):
        for index, inner in enumerate(marks):
            yield from _marked(inner, f"{path}[{index}]", value)


def _resource(
    id: ResourceId,
    block: Mapping[str, Any],
    side: tuple[Mapping[str, Any], Sequence[str]],
    place: tuple[Source, Mapping[FieldPath, int]],
) -> Resource:
    spec, sensitive = side
    manifest: Manifest = {**manifest_of(id, block, spec), **({SENSITIVE: list(sensitive)} if sensitive else {})}
    return Resource(id, manifest, *place)
