"""Install OpenTofu for the tests: `python scripts/install_tofu.py`.

Built from its Go module (about 4 minutes on two cores, once: the result stays in the user's cache folder, keyed by
version). The bot needs it only where the operator switched plans on, and takes the one that the operator names then.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from install_tools import build_module, go_mod, go_mod_of, say

from review_bot.core.tools import TERRAFORM, tool_path

MODULE = "github.com/opentofu/opentofu"
PROGRAM = f"{MODULE}/cmd/tofu"
# A plain build calls itself a development version, and says so in every plan.
LINKER_FLAGS = f"-s -w -X {MODULE}/version.dev=no"
REPLACE = re.compile(r"^replace (\S+ \S+ => \S+ \S+)$", re.M)


def main() -> int:
    started = time.monotonic()
    missing = [name for name in TERRAFORM if not tool_path(name).is_file()]
    for name in missing:
        build_module(name, _go_mod(TERRAFORM[name]), PROGRAM, LINKER_FLAGS, "4 minutes")
    say(f"terraform: {'nothing to do' if not missing else 'done'} ({time.monotonic() - started:.1f} s)")
    return 0


def _go_mod(version: str) -> str:
    """Takes OpenTofu as it is released."""
    go, original = go_mod_of(MODULE, version)
    return go_mod("tofu", MODULE, version, PROGRAM, go, REPLACE.findall(original))


if __name__ == "__main__":
    sys.exit(main())
