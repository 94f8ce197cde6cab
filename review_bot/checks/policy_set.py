"""The policies that decide: files of the base branch, or of folders that the operator names, laid out for OPA."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from review_bot.checks.context import CheckContext

REGO = ".rego"
DATA = (".json", ".yaml", ".yml")


@dataclass(frozen=True)
class PolicySet:
    """`files` maps the name shown to people to the content: Rego modules and data.

    `empty` names configured paths that hold no policy: a typing error there must not pass for fewer rules.
    """

    files: Mapping[str, bytes]
    configured: bool
    empty: tuple[str, ...] = ()

    @property
    def modules(self) -> list[str]:
        return [name for name in self.files if name.endswith(REGO)]

    def lay_out(self, folder: Path) -> dict[Path, str]:
        """Write the files; from each written file to its shown name."""
        written = {}
        for number, (name, data) in enumerate(sorted(self.files.items())):
            # Shown names may be absolute or start with dashes; numbered ones are neither.
            path = folder / f"{number:04}{os.path.splitext(name)[1]}"
            path.write_bytes(data)
            written[path] = name
        return written


def gather(context: CheckContext) -> PolicySet:
    """The set for this review; tests (`_test.rego`) are left out."""
    if context.policy_dirs is not None:
        return PolicySet(_from_folders(context.policy_dirs), configured=True)
    options = context.config.policy
    entries = context.base.entries()
    names = [p for p in entries for root in options.paths if _below(p, root) and _wanted(p, (REGO,))]
    names += [p for p in entries for root in options.data if _below(p, root) and _wanted(p, DATA)]
    files = context.base.read_many(sorted(set(names)))
    empty = tuple(r for r in options.paths if not any(_below(n, r) and n.endswith(REGO) for n in files))
    return PolicySet(files, configured=options.explicit, empty=empty if options.explicit else ())


def _from_folders(folders: tuple[Path, ...]) -> dict[str, bytes]:
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and _wanted(path.name, (REGO, *DATA)):
                found[str(path)] = path.read_bytes()
    return found


def _below(path: str, root: str) -> bool:
    return root == "." or path == root or path.startswith(f"{root}/")


def _wanted(path: str, endings: tuple[str, ...]) -> bool:
    return path.endswith(endings) and not path.endswith("_test.rego")
