"""Kubestack's modules: what each environment really gets, one object a module and environment.

A module's `configuration` maps environments to settings. All inherit from one of them (`configuration_base_key`, by
default `apps`): a key that an environment does not set, or sets to null, has the base's value; one that it sets is its
own as a whole. So a change of the base shows in every environment that does not set the key itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from review_bot.core.model import FieldPath, Resource, Source
from review_bot.core.terraform import spec_of
from review_bot.core.terraform.blocks import VALUES, manifest_of, resource_id
from review_bot.core.terraform.environments import KIND, LABEL
from review_bot.core.terraform.masking import SENSITIVE

BASE_KEY = "apps"
_SOURCES = ("kbst/terraform-kubestack", "terraform-kubestack", "kbst.xyz/catalog/")
_REFERENCE = re.compile(r"\$\{\s*(var|local)\.([\w-]+)((?:\.[\w-]+|\[\"[^\"\\]*\"\])*)\s*\}\Z")
_STEP = re.compile(r"\.([\w-]+)|\[\"([^\"]*)\"\]")
_LOADED = ("terraform.tfvars", "terraform.tfvars.json")


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A module whose configuration can't be worked out from the files; `cause` ends a sentence about it."""

    module: Resource
    cause: str


@dataclass(frozen=True, slots=True)
class _Value:
    """A value, the object that it stands in and where in that; `sensitive` as its variable says."""

    value: Any
    at: Resource
    path: FieldPath
    sensitive: bool = False

    def step(self, name: str) -> _Value | None:
        if not isinstance(self.value, Mapping) or name not in self.value:
            return None
        return _Value(self.value[name], self.at, (*self.path, name), self.sensitive)

    def line(self) -> int | None:
        return self.at.place(self.path).line


def environments(objects: Sequence[Resource]) -> tuple[list[Resource], list[Unresolved]]:
    """The effective configuration of each Kubestack module of the root module, by environment."""
    found: list[Resource] = []
    unresolved: list[Unresolved] = []
    for module in objects:
        configuration = spec_of(module.manifest).get("configuration")
        if module.id.kind != "Module" or module.id.namespace is not None or configuration is None:
            continue
        base_key = spec_of(module.manifest).get("configuration_base_key", BASE_KEY)
        value = _resolved(_Value(configuration, module, ("spec", "configuration")), objects)
        if not isinstance(base_key, str) or "${" in base_key:
            cause = "its configuration_base_key is put together by an expression"
        elif value is None:
            cause = f"nothing here gives {configuration} a value" if isinstance(configuration, str) else ""
        elif not isinstance(value.value, Mapping) or base_key not in value.value:
            cause = f"it has no environment {base_key} to inherit from"
        else:
            sides = {name: _environment(value, name, objects) for name in value.value}
            unclear = [name for name, side in sides.items() if side is None]
            if not unclear:
                found += _effective(module, {n: side for n, side in sides.items() if side is not None}, base_key)
                continue
            cause = f"{unclear[0]} is put together by an expression"
        if _is_kubestack(module):
            unresolved.append(Unresolved(module, cause))
    return found, unresolved


def _environment(configuration: _Value, name: str, objects: Sequence[Resource]) -> _Value | None:
    """An environment's own settings, None where they are no map that can be read."""
    own = configuration.step(name)
    own = _resolved(own, objects) if own is not None else None
    return own if own is not None and (own.value is None or isinstance(own.value, Mapping)) else None


def _effective(module: Resource, sides: Mapping[str, _Value], base_key: str) -> Iterator[Resource]:
    base = sides[base_key]
    for name, own in sides.items():
        spec: dict[str, Any] = {}
        lines: dict[FieldPath, int] = {}
        for side in (base, own):
            for key, value in (side.value or {}).items():
                if value is not None:
                    spec[key] = value
                    lines = {p: n for p, n in lines.items() if p[1] != key} | _lines(side, key)
        line = own.line()
        if line is not None:
            lines[()] = line
        id = resource_id(KIND, "", f"{module.id.name}.{name}")
        manifest = manifest_of(id, {"type": "configuration", "labels": [module.id.name.partition(".")[2], name]}, spec)
        manifest["metadata"]["labels"] = {LABEL: name}
        # Another version of the module is another thing in every environment.
        about = spec_of(module.manifest)
        manifest["module"] = {key: about[key] for key in ("source", "version") if key in about}
        if base.sensitive or own.sensitive:
            manifest[SENSITIVE] = sorted(spec)
        yield Resource(id, manifest, Source(own.at.source.path, line), lines)


def _lines(side: _Value, key: str) -> dict[FieldPath, int]:
    """The lines of a key and of what is below it, as seen from the object that is made of it."""
    prefix = (*side.path, key)
    inner = side.at.lines.items()
    return {("spec", *path[len(side.path) :]): n for path, n in inner if path[: len(prefix)] == prefix}


def _resolved(value: _Value, objects: Sequence[Resource], depth: int = 0) -> _Value | None:
    """The value behind references to variables and locals of the root module, None where none is known."""
    if not isinstance(value.value, str):
        return value
    match = _REFERENCE.match(value.value)
    if match is None or depth > 10:
        return None
    kind, name, steps = match.groups()
    found = _variable(name, objects) if kind == "var" else _local(name, objects)
    found = _resolved(found, objects, depth + 1) if found is not None else None
    for dotted, quoted in _STEP.findall(steps):
        found = found.step(dotted or quoted) if found is not None else None
        found = _resolved(found, objects, depth + 1) if found is not None else None
    return found


def _variable(name: str, objects: Sequence[Resource]) -> _Value | None:
    """What Terraform would load by itself: the last file wins, then the default."""
    files = [o for o in objects if o.id.kind == VALUES and name in spec_of(o.manifest)]
    loaded = [o for file in _LOADED for o in files if o.id.name == file]
    loaded += sorted((o for o in files if ".auto.tfvars" in o.id.name), key=lambda o: o.id.name)
    own = next((o for o in objects if o.id.kind == "Variable" and o.id.name == f"var.{name}"), None)
    sensitive = own is not None and spec_of(own.manifest).get("sensitive") is True
    if loaded:
        return _Value(spec_of(loaded[-1].manifest)[name], loaded[-1], ("spec", name), sensitive)
    if own is not None and "default" in spec_of(own.manifest):
        return _Value(spec_of(own.manifest)["default"], own, ("spec", "default"), sensitive)
    return None


def _local(name: str, objects: Sequence[Resource]) -> _Value | None:
    own = next((o for o in objects if o.id.kind == "Local" and o.id.name == f"local.{name}"), None)
    return _Value(spec_of(own.manifest)["value"], own, ("spec", "value")) if own is not None else None


def _is_kubestack(module: Resource) -> bool:
    spec = spec_of(module.manifest)
    source = str(spec.get("source", ""))
    return any(known in source for known in _SOURCES) or "configuration_base_key" in spec
