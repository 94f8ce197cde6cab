"""The programs of the shell pipeline, built by `go install` at pinned versions into the bot's tool cache."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from review_bot.core.tools import cache_dir

# name → (module, version); the bot itself needs none of them.
MODULES: Mapping[str, tuple[str, str]] = {
    "kubeconform": ("github.com/yannh/kubeconform/cmd/kubeconform", "0.8.0"),
    "conftest": ("github.com/open-policy-agent/conftest", "0.71.0"),
}


def installed(name: str) -> Path:
    """The program, built first if it is not there (conftest takes minutes)."""
    module, version = MODULES[name]
    place = cache_dir() / "tools" / f"{name}-{version}" / name
    if not place.is_file():
        print(f"bench: building {name} {version}, once", file=sys.stderr, flush=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as work:
            environment = os.environ | {"GOBIN": work, "CGO_ENABLED": "0", "GOFLAGS": "-trimpath"}
            subprocess.run(["go", "install", f"{module}@v{version}"], check=True, env=environment)
            os.replace(Path(work) / name, place)
    return place
