"""Install a container registry for the tests: `python scripts/install_registry.py`.

CNCF Distribution, built from its Go module (4 to 10 minutes on two cores, once: the result stays in the user's cache
folder, keyed by version). The bot itself never needs it: it asks the registries that the operator names.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from install_tools import build_module, go_mod, go_mod_of, say

from review_bot.core.tools import REGISTRY, tool_path

MODULE = "github.com/distribution/distribution/v3"
PROGRAM = f"{MODULE}/cmd/registry"


def main() -> int:
    started = time.monotonic()
    missing = [name for name in REGISTRY if not tool_path(name).is_file()]
    for name in missing:
        go, _ = go_mod_of(MODULE, REGISTRY[name])
        ours = go_mod(name, MODULE, REGISTRY[name], PROGRAM, go)
        build_module(name, ours, PROGRAM, "-s -w", "4 to 10 minutes")
    say(f"registry: {'nothing to do' if not missing else 'done'} ({time.monotonic() - started:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
