"""Write review_bot/core/api_lifecycle.json from Kubernetes' own Go sources: `python scripts/api_lifecycle.py`.

The module k8s.io/api says of each type that is no longer meant to be used when it was deprecated, when it goes, and
what replaces it (zz_generated.prerelease-lifecycle.go). Run it when the pinned Kubernetes version changes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from install_tools import go_command

from review_bot.core.tools import CLUSTER

MODULE = f"k8s.io/api@v0.{CLUSTER['kube-apiserver'].partition('.')[2]}"
TARGET = Path(__file__).resolve().parent.parent / "review_bot" / "core" / "api_lifecycle.json"
FACT = re.compile(
    r"func \(in \*(\w+)\) APILifecycle(Deprecated|Removed)\(\) \(major, minor int\) \{\s*return (\d+), (\d+)"
)
REPLACED = re.compile(
    r"func \(in \*(\w+)\) APILifecycleReplacement\(\) schema\.GroupVersionKind \{\s*"
    r'return schema\.GroupVersionKind\{Group: "([^"]*)", Version: "([^"]*)", Kind: "([^"]*)"\}'
)
GROUP = re.compile(r'const GroupName = "([^"]*)"')


def main() -> int:
    facts: dict[str, dict[str, str]] = {}
    for path in sorted(module_folder().glob("*/*/zz_generated.prerelease-lifecycle.go")):
        group = GROUP.search((path.parent / "register.go").read_text())
        if group is None:
            raise SystemExit(f"{path.parent} names no group")
        version = f"{group[1]}/{path.parent.name}" if group[1] else path.parent.name
        text = path.read_text()
        for kind, what, major, minor in FACT.findall(text):
            facts.setdefault(f"{version} {kind}", {})[what.lower()] = f"{major}.{minor}"
        for kind, *new in REPLACED.findall(text):
            # One of the sources names the list instead of the kind.
            facts.setdefault(f"{version} {kind}", {})["replacement"] = _named(*new)
    kept = {k: v for k, v in sorted(facts.items()) if not k.endswith("List")}
    TARGET.write_text(json.dumps(kept, indent=1) + "\n")
    print(f"{len(kept)} kinds from {MODULE}", file=sys.stderr)
    return 0


def _named(group: str, version: str, kind: str) -> str:
    return f"{group}/{version} {kind.removesuffix('List')}".removeprefix("/")


def module_folder() -> Path:
    with tempfile.TemporaryDirectory() as work:
        command = [go_command(), "mod", "download", "-json", MODULE]
        listing = subprocess.run(command, check=True, capture_output=True, text=True, cwd=work).stdout
    return Path(json.loads(listing)["Dir"])


if __name__ == "__main__":
    sys.exit(main())
