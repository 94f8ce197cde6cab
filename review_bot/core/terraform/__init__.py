"""Terraform's and OpenTofu's modules: which files belong together, and what their blocks are as objects. Pure.

An object is `{"apiVersion": "terraform/v1", "kind", "metadata": {"name", "namespace"}, "block", "spec"}`: `kind` is a
resource's type (`aws_instance`) or the kind of block (`Module`, `Variable`, …), `name` its address, `namespace` the
address of the module that it stands in, none for the root module. docs/terraform.md shows it all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

API_VERSION = "terraform/v1"
UNKNOWN = "(known after apply)"
_KEY = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]')


def is_terraform(manifest: Mapping[str, Any]) -> bool:
    """Is the object one of Terraform's, and so none of Kubernetes'?"""
    return manifest.get("apiVersion") == API_VERSION


def block_of(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is said of the block: `type`, `labels`, and `planned` where the values are a plan's."""
    block = manifest.get("block")
    return block if isinstance(block, Mapping) else {}


def spec_of(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The block's arguments and nested blocks."""
    spec = manifest.get("spec")
    return spec if isinstance(spec, Mapping) else {}


def without_keys(address: str) -> str:
    """The address of the block that an instance (`module.net["eu"].aws_subnet.a[0]`) is made from."""
    return _KEY.sub("", address).partition(" ")[0]
