"""What Terraform destroys, and with it what nobody can bring back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from review_bot.core.model import Action, ResourceChange
from review_bot.core.terraform import block_of, is_terraform, spec_of
from review_bot.core.terraform.scan import LOCAL


def losses(changes: Sequence[ResourceChange]) -> Mapping[int, str]:
    """By the number of a change, what a sentence says that begins with the object."""
    made = {(c.target, c.id) for c in changes if c.action is Action.CREATE}
    kept = {(c.target, address) for c in changes for address in _kept(c)}
    found: dict[int, str] = {}
    for number, change in enumerate(changes):
        base = change.base
        if change.action is not Action.DELETE or base is None or not is_terraform(base.manifest):
            continue
        block = block_of(base.manifest)
        # A plan has heeded them already.
        if not block.get("planned") and any((change.target, name) in kept for name in _with_modules(change.id.name)):
            continue
        type = block.get("type")
        if type == "resource" and (change.target, change.id) in made:
            names = ", ".join(field.removeprefix("spec.") for field in change.fields[:3])
            found[number] = f"is destroyed and created anew, since this can't be changed in place: {names}"
        elif type == "resource":
            found[number] = "is destroyed by Terraform, with what it holds"
        elif type == "module" and not str(spec_of(base.manifest).get("source", "")).startswith(LOCAL):
            found[number] = "goes, and Terraform destroys everything that it made"
    return found


def _kept(change: ResourceChange) -> list[str]:
    """What a `moved` or `removed` block names: it is there under another name, or left alone."""
    head = change.head
    if head is None or not is_terraform(head.manifest) or change.id.kind not in ("Moved", "Removed"):
        return []
    spec = spec_of(head.manifest)
    if change.id.kind == "Removed" and _destroys(spec):
        return []
    address = str(spec.get("from", "")).removeprefix("${").removesuffix("}")
    return [f"{change.id.namespace}.{address}" if change.id.namespace else address]


def _with_modules(address: str) -> list[str]:
    """The address and those of the modules around it, each of which may have moved as a whole."""
    parts = address.split(".")
    return [address, *(".".join(parts[:end]) for end in range(2, len(parts), 2) if parts[end - 2] == "module")]


def _destroys(spec: Mapping[str, object]) -> bool:
    """A `removed` block leaves the real thing alone only if it says so."""
    lifecycle = spec.get("lifecycle")
    rows = lifecycle if isinstance(lifecycle, list) else [lifecycle]
    return not any(isinstance(row, Mapping) and row.get("destroy") is False for row in rows)
