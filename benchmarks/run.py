"""`python -m benchmarks.run [--sizes 10,100,1000] [--runs 7]`: the bot beside the shell pipeline, in one run.

kubeconform and conftest are built on first use. The pipeline gets its two checkouts for nothing: laying them out is
not counted for it, while the bot reads its two sides from git. "Cold" is a cache folder that holds the tools and
nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.generate import git, overlay, repository
from benchmarks.tools import installed
from review_bot.checks.schema_store import bundled
from review_bot.core.tools import cache_dir, find

PIPELINE = r"""
set -e
one() {
  name=$(echo "$1" | tr / _)
  "$KUBECTL" kustomize "$BASE/$1" > "$OUT/$name.base.yaml"
  "$KUBECTL" kustomize "$HEAD/$1" > "$OUT/$name.head.yaml"
  diff -u "$OUT/$name.base.yaml" "$OUT/$name.head.yaml" > "$OUT/$name.diff" || true
  "$KUBECONFORM" -strict -schema-location "$SCHEMAS" "$OUT/$name.head.yaml"
  "$CONFTEST" test --quiet --policy "$BASE/policies" "$OUT/$name.head.yaml" > /dev/null
}
export -f one
xargs -P "$JOBS" -I{} bash -c 'one {}'
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10,100,1000")
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    schemas = tempfile.TemporaryDirectory(prefix="bench-schemas-")
    environment = tools_environment(Path(schemas.name))
    print("| overlays | change | bot, cold cache | bot, warm cache | shell pipeline | cold / shell | warm / shell |")
    print("|---:|---|---:|---:|---:|---:|---:|", flush=True)
    sizes = [int(s) for s in arguments.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="bench-") as work:
        roots = {size: _generated(Path(work) / str(size), size) for size in sizes}
        for change in ("one", "base"):
            for size, root in roots.items():
                touched = size if change == "base" else 1
                # The pipeline takes minutes for a thousand overlays.
                runs = arguments.runs if touched < 100 else min(arguments.runs, 3 if touched < 1000 else 2)
                print(_row(root, change, size, touched, runs, environment), flush=True)
    return 0


def _generated(root: Path, size: int) -> Path:
    repository(root / "repo", size)
    git(root / "repo", "worktree", "add", "-q", "--detach", str(root / "base"), "main")
    return root


def _row(root: Path, change: str, size: int, touched: int, runs: int, environment: dict[str, str]) -> str:
    git(root / "repo", "worktree", "add", "-q", "--detach", str(root / f"head-{change}"), change)
    what = "one overlay" if change == "one" else "the base"
    figures = beside(root, change, [overlay(i) for i in range(touched)], runs, environment)
    return f"| {size} | {what} | {figures} |"


def beside(root: Path, change: str, folders: list[str], runs: int, environment: dict[str, str]) -> str:
    """The bot on a branch of `root`/repo beside the pipeline on these folders of `root`/base and `root`/head-BRANCH."""
    cache = root / "cache"

    def cold() -> None:
        shutil.rmtree(cache, ignore_errors=True)
        (cache / "review-bot").mkdir(parents=True)
        (cache / "review-bot" / "tools").symlink_to(cache_dir() / "tools")
        warm()

    def warm() -> None:
        bot(root / "repo", change, environment | {"XDG_CACHE_HOME": str(cache)})

    def shell() -> None:
        out = root / "out"
        out.mkdir(exist_ok=True)
        places = {"BASE": str(root / "base"), "HEAD": str(root / f"head-{change}"), "OUT": str(out)}
        given = environment | places | {"JOBS": str(os.cpu_count() or 1)}
        subprocess.run(["bash", "-c", PIPELINE], input="\n".join(folders), text=True, check=True, env=given)

    # In turn, so that a machine whose speed drifts is slow for all three alike.
    times: dict[str, list[float]] = {"cold": [], "warm": [], "shell": []}
    for _ in range(runs):
        for name, run in (("cold", cold), ("warm", warm), ("shell", shell)):
            times[name].append(timed(run))
    cold_s, warm_s, shell_s = (statistics.median(times[n]) for n in ("cold", "warm", "shell"))
    return f"{cold_s:.2f} s | {warm_s:.2f} s | {shell_s:.2f} s | {cold_s / shell_s:.2f} | {warm_s / shell_s:.2f}"


def bot(repo: Path, change: str, environment: dict[str, str]) -> None:
    command = [str(Path(sys.executable).parent / "review-bot"), "check", str(repo)]
    done = subprocess.run(
        [*command, "--base", "main", "--head", change, "-o", "json"], capture_output=True, env=environment, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"the review failed: {done.stderr.decode()}{done.stdout.decode()[-2000:]}")


def timed(run: Callable[[], None]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def tools_environment(schemas: Path) -> dict[str, str]:
    """Both sides use the same schemas; kubeconform wants each in a file without references to others."""
    import kubernetes_validate

    folder = Path(str(kubernetes_validate.__file__)).parent / "kubernetes-json-schema" / "v1.35.0-local-strict"
    for name in ("deployment-apps-v1.json", "service-v1.json"):
        (schemas / name).write_text(json.dumps(bundled(folder, name)))
    return os.environ | {
        "KUBECTL": str(find("kustomize")),
        "KUBECONFORM": str(installed("kubeconform")),
        "CONFTEST": str(installed("conftest")),
        "SCHEMAS": f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
    }


if __name__ == "__main__":
    sys.exit(main())
