"""Which files make a module, by their names: Terraform's, and OpenTofu's own, which take the place of Terraform's."""

from __future__ import annotations

from collections.abc import Collection, Iterable

TERRAFORM = (".tf", ".tf.json")
OPENTOFU = (".tofu", ".tofu.json")
CODE = (*TERRAFORM, *OPENTOFU)
VALUES = (".tfvars", ".tfvars.json")
LOCK = ".terraform.lock.hcl"
STATE = "terraform.tfstate"


def is_code(path: str) -> bool:
    """Would the program load it? What editors leave behind and hidden files are no part of a module."""
    if not path.endswith(CODE):
        return False
    name = path.rpartition("/")[2]
    return not (name.startswith(".") or (name.startswith("#") and name.endswith("#")))


def is_override(path: str) -> bool:
    """Files of these names are read last and change what the others say."""
    name = path.rpartition("/")[2].removesuffix(".json").rpartition(".")[0]
    return name == "override" or name.endswith("_override")


def loaded(paths: Iterable[str]) -> tuple[str, ...]:
    """Those of one folder's files that count, in order: OpenTofu leaves `x.tf` out where `x.tofu` is."""
    known = sorted(paths)
    return tuple(p for p in known if not is_replaced(p, known))


def is_replaced(path: str, paths: Collection[str]) -> bool:
    """Is there an OpenTofu file of this name?"""
    name = path.removesuffix(".json")
    return name.endswith(TERRAFORM[0]) and f"{name[: -len(TERRAFORM[0])]}{OPENTOFU[0]}{path[len(name) :]}" in paths
